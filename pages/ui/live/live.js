// The live component: controls, numbers, and two charts that follow a run on the server.

const SAY = 3000; // milliseconds between spoken sentences while a run plays; a screen reader has to get to the end of one
const SETTLED = 400; // milliseconds after which a moment that was wound to is told to the page
const REMOUNT = 3000; // milliseconds in which a component that Streamlit moved goes on playing

// Where runs were left on this page, by name; a run that comes back goes on from there.
const left = new Map();

class Live {
  constructor(root) {
    this.root = root;
    this.parts = byPart(root);
    this.queue = [];
    this.frames = 0;
    this.speed = 25;
    this.said = 0;
    this.zoomed = false;
    this.reported = "";
    this.told = new Set(); // what of the charts was shown when the page was told
    this.rate = new RateControl(this.parts.rate, this.parts["rate-slider"], (text) => this.notice(text), (value) => {
      this.past.push(this.interventions);
      this.socket?.send({ type: "learning_rate", value });
    });
    this.listen();
  }

  // New data of the page: the same run with its own interventions goes on, another one begins.
  take({ data, setStateValue }) {
    this.report = (message) => setStateValue("message", message);
    this.setShown = (shown) => setStateValue("shown", shown);
    const shown = JSON.stringify(data.shown);
    const asked = shown !== this.shown && !this.told.has(shown);
    this.shown = shown;
    const incoming = JSON.stringify(data.config.interventions);
    const same = this.data && this.data.run === data.run && (incoming === this.incoming || this.known.has(incoming));
    if (this.data && this.data.run !== data.run) this.leave();
    this.data = data;
    this.incoming = incoming;
    if (this.charts) {
      this.applyTheme();
      if (asked) this.show();
    }
    if (same) return;
    clearTimeout(this.telling);
    this.unheard = null;
    const was = left.get(data.run);
    this.known = new Set([incoming]);
    this.interventions = data.config.interventions;
    this.past = []; // changes as they were before each of the latest ones
    this.reported = "";
    this.at = data.at;
    this.playing = false;
    if (was && was.known.has(incoming)) {
      Object.assign(this, { known: was.known, interventions: was.interventions, at: was.at });
      this.playing = was.playing && performance.now() - was.when < REMOUNT;
    }
    this.begin();
  }

