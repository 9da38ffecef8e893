// The live component: controls, numbers, and two charts that follow a run on the server.

const RATES = [1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
const SAY = 3000; // milliseconds between spoken sentences while a run plays; a screen reader has to get to the end of one
const SETTLED = 400; // milliseconds after which a moment that was wound to is told to the page
const REMOUNT = 3000; // milliseconds in which a component that Streamlit moved goes on playing

// Where runs were left on this page, by name; a run that comes back goes on from there.
const left = new Map();

const byPart = (root) => new Proxy({}, { get: (_, name) => root.querySelector(`[data-part="${name}"]`) });
const plain = (value) => String(Number(value.toPrecision(6)));

function shownNumber(value) {
  if (value === null || value === undefined) return "–";
  const number = Number(value); // "Infinity" and "NaN" come as texts
  if (Number.isNaN(number)) return "not a number";
  if (!Number.isFinite(number)) return number > 0 ? "infinite" : "minus infinite";
  const size = Math.abs(number);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) return number.toExponential(3).replace("e+", "e").replace("-", "−");
  return (size === 0 ? "0" : number.toPrecision(size >= 1e4 ? 6 : 5)).replace("-", "−");
}

function shownMetric(value, metric) {
  if (value === null || value === undefined) return "–";
  const number = Number(value);
  if (!Number.isFinite(number)) return "–";
  if (metric === "r2" && Math.abs(number) >= 100) return shownNumber(number);
  return metric === "accuracy" ? `${(100 * number).toFixed(1)} %` : number.toFixed(3).replace("-", "−");
}

