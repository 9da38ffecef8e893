// The drag board: holds the tables and the present state, and answers hand and keyboard.

const REST = 300;
const SPEAK_AFTER = 700;
const GIVE_UP = 5000;
// What outlives a remount of the component, by the key of the board.
const memories = new Map();

class Board {
  constructor(root, settings, send) {
    this.root = root;
    this.send = send;
    if (!memories.has(settings.key)) memories.set(settings.key, { active: null, focus: null, played: null });
    this.memory = memories.get(settings.key);
    this.overlay = null; // {handle, position}: where one handle stands, all others as in the tables
    this.awaiting = null; // {handle, values, count}: messages sent and not answered
    this.pending = null; // tables that came at a moment when nothing may move
    this.queue = [];
    this.playing = false;
    this.frames = 0;
    this.held = new Set();
    this.lossText = make("output.loss-number", { "aria-live": "off" });
    this.lossNote = make("span.loss-note");
    this.slopeText = make("p.slope");
    this.spoken = make("div.spoken", { role: "status", "aria-live": "polite" });
    this.curves = new Curves(this);
    this.descent = new Descent(this, settings.learning_rate);
    this.place = { samples: make("div"), worked: make("div") };
    root.append(
      make(
        "div.summary",
        {},
        make("div.loss", {}, make("span.caption", {}, "Loss"), this.lossText, this.lossNote),
        this.slopeText,
      ),
      make("div.columns", {}, make("div.main", {}, this.place.samples, this.descent.element), this.curves.element),
      this.place.worked,
      this.spoken,
    );
    this.hand = new Hand(this);
    this.resize = new ResizeObserver(() => this.measure());
    this.resize.observe(root);
  }

  destroy() {
    this.resize.disconnect();
    clearTimeout(this.restTimer);
    clearTimeout(this.giveUpTimer);
    clearTimeout(this.speakTimer);
    cancelAnimationFrame(this.frame);
    this.hand.destroy();
  }

  // Tables

  receive(tables, settings) {
    this.descent.offer(settings.learning_rate);
    const newest = this.pending ?? this.tables;
    if (newest && tables.revision <= newest.revision) return;
    if (this.hand.drag?.moving || this.restTimer) this.pending = tables;
    else if (this.awaiting?.count > 1 && !this.answers(tables)) {
      this.awaiting.count -= 1;
      this.pending = tables;
    } else this.adopt(tables);
  }

  /** Whether the tables hold the values that were sent last, and not those of an earlier message. */
  answers(tables) {
    const values = tables.values(tables.row());
    return ["prediction", "target"].every((name) => {
      const sent = this.awaiting.values[name];
      return sent.length === values[name].length && sent.every((value, index) => Math.abs(value - values[name][index]) < 1e-9);
    });
  }

  adopt(tables) {
    const structure = tables.structure();
    this.tables = tables;
    this.overlay = this.awaiting = this.pending = null;
    clearTimeout(this.giveUpTimer);
    this.row = tables.row();
    if (structure !== this.structure) this.build(structure);
    else for (const part of this.parts) this.renew(part);
    this.active = tables.byName.get(this.memory.active) ?? tables.handles[0];
    this.held = new Set(tables.path ? tables.path.projected[tables.path.rows - 1] : []);
    this.playing = this.descent.start(tables, this.memory.played !== tables.revision);
    if (tables.path) this.memory.played = tables.revision;
    this.render();
    const queue = this.queue;
    this.queue = [];
    for (const action of queue) action();
  }

  /** The elements stay; the handles behind them are those of the new tables. */
  renew(part) {
    if (part.handle) part.handle = this.tables.byName.get(part.handle.name);
    for (const slider of part.sliders ?? []) slider.handle = this.tables.byName.get(slider.handle.name);
  }

  build(structure) {
    this.structure = structure;
    const { tables } = this;
    const lost = document.activeElement === document.body ? this.memory.focus : null;
    const focus = this.focusKey(this.root.getRootNode().activeElement) ?? lost;
    this.samples = new Samples(this, tables);
    this.parts = this.samples.parts;
    this.worked = new Worked(tables);
    this.place.samples.replaceChildren(this.samples.element);
    this.place.worked.replaceChildren(this.worked.element);
    this.measure();
    if (focus) this.focus(focus);
  }

  measure() {
    if (!this.tables) return;
    this.samples.measure();
    this.curves.measure();
    this.schedule();
  }

  // Focus, which must survive that elements are made anew