  async begin() {
    const { own } = this.data;
    this.points = own ? ownPoints(own, () => !this.gone && this.data.own === own && this.begin()) : null;
    if (this.points === undefined) return; // it comes in an element of its own, perhaps after this one
    this.fresh = true;
    this.showControls();
    this.showChanges();
    if (this.socket) return this.socket.reopen();
    try {
      this.plotly = await loadPlotly(this.data.plotly);
    } catch {
      return this.notice("The charts could not be loaded. Reload the page to try again.");
    }
    if (this.socket || this.gone) return;
    this.theme = readTheme(this.root);
    const { parts } = this;
    this.curves = new Curves(this.plotly, parts.curves, parts["curve-legend"], this.theme, (on) => {
      this.zoomed = on;
      this.root.querySelector('[data-act="zoom"]').hidden = !on;
    });
    this.panels = new Panels(this.plotly, { chips: parts.chips, holder: parts.panels, images: parts.images }, this.theme, this.curves, () => {
      this.tellPanels();
      this.tellShown();
    });
    this.editor = new PointEditor({ plot: parts.model, edit: parts.edit, fold: parts.fold, status: parts["point-status"] }, {
      send: (message) => this.socket.send(message),
      begin: () => this.past.push(this.interventions),
      end: () => this.settled(),
      playing: () => this.playing,
    });
    this.charts = true;
    this.show();
    this.watchSize();
    const url = new URL(this.data.socket, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.socket = new LiveSocket(url, {
      opening: () => {
        const config = { ...this.data.config, interventions: this.interventions };
        this.open = JSON.stringify(this.panels.open);
        this.moment.begin();
        return [
          ...(this.points ? [this.points] : []),
          { type: "open", config, at: this.at, play: this.playing }, { type: "speed", value: this.speed },
          { type: "panels", open: this.panels.open }, ...(this.sentence ? [{ type: "sentence", text: this.sentence }] : []),
        ];
      },
      receive: (message) => {
        this.queue.push(message);
        this.nextDraw ||= requestAnimationFrame(() => this.drawQueue());
      },
      lost: (text) => {
        this.notice(text);
        if (!text) return;
        this.editor.answered(false);
        this.rate.show(this.rate.rate, true); // a refused rate does not stand
      },
    });
  }

  // One picture for all frames that have come, then the word to the server that they have been seen.
  drawQueue() {
    this.nextDraw = 0;
    let seen = 0;
    let newest;
    for (const message of this.queue.splice(0)) {
      if (message.type === "frame") {
        seen = message.frame;
        if (message.run !== this.socket.runs) continue; // still about the run before this one
        if (message.whole) this.takeScene(message);
        else if (message.scene) this.editor.arrange(message.scene, message.arrays);
        if ("cut" in message) this.curves.cut(message.cut + 1);
        if (message.anew) this.curves.clear(this.epochs, message.scene.samples.validation > 0);
        this.curves.append(message.arrays.curves);
        this.panels.take(message);
        newest = message;
      } else if (message.run === this.socket.runs) {
        if (newest) this.draw(newest);
        newest = undefined;
        if (message.type === "rest") this.rest(message);
        else if (message.type === "sentence") this.model?.texts?.answer(message.problem);
        else this.changed(message);
      }
    }
    if (newest) this.draw(newest);
    if (seen) this.socket.send({ type: "ack", frame: seen });
  }

  takeScene(frame) {
    this.epochs = frame.epochs;
    this.metric = frame.metric;
    const { parts } = this;
    const hasValidation = frame.scene.samples.validation > 0;
    if (this.fresh) {
      this.curves.clear(frame.epochs, hasValidation);
      this.curves.refresh();
      this.curves.showAll();
      if (this.goesOn) this.editor.arrange(frame.scene, frame.arrays);
      else this.model?.end();
      if (!this.goesOn) this.model = new Model(this.plotly, { element: parts.model, title: parts["model-title"], legend: parts["model-legend"], words: parts.words, sentence: this.sentence, ask: (text) => this.ask(text) }, this.theme, frame.scene, frame.arrays);
      this.panels.begin(frame);
      this.tellPanels();
      if (!this.goesOn) this.editor.follow(this.model);
      this.showChanges(); // points have names now
    } else this.editor.arrange(frame.scene, frame.arrays);
    this.editor.connected();
    this.fresh = this.goesOn = false;
    parts.gap.hidden = !hasValidation;
    const accuracy = frame.metric === "accuracy";
    parts.metric.textContent = accuracy ? "Training accuracy" : "Training R²";
    parts["validation-metric"].textContent = accuracy ? "Validation accuracy" : "Validation R²";
    for (const name of ["validation_loss", "validation_metric"]) parts[name].parentElement.hidden = !hasValidation;
    parts.epochs.textContent = `of ${frame.epochs.toLocaleString("en-GB")}`;
    this.perEpoch = frame.updates_per_epoch;
  }

  draw(frame) {
    const { parts, root } = this;
    this.frames += 1;
    if (frame.state !== "replaying") this.at = frame.updates;
    this.curves.moment = frame.epoch < frame.known ? frame.epoch : null;
    this.moment.show(frame);
    this.curves.draw();
    const rest = frame.state === "paused" || frame.state === "finished";
    this.model.draw(frame.arrays, rest);
    this.editor.place();
    this.panels.draw(rest);
    const within = frame.updates - frame.epoch * this.perEpoch;
    parts.epoch.textContent = frame.epoch.toLocaleString("en-GB");
    parts.epochs.textContent = `of ${this.epochs.toLocaleString("en-GB")}${within ? `, batch ${within}/${this.perEpoch}` : ""}`;
    for (const name of ["train_loss", "validation_loss"]) parts[name].textContent = shownNumber(frame.numbers[name]);
    for (const name of ["train_metric", "validation_metric"]) parts[name].textContent = shownMetric(frame.numbers[name], this.metric);
    this.rate.show(frame.learning_rate);
    const first = !this.state;
    this.state = frame.state;
    if (first) this.showControls(); // before the first frame nobody would hear of a step
    if (frame.state === "replaying") this.say(this.moment.replaying(frame.progress));
    else this.say(frame.sentence, frame.state !== "playing" || frame.kind !== this.kind);
    this.kind = frame.kind;
    Object.assign(root.dataset, { epoch: frame.epoch, updates: frame.updates, frames: this.frames, state: frame.state });
  }

  say(sentence, now) {
    const { sentence: shown, spoken } = this.parts;
    if (shown.textContent !== sentence) shown.textContent = sentence;
    if (spoken.textContent === sentence || (!now && performance.now() - this.said < SAY)) return;
    this.said = performance.now();
    spoken.textContent = sentence;
  }

  // A sentence of the learner, for a model that reads texts; the next run reads it too.
  ask(text) {
    this.sentence = text;
    this.socket?.send({ type: "sentence", text });
  }

  rest(message) {
    if (message.orders < this.socket.orders) return; // from before the last press of a button
    this.state = message.state;
    this.root.dataset.state = message.state;
    this.panels.draw(true); // the last frame may have come while the run played
    this.say(message.sentence, true);
    if (this.moment.arrived()) return;
    if (this.away) return; // A hidden page goes on when it is seen again; nobody needs to know.
    this.playing = false;
    this.showControls();
    clearTimeout(this.telling);
    this.unheard = message;
    if (this.wound) this.telling = setTimeout(() => this.settled(), SETTLED);
    else this.settled();
    this.wound = false;
  }

  // A change stands; or it cannot in a run that has ended, which begins anew with it.
  changed({ type, kind, value, interventions }) {
    this.interventions = interventions;
    this.known.add(JSON.stringify(interventions));
    this.showChanges();
    if (type === "anew") {
      this.notice("The run had ended. It begins anew with the points as they are now.");
      this.goesOn = true;
      this.restart(true);
    } else if (kind === "learning_rate") {
      this.rate.show(value);
    }
    this.editor.answered(true);
    if (this.playing) this.unheard = { state: "playing", epoch: Number(this.root.dataset.epoch), updates: Number(this.root.dataset.updates), snapshot: null };
    this.settled();
  }

  // Tells the page what it has not heard yet, but not while a point is still on its way.
  settled() {
    const { unheard, editor } = this;
    if (!unheard || editor.moving || editor.waiting || editor.queue.length) return;
    this.unheard = null;
    this.tell(unheard);
  }

  tell({ state, epoch, updates, snapshot }) {
    const text = JSON.stringify(this.interventions);
    const mark = `${state} ${updates} ${text}`;
    // A run that nobody has touched yet is no news.
    const untouched = !this.reported && updates === 0 && text === this.incoming;
    if (untouched || mark === this.reported) return;
    this.reported = mark;
    this.known.add(text);
    this.reports = (this.reports ?? 0) + 1; // tells this report from an equal one
    this.report({ run: this.data.run, interventions: this.interventions, state, epoch, updates, snapshot, number: this.reports });
  }

  // A run that gives way to another says how far it came.
  leave() {
    const { epoch, updates } = this.root.dataset;
    if (this.fresh || !this.state) return; // nothing of it has been seen
    const state = this.state === "finished" ? "finished" : "paused";
    this.tell({ state, epoch: Number(epoch), updates: Number(updates), snapshot: null });
  }

  // What of the charts and panels is shown: names, as the page keeps them in its link.

  show() {
    const names = new Set(this.data.shown);
    for (const box of this.options) {
      if (box.checked === names.has(box.dataset.option)) continue;
      box.checked = !box.checked;
      this.curves.set(box.dataset.option, box.checked);
    }
    this.panels.want(this.data.shown.filter((name) => name in PANELS));
    this.tellPanels();
  }

  tellPanels() {
    const open = JSON.stringify(this.panels.open);
    if (open === this.open) return;
    this.open = open;
    this.socket?.send({ type: "panels", open: this.panels.open });
  }

  tellShown() {
    const options = this.options.filter((box) => box.checked).map((box) => box.dataset.option);
    const shown = [...options, ...this.panels.wanted];
    this.told.add(JSON.stringify(shown));
    this.setShown(shown);
  }

  // What the learner does

  listen() {
    const { root, parts } = this;
    root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-act]");
      if (button && button.getAttribute("aria-disabled") !== "true") this.act(button.dataset.act);
    });
    parts.speed.addEventListener("change", () => {
      this.speed = parts.speed.value === "" ? null : Number(parts.speed.value);
      this.socket?.send({ type: "speed", value: this.speed });
    });
    this.moment = new Moment(parts.moment, parts["moment-text"], (epoch) => this.wind(epoch));
    this.options = [...root.querySelectorAll("[data-option]")];
    for (const box of this.options) {
      box.addEventListener("change", () => {
        this.curves?.set(box.dataset.option, box.checked);
        this.tellShown();
      });
    }
    this.onVisible = () => this.visible(document.visibilityState === "visible");
    document.addEventListener("visibilitychange", this.onVisible);
  }

  act(what) {
    if (what === "zoom") return this.curves.showAll();
    this.notice("");
    if (what === "play" && this.state === "finished") return this.restart(true);
    if (what === "reset") return this.restart(false);
    if (what === "forget" || what === "undo") return this.forget(what === "undo");
    if (what === "play") {
      this.playing = !this.playing;
      this.socket?.send({ type: this.playing ? "play" : "pause" });
    } else {
      this.playing = false;
      this.socket?.send({ type: what });
    }
    this.showControls();
  }

  // All changes, which begins anew; or the latest, and the run is computed again to where it stands.
  forget(latest) {
    this.interventions = latest ? this.past.pop() ?? this.interventions.slice(0, -1) : [];
    this.known.add(JSON.stringify(this.interventions));
    this.reported ||= "undone";
    if (latest) return this.begin();
    this.past = [];
    return this.restart(false);
  }

  restart(playing) {
    this.at = 0;
    this.playing = playing;
    this.reported ||= "reset";
    this.begin();
  }

  wind(epoch) {
    this.wound = true;
    this.playing = false;
    this.showControls();
    this.socket?.send({ type: "wind", at: epoch * this.perEpoch });
  }

  visible(seen) {
    if (!seen && this.playing) {
      this.away = true;
      this.socket?.send({ type: "pause" });
    } else if (seen && this.away) {
      this.socket?.send({ type: "play" });
      requestAnimationFrame(() => { this.away = false; });
    }
  }

  // What the controls show

  showControls() {
    const { root, parts } = this;
    const over = this.state === "finished" && !this.fresh;
    root.toggleAttribute("data-playing", this.playing);
    parts["play-label"].textContent = this.playing ? "Pause" : over ? "Replay" : "Play";
    for (const act of ["step", "epoch"]) {
      root.querySelector(`[data-act="${act}"]`).setAttribute("aria-disabled", String(over || !this.state));
    }
  }

  showChanges() {
    const { parts, interventions } = this;
    parts.changes.hidden = interventions.length === 0;
    if (interventions.length) parts["changes-text"].textContent = changesInWords(interventions, this.model?.scene);
  }

  notice(text) {
    const { notice } = this.parts;
    notice.hidden = !text;
    if (notice.textContent !== text) notice.textContent = text;
  }

  applyTheme() {
    // The variables on the element change in the same turn as the data; read them once they stand.
    requestAnimationFrame(() => {
      if (this.gone) return;
      const theme = readTheme(this.root);
      if (theme.name === this.theme.name) return;
      this.theme = theme;
      this.curves.setTheme(theme);
      this.model?.setTheme(theme);
      this.panels.setTheme(theme);
    });
  }

  watchSize() {
    let width = this.root.clientWidth;
    this.sizes = new ResizeObserver(() => {
      if (this.root.clientWidth === width || !this.root.isConnected || !this.root.clientWidth) return;
      width = this.root.clientWidth;
      this.plotly.Plots.resize(this.parts.curves);
      this.model?.resize();
      if (this.model) this.editor.place();
      this.panels.resize();
    });
    this.sizes.observe(this.root);
  }

  end() {
    this.gone = true;
    if (this.data) {
      const { known, interventions, at, playing } = this;
      left.set(this.data.run, { known, interventions, at, playing, when: performance.now() });
    }
    document.removeEventListener("visibilitychange", this.onVisible);
    cancelAnimationFrame(this.nextDraw);
    this.rate.end();
    clearTimeout(this.telling);
    this.sizes?.disconnect();
    this.socket?.end();
    this.model?.end();
    this.editor?.gone();
    this.panels?.end();
    if (this.charts) this.plotly.purge(this.parts.curves);
  }
}

export default function live(component) {
  return mounted(component, ".lv-live", Live);
}
