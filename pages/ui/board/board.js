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
    this.awaiting = null; // {handle, values, sequence}: a message that changes the state and is not answered
    this.loading = null; // {name, sequence}: a handle whose table was asked for
    this.asked = new Set(); // handles asked for in this state
    this.wanted = null; // a handle to ask for when nothing else is on its way
    this.pending = null; // tables that came at a moment when nothing may move
    this.queue = [];
    this.playing = false;
    this.frames = 0;
    this.lossText = make("output.loss-number", { "aria-live": "off" });
    this.lossNote = make("span.loss-note");
    this.slopeText = make("p.slope");
    this.spoken = make("div.spoken", { role: "status", "aria-live": "polite" });
    this.curves = new Curves(this);
    this.descent = new Descent(this, settings.learning_rate);
    this.place = { scene: make("div"), worked: make("div") };
    root.append(
      make(
        "div.summary",
        {},
        make("div.loss", {}, make("span.caption", {}, "Loss"), this.lossText, this.lossNote),
        this.slopeText,
      ),
      make("div.columns", {}, make("div.main", {}, this.place.scene, this.descent.element), this.curves.element),
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
    tables.answers = settings.answers ?? 0;
    const newest = this.pending ?? this.tables;
    if (newest && tables.revision <= newest.revision) return;
    const stale = this.awaiting && tables.answers < this.awaiting.sequence;
    if (stale || this.hand.drag?.moving || this.restTimer) this.pending = tables;
    else this.adopt(tables);
  }

  adopt(tables) {
    const structure = tables.structure();
    if (this.tables && !this.awaiting) tables.inherit(this.tables);
    if (this.awaiting || structure !== this.structure) this.asked.clear();
    this.tables = tables;
    this.overlay = this.awaiting = this.pending = null;
    if (this.loading && tables.answers >= this.loading.sequence) this.loading = null;
    clearTimeout(this.giveUpTimer);
    this.row = tables.row();
    this.active = tables.byName.get(this.memory.active) ?? tables.handles[0];
    if (structure !== this.structure) this.build(structure);
    else this.renew();
    this.showHeld(tables.path ? tables.path.rows - 1 : null);
    this.playing = this.descent.start(tables, !tables.playedBefore && this.memory.played !== tables.revision);
    if (tables.path) this.memory.played = tables.revision;
    this.render();
    const queue = this.queue;
    this.queue = [];
    for (const action of queue) action();
    this.want(this.active);
    const wanted = this.wanted && tables.byName.get(this.wanted);
    this.wanted = null;
    if (wanted) this.want(wanted);
  }

  /** The elements stay; the handles behind them are those of the new tables. */
  renew() {
    const { byName } = this.tables;
    for (const part of [...this.scene.parts, ...this.scene.sliders]) {
      if (part.handle) part.handle = byName.get(part.handle.name);
    }
    for (const surface of this.scene.surfaces) surface.renew(this.tables);
  }

  build(structure) {
    this.structure = structure;
    const { tables } = this;
    const lost = document.activeElement === document.body ? this.memory.focus : null;
    const focus = this.focusKey(this.root.getRootNode().activeElement) ?? lost;
    this.scene = makeScene(this, tables);
    this.worked = new Worked(tables);
    this.place.scene.replaceChildren(this.scene.element);
    this.place.worked.replaceChildren(this.worked.element);
    this.measure();
    if (focus) this.focus(focus);
  }

  measure() {
    if (!this.tables) return;
    this.scene.measure();
    this.curves.measure();
    this.schedule();
  }

  // Focus, which must survive that elements are made anew

  focusKey(element) {
    if (!element || !this.root.contains(element)) return null;
    const { handle, field, control, axis } = element.dataset;
    const kind = handle ? "handle" : field ? "field" : control ? "control" : null;
    return kind && { kind, name: element.dataset[kind], axis };
  }

  focus({ kind, name, axis }) {
    const found = [...this.root.querySelectorAll(`[data-${kind}]`)].filter(
      ({ dataset }) => dataset[kind] === name && dataset.axis === axis,
    );
    const target = found.find((element) => element.checked) ?? found[0] ?? this.root.querySelector("[data-control]");
    target.focus({ preventScroll: true });
  }

  // The present state

  /** Whether a handle must wait: its tables hold only while all other handles stand where they stood. */
  waitsFor(handle) {
    if (!handle.loaded) return true;
    if (this.awaiting && this.awaiting.handle !== handle.name) return true;
    return this.overlay !== null && this.overlay.handle !== handle;
  }

  /** Does it now, or when the tables for it have come. */
  whenReady({ name }, action, tries = 3) {
    if (this.playing) this.stopPlaying();
    const handle = this.tables.byName.get(name);
    if (!handle || !tries) return;
    this.activate(handle);
    if (this.waitsFor(handle)) this.commit();
    if (!this.waitsFor(handle)) {
      action(handle);
      return;
    }
    if (!this.awaiting) this.load(handle);
    this.queue.push(() => this.whenReady(handle, action, tries - 1));
    this.schedule();
  }

  /** Asks for the table of a handle once it is quiet, unless it is there or was asked for. */
  want(handle) {
    if (handle.loaded || this.asked.has(handle.name)) return;
    const busy = this.awaiting || this.overlay || this.loading || this.playing || this.hand.drag;
    if (busy) this.wanted = handle.name;
    else this.load(handle);
  }

  load({ name }) {
    if (this.loading?.name === name) return;
    this.asked.add(name);
    this.loading = { name, sequence: this.post("load", { handle: name }) };
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
    this.showHeld(null);
    this.schedule();
  }

  /** One or more positions on, of a plane along both axes; the new state is sent when the keys rest. */
  nudge(handle, dx, dy = 0) {
    this.whenReady(handle, (ready) => {
      const { tables } = this;
      const by = [dx, dy];
      const [ix, iy] = tables
        .indices(ready, this.positionOf(ready))
        .map((index, axis) => Math.min(Math.max(index + by[axis], 0), ready.counts[axis] - 1));
      this.moveTo(ready, ready.kind === "plane" ? tables.positionIndex(ready, ix, iy) : ix);
      this.rest();
    });
  }

  choose(handle, position) {
    this.whenReady(handle, (ready) => {
      this.moveTo(ready, position);
      this.commit();
    });
  }

  /** A position that was typed, [t] or [tx, ty]; it may lie between the positions or beyond the axis. */
  enter(handle, t) {
    this.activate(handle);
    this.act("place", { handle: handle.name, t });
  }

  /** Gives some numbers of a variable one value. */
  paint(variable, flats, value) {
    this.act("paint", { variable, flats, value });
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
    const { pending, awaiting } = this;
    if (!this.overlay) {
      if (pending && !awaiting) this.adopt(pending);
      return;
    }
    if (pending && !pending.fits(this.tables)) {
      this.adopt(pending);
      return;
    }
    const sent = awaiting?.values ?? this.tables.values(this.tables.row());
    if (JSON.stringify(this.values()) !== JSON.stringify(sent)) this.sendState("move", this.overlay.handle.name);
    else if (pending && (!awaiting || pending.answers >= awaiting.sequence)) this.adopt(pending);
    else if (!awaiting) {
      this.overlay = null;
      this.schedule();
    }
  }

  /** Takes a drag back. */
  restore(overlay) {
    this.overlay = overlay;
    this.commit();
    this.schedule();
  }

  /** A button: what was moved goes first, and the action when that is answered. */
  act(action, more = {}) {
    if (this.playing) this.stopPlaying();
    this.commit();
    if (this.awaiting) this.queue.push(() => this.act(action, more));
    else this.sendState(action, null, more);
  }

  /** The numbers as shown. */
  values() {
    return this.tables.values(this.tables.row(this.overlay?.handle, this.overlay?.position));
  }

  /** Sends what changes the state: until it is answered only the moved handle can move on. */
  sendState(action, handle, more = {}) {
    const values = this.values();
    this.awaiting = { handle, values, sequence: this.post(action, more) };
  }

  post(action, more) {
    const sequence = Math.max((this.memory.sequence ?? 0) + 1, Date.now());
    this.memory.sequence = sequence;
    const { revision } = this.tables;
    this.send({ seq: sequence, revision, action, active: this.active.name, values: this.values(), ...more });
    clearTimeout(this.giveUpTimer);
    this.giveUpTimer = setTimeout(() => this.giveUp(), GIVE_UP);
    this.schedule();
    return sequence;
  }

  /** No answer came: what is known stands. */
  giveUp() {
    this.loading = null;
    if (this.hand.drag?.moving) this.awaiting = null;
    else this.adopt(this.pending ?? this.tables);
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
        this.showHeld(state);
        this.show();
        this.schedule();
        return;
      }
    }
    this.render();
  }

  stopPlaying() {
    this.playing = false;
    this.showHeld(this.tables.path.rows - 1);
    this.descent.end();
    this.render();
    this.want(this.active);
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

  /** Notes which predictions the domain held back in a state of the path; none where no path is shown. */
  showHeld(state) {
    const projected = state === null ? {} : this.tables.path.projected[state];
    const sets = new Map(Object.entries(projected).map(([name, flats]) => [name, new Set(flats)]));
    this.held = (variable, flat) => sets.get(variable)?.has(flat) ?? false;
  }

  show() {
    const { tables, row, active, held } = this;
    const resting = this.playing || !active.loaded || (this.overlay !== null && this.overlay.handle !== active);
    const frame = { tables, row, active, held, resting, position: this.positionOf(active) };
    this.scene.update(frame);
    this.curves.update(frame);
    this.worked.update(frame);
    const value = tables.column(row, "value")[0];
    setText(this.lossText, formatNumber(value));
    setText(this.lossNote, reductionNote(tables));
    setText(this.slopeText, resting ? "" : slopeSentence(frame, this.scene.down));
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
    for (const slider of this.scene.sliders) this.showSlider(slider, frame);
  }

  phase() {
    if (this.playing) return "playing";
    if (this.awaiting) return "waiting";
    if (this.hand.drag) return this.hand.drag.moving ? "dragging" : "waiting";
    if (this.restTimer) return "moved";
    return this.loading ? "waiting" : "ready";
  }

  showSlider({ handle, element, axis = 0, at }, { tables, row, active }) {
    const value = at ? at(tables, row, handle)[axis] : tables.coordinate(row, handle, this.positionOf(handle), axis);
    const loss = handle === active ? `, loss ${formatNumber(tables.column(row, "value")[0])}` : "";
    setAttribute(element, "aria-valuemin", handle.low[axis]);
    setAttribute(element, "aria-valuemax", handle.high[axis]);
    setAttribute(element, "aria-valuenow", Number(value.toPrecision(12)));
    setAttribute(element, "aria-valuetext", formatNumber(value) + loss);
    element.classList.toggle("waiting", this.waitsFor(handle));
  }

  /** One summary after a rest. */
  speak() {
    const { tables, row, active } = this;
    const outcome = tables.path ? this.descent.outcome.textContent : "";
    const told = summary(tables, row, active, this.positionOf(active));
    setText(this.spoken, `${told} ${this.slopeText.textContent} ${outcome}`.trim());
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