  focusKey(element) {
    if (!element || !this.root.contains(element)) return null;
    const { handle, field, control } = element.dataset;
    return handle ? `handle:${handle}` : field ? `field:${field}` : control ? `control:${control}` : null;
  }

  focus(key) {
    const [kind, name] = [key.slice(0, key.indexOf(":")), key.slice(key.indexOf(":") + 1)];
    const found = [...this.root.querySelectorAll(`[data-${kind}]`)].filter((element) => element.dataset[kind] === name);
    const target = found.find((element) => element.checked) ?? found[0] ?? this.samples.add;
    target.focus({ preventScroll: true });
  }

  // The present state

  /** Whether a handle must wait: its tables hold only while all other handles stand where they stood. */
  waitsFor(handle) {
    if (this.awaiting && this.awaiting.handle !== handle.name) return true;
    return this.overlay !== null && this.overlay.handle !== handle;
  }

  /** Does it now, or when the tables for it have come. */
  whenReady({ name }, action) {
    if (this.playing) this.stopPlaying();
    const handle = this.tables.byName.get(name);
    if (!handle) return;
    this.activate(handle);
    if (!this.waitsFor(handle)) {
      action(handle);
      return;
    }
    this.commit();
    this.queue.push(() => this.whenReady(handle, action));
    this.schedule();
  }

  activate(handle) {
    this.active = handle;
    this.memory.active = handle.name;
    this.schedule();
  }

  positionOf(handle) {
    return this.overlay?.handle === handle ? this.overlay.position : handle.at;
  }

  moveTo(handle, position) {
    if (this.positionOf(handle) === position) return;
    this.overlay = { handle, position };
    this.held = new Set();
    this.schedule();
  }

  /** One or more positions on; the new state is sent when the keys rest. */
  nudge(handle, by) {
    this.whenReady(handle, (ready) => {
      const position = Math.min(Math.max(this.positionOf(ready) + by, 0), ready.count - 1);
      this.moveTo(ready, position);
      this.rest();
    });
  }

  choose(handle, position) {
    this.whenReady(handle, (ready) => {
      this.moveTo(ready, position);
      this.commit();
    });
  }

  /** A number that was typed; it may lie between the positions or beyond the axis. */
  enter(handle, value) {
    this.whenReady(handle, (ready) => {
      const nearest = this.tables.nearest(ready, value);
      if (ready.positions[nearest] === value) {
        this.moveTo(ready, nearest);
        this.commit();
      } else {
        // No table shows this state, so every handle waits for the answer, this one too.
        this.post("move", null, this.tables.valuesAt(ready, value));
      }
    });
  }

  rest() {
    clearTimeout(this.restTimer);
    this.restTimer = setTimeout(() => this.commit(), REST);
  }

  stopResting() {
    clearTimeout(this.restTimer);
    this.restTimer = 0;
  }

  /** Sends where the moved handle stands. */
  commit() {
    this.stopResting();
    if (!this.overlay) return;
    if (this.pending && !this.pending.fits(this.tables)) {
      this.adopt(this.pending);
      return;
    }
    const { handle, position } = this.overlay;
    const values = this.tables.values(this.tables.row(handle, position));
    const sent = this.awaiting?.values ?? this.tables.values(this.tables.row());
    if (JSON.stringify(values) !== JSON.stringify(sent)) this.post("move", handle.name, values);
    else if (this.pending && (!this.awaiting || this.answers(this.pending))) this.adopt(this.pending);
    else if (!this.awaiting) {
      this.overlay = null;
      this.schedule();
    }
  }

  /** Takes a drag back. */
  restore(overlay) {
    this.overlay = overlay;
    if (this.pending && !overlay) this.adopt(this.pending);
    else this.commit();
    this.schedule();
  }

  /** A button: what was moved goes first, and the action when that is answered. */
  act(action, more = {}) {
    if (this.playing) this.stopPlaying();
    this.commit();
    if (this.awaiting) this.queue.push(() => this.act(action, more));
    else this.post(action, null, this.tables.values(this.tables.row()), more);
  }

  post(action, handle, values, more = {}) {
    this.memory.sequence = Math.max((this.memory.sequence ?? 0) + 1, Date.now());
    this.awaiting = { handle, values, count: (this.awaiting?.count ?? 0) + 1 };
    this.send({ seq: this.memory.sequence, action, revision: this.tables.revision, values, ...more });
    clearTimeout(this.giveUpTimer);
    this.giveUpTimer = setTimeout(() => this.adopt(this.pending ?? this.tables), GIVE_UP);
    this.schedule();
  }