function readTheme(root) {
  const style = getComputedStyle(root);
  const value = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const chart = value("chart-categorical-colors").split(",").map((colour) => colour.trim());
  const points = [chart[0], chart[1], chart[2]];
  return {
    text: value("text-color"), background: value("background-color"), border: value("border-color"),
    grid: `rgba(${rgb(value("text-color")).join()}, 0.14)`, font: value("font"), lines: [chart[0], chart[1], chart[3]], points,
    rgb: Object.assign(points.map(rgb), { background: rgb(value("background-color")) }),
    name: [value("text-color"), value("background-color"), ...chart].join(),
  };
}

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
    this.data = data;
    this.incoming = incoming;
    if (this.charts) {
      this.applyTheme();
      if (asked) this.show();
    }
    if (same) return;
    const was = left.get(data.run);
    this.known = new Set([incoming]);
    this.interventions = data.config.interventions;
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
    this.charts = true;
    this.show();
    this.watchSize();
    const url = new URL(this.data.socket, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.socket = new LiveSocket(url, {
      opening: () => {
        const config = { ...this.data.config, interventions: this.interventions };
        this.open = JSON.stringify(this.panels.open);
        Object.assign(this, { seeking: false, wanted: undefined });
        return [
          { type: "open", config, at: this.at, play: this.playing }, { type: "speed", value: this.speed },
          { type: "panels", open: this.panels.open }, ...(this.sentence ? [{ type: "sentence", text: this.sentence }] : []),
        ];
      },
      receive: (message) => {
        this.queue.push(message);
        this.nextDraw ||= requestAnimationFrame(() => this.drawQueue());
      },
      lost: (text) => this.notice(text),
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
        if ("cut" in message) this.curves.cut(message.cut + 1);
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
      this.model?.end();
      this.model = new Model(this.plotly, { element: parts.model, title: parts["model-title"], legend: parts["model-legend"], words: parts.words, sentence: this.sentence, ask: (text) => this.ask(text) }, this.theme, frame.scene, frame.arrays);
    }
    if (this.fresh) {
      this.panels.begin(frame);
      this.tellPanels();
    }
    this.fresh = false;
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
    this.showMoment(frame);
    this.curves.draw();
    const rest = frame.state === "paused" || frame.state === "finished";
    this.model.draw(frame.arrays, rest);
    this.panels.draw(rest);
    const within = frame.updates - frame.epoch * this.perEpoch;
    parts.epoch.textContent = frame.epoch.toLocaleString("en-GB");
    parts.epochs.textContent = `of ${this.epochs.toLocaleString("en-GB")}${within ? `, batch ${within}/${this.perEpoch}` : ""}`;
    for (const name of ["train_loss", "validation_loss"]) parts[name].textContent = shownNumber(frame.numbers[name]);
    for (const name of ["train_metric", "validation_metric"]) parts[name].textContent = shownMetric(frame.numbers[name], this.metric);
    this.rate = frame.learning_rate;
    this.showRate();
    this.state = frame.state;
    if (frame.state === "replaying") this.say(`${this.seeking ? "Computing this moment again" : "Catching up"}: ${Math.floor(100 * frame.progress)} % of the way to ${this.seeking ? "it" : "where the run was"}.`);
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
    this.seeking = false;
    if (this.wanted !== undefined) return this.wind(this.wanted);
    this.showMoment(this.shownMoment);
    if (this.away) return; // A hidden page goes on when it is seen again; nobody needs to know.
    this.playing = false;
    this.showControls();
    clearTimeout(this.telling);
    if (this.wound) this.telling = setTimeout(() => this.tell(message), SETTLED);
    else this.tell(message);
    this.wound = false;
  }

  changed({ update, kind, value, branched }) {
    this.rate = value;
    const before = branched ? this.interventions.filter((item) => item.update <= update) : this.interventions;
    this.interventions = [...before.filter((item) => item.update !== update), { update, kind, value }].sort((a, b) => a.update - b.update);
    this.showChanges();
    this.showRate();
    if (this.playing) this.tell({ state: "playing", epoch: Number(this.root.dataset.epoch), updates: update, snapshot: null });
  }

  tell({ state, epoch, updates, snapshot }) {
    const text = JSON.stringify(this.interventions);
    const mark = `${state} ${updates} ${text}`;
    // A run that nobody has touched yet is no news.
    const untouched = !this.reported && updates === 0 && text === this.incoming;
    if (untouched || mark === this.reported) return;
    this.reported = mark;
    this.known.add(text);
    this.report({ run: this.data.run, interventions: this.interventions, state, epoch, updates, snapshot });
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
    const slider = parts["rate-slider"];
    slider.min = 0;
    slider.max = RATES.length - 1;
    slider.addEventListener("input", () => {
      parts.rate.value = plain(RATES[slider.value]);
      slider.setAttribute("aria-valuetext", plain(RATES[slider.value]));
      clearTimeout(this.settling);
      this.settling = setTimeout(() => this.setRate(RATES[slider.value]), 250);
    });
    parts.rate.addEventListener("change", () => this.setRate(parts.rate.value === "" ? NaN : Number(parts.rate.value)));
    parts.moment.addEventListener("input", () => this.wind(Number(parts.moment.value)));
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
    if (what === "forget") {
      this.interventions = [];
      this.known.add("[]");
      return this.restart(false);
    }
    if (what === "play") {
      this.playing = !this.playing;
      this.socket?.send({ type: this.playing ? "play" : "pause" });
    } else {
      this.playing = false;
      this.socket?.send({ type: what });
    }
    this.showControls();
  }

  restart(playing) {
    this.at = 0;
    this.playing = playing;
    this.reported ||= "reset";
    this.begin();
  }

  // To the end of an epoch that the run has reached before. One at a time: while the hand moves on, only the latest counts.
  wind(epoch) {
    this.wanted = undefined;
    this.wound = true;
    this.playing = false;
    this.showControls();
    if (this.seeking && this.state !== "replaying") {
      this.wanted = epoch;
      return;
    }
    this.seeking = true;
    this.socket?.send({ type: "wind", at: epoch * this.perEpoch });
  }

  showMoment(shown) {
    const { epoch, known, state } = (this.shownMoment = shown);
    const { moment, "moment-text": text } = this.parts;
    this.curves.moment = epoch < known ? epoch : null;
    const words = (count) => count.toLocaleString("en-GB");
    moment.max = known;
    text.textContent = known ? `epoch ${words(epoch)} of ${words(known)} run` : "nothing run yet";
    if (this.seeking || state === "replaying") return; // the hand leads
    moment.value = epoch;
    moment.setAttribute("aria-valuetext", `Epoch ${words(epoch)} of ${words(known)} run`);
  }

  setRate(value) {
    clearTimeout(this.settling);
    if (!(value > 0 && value <= 100)) {
      this.showRate(true);
      return this.notice("The learning rate is a number above 0, up to 100.");
    }
    this.notice("");
    if (value !== this.rate) this.socket?.send({ type: "learning_rate", value });
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
      root.querySelector(`[data-act="${act}"]`).setAttribute("aria-disabled", String(over));
    }
  }

  showRate(force) {
    const { rate, "rate-slider": slider } = this.parts;
    // A schedule changes the rate all the time; what somebody types or drags stays.
    if (!force && (this.shownRate === this.rate || [rate, slider].includes(document.activeElement))) return;
    this.shownRate = this.rate;
    rate.value = plain(this.rate);
    const nearest = RATES.reduce((best, value, index) =>
      (Math.abs(Math.log(value / this.rate)) < Math.abs(Math.log(RATES[best] / this.rate)) ? index : best), 0);
    slider.value = nearest;
    slider.setAttribute("aria-valuetext", plain(this.rate));
  }

  showChanges() {
    const { parts, interventions } = this;
    parts.changes.hidden = interventions.length === 0;
    if (!interventions.length) return;
    const shown = interventions.slice(-3).map(({ update, value }) => `${plain(value)} from update ${(update + 1).toLocaleString("en-GB")}`);
    const more = interventions.length > 3 ? `${interventions.length - 3} earlier changes, then ` : "";
    parts["changes-text"].textContent = `Learning rate changed: ${more}${shown.join(", ")}. Reset keeps this.`;
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
    clearTimeout(this.settling);
    clearTimeout(this.telling);
    this.sizes?.disconnect();
    this.socket?.end();
    this.model?.end();
    this.panels?.end();
    if (this.charts) this.plotly.purge(this.parts.curves);
  }
}

export default function live(component) {
  return mounted(component, ".lv-live", Live);
}