  // Drawing

  schedule() {
    this.frame ??= requestAnimationFrame((now) => {
      this.frame = null;
      this.tick(now);
    });
  }

  tick(now) {
    if (this.playing) {
      const state = this.descent.stateAt(now);
      if (state === null) this.stopPlaying();
      else {
        this.tables.pathRow(state, this.row);
        this.held = new Set(this.tables.path.projected[state]);
        this.show();
        this.schedule();
        return;
      }
    }
    this.render();
  }

  stopPlaying() {
    this.playing = false;
    this.held = new Set(this.tables.path.projected[this.tables.path.rows - 1]);
    this.descent.end();
    this.render();
  }

  render() {
    if (this.playing) {
      this.schedule();
      return;
    }
    this.tables.row(this.overlay?.handle, this.overlay?.position, this.row);
    this.show();
    clearTimeout(this.speakTimer);
    this.speakTimer = setTimeout(() => this.speak(), SPEAK_AFTER);
  }

  show() {
    const { tables, row, active, held } = this;
    const resting = this.playing || (this.overlay !== null && this.overlay.handle !== active);
    const frame = { tables, row, active, held, resting, position: this.positionOf(active) };
    this.samples.update(frame);
    this.curves.update(frame);
    this.worked.update(frame);
    const value = tables.column(row, "value")[0];
    setText(this.lossText, formatNumber(value));
    const many = tables.samples === 1 ? "1 sample" : `${tables.samples} samples`;
    const title = tables.reduction.title.toLowerCase();
    setText(this.lossNote, title.includes(" over ") ? title : `${title} over ${many}`);
    setText(this.slopeText, resting ? "" : this.slopeSentence(frame));
    if (value !== this.lastShown) {
      this.lastShown = value;
      this.frames += 1;
    }
    Object.assign(this.root.dataset, {
      revision: tables.revision,
      value,
      active: active.name,
      frames: this.frames,
      state: this.phase(),
    });
    this.sliderTexts(frame);
  }

  phase() {
    if (this.playing) return "playing";
    if (this.awaiting) return "waiting";
    if (this.hand.drag) return "dragging";
    return this.restTimer ? "moved" : "ready";
  }

  slopeSentence({ tables, active, position }) {
    if (active.kind !== "line") return `${active.name} is a choice: it has no slope, only one loss for each value.`;
    const [left, right] = Curves.sides(tables, active, position);
    if (left !== right) {
      return `Slope along ${active.name}: ${formatNumber(left)} on the left, ${formatNumber(right)} on the right. A kink.`;
    }
    const way = right > 0 ? "Decrease it to lower the loss." : right < 0 ? "Increase it to lower the loss." : "Flat here.";
    return `Slope along ${active.name}: ${formatNumber(right)}. ${way}`;
  }

  sliderTexts({ tables, row, active }) {
    for (const { sliders } of this.samples.tracks) {
      for (const { handle, element } of sliders) {
        const value = formatNumber(tables.column(row, handle.variable)[handle.flat]);
        const loss = handle === active ? `, loss ${formatNumber(tables.column(row, "value")[0])}` : "";
        setAttribute(element, "aria-valuetext", value + loss);
      }
    }
  }

  /** One summary after a rest. */
  speak() {
    const { tables, row, active } = this;
    const flat = tables.column(row, active.variable)[active.flat];
    const value = active.kind === "line" ? formatNumber(flat) : active.choices[this.positionOf(active)];
    const outcome = tables.path ? this.descent.outcome.textContent : "";
    const text = `${active.name} is ${value}. Loss ${formatNumber(tables.column(row, "value")[0])}. ${this.slopeText.textContent} ${outcome}`;
    setText(this.spoken, text.trim());
  }
}

export default function mount({ parentElement, data, setStateValue }) {
  const { settings, bytes } = openEnvelope(data);
  let root = parentElement.querySelector(".board");
  if (!root) {
    root = make("div.board");
    parentElement.append(root);
    root.board = new Board(root, settings, (message) => root.setState("message", message));
  }
  // Streamlit hands a new function at every run; only the last one names the right run.
  root.setState = setStateValue;
  root.board.receive(new Tables(bytes), settings);
  return () => {
    // Streamlit may clean up between two calls of one mounted board: only a root that is really gone is taken down.
    setTimeout(() => {
      if (!root.isConnected) root.board.destroy();
    });
  };
}
