// The race component: controls, charts and table that follow a race on the server.

const RACE_SAY = 3000; // milliseconds between spoken sentences while a race is under way
const RACE_REMOUNT = 3000; // milliseconds in which a component that Streamlit moved goes on playing
const RACE_PAUSE = 45; // least milliseconds between two pictures; drawing takes half of the time at most

// Where races were left on this page, by name.
const racesLeft = new Map();

class RaceView {
  constructor(root) {
    this.root = root;
    this.parts = new Proxy({}, { get: (_, name) => root.querySelector(`[data-part="${name}"]`) });
    Object.assign(this, { queue: [], frames: 0, speed: 25, said: 0, playing: false, at: 0, nextPicture: 0 });
    this.listen();
  }

  take({ data, setTriggerValue }) {
    const same = this.data?.race === data.race;
    this.data = data;
    this.openRacer = (racer) => setTriggerValue("open", racer);
    if (this.curves) this.applyTheme();
    if (same) {
      if (this.ready) this.applyChoice();
      return;
    }
    const was = racesLeft.get(data.race);
    this.at = was ? was.at : 0;
    this.playing = Boolean(was?.playing && performance.now() - was.when < RACE_REMOUNT);
    this.begin();
  }

  async begin() {
    const { own } = this.data;
    this.points = own ? ownPoints(own, () => !this.gone && this.data.own === own && this.begin()) : null;
    if (this.points === undefined) return; // it comes in an element of its own, perhaps after this one
    Object.assign(this, { fresh: true, ready: false, newest: undefined, shown: undefined, state: "connecting" });
    this.root.dataset.state = "connecting";
    this.notice("");
    this.showControls();
    if (this.socket) return this.socket.reopen();
    try {
      this.plotly = await loadPlotly(this.data.plotly);
    } catch {
      return this.notice("The charts could not be loaded. Reload the page to try again.");
    }
    if (this.socket || this.gone) return;
    const { parts, plotly } = this;
    this.theme = raceTheme(this.root);
    this.curves = new RaceCurves(plotly, { element: parts.curves, labels: parts.labels, remark: parts.remark }, this.theme);
    this.curves.onMark = (racer) => this.mark(racer);
    this.sweep = new RaceSweep(plotly, parts.sweep, this.theme);
    this.table = new RaceTable(parts.table, (racer) => this.mark(racer));
    this.watchSize();
    const url = new URL(this.data.socket, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.socket = new LiveSocket(url, {
      opening: () => [
        ...(this.points ? [this.points] : []),
        { type: "open", ...this.data.opening, at: this.at, play: this.playing }, { type: "speed", value: this.speed },
      ],
      receive: (message) => {
        this.queue.push(message);
        this.nextTurn ||= requestAnimationFrame(() => this.turn());
      },
      lost: (text) => this.notice(text),
    });
  }

  // Everything that has come is taken in and acknowledged at once; a picture of it is drawn when it is time for one.
  turn() {
    this.nextTurn = 0;
    let seen = 0;
    for (const message of this.queue.splice(0)) {
      if (message.type === "frame") {
        seen = message.frame;
        if (message.run !== this.socket.runs) continue; // still about the race before this one
        if (message.whole) this.takeWhole(message);
        this.curves.append(message.first, message.arrays.rows);
        this.newest = message;
        if (message.state !== "playing" && message.state !== "replaying") this.nextPicture = 0;
      } else if (message.run === this.socket.runs && message.type === "rest") this.rest(message);
    }
    if (seen) this.socket.send({ type: "ack", frame: seen });
    if (!this.newest || !this.ready) return;
    const begun = performance.now();
    if (begun >= this.nextPicture) {
      const frame = this.newest;
      this.newest = undefined;
      this.draw(frame);
      const now = performance.now();
      this.nextPicture = now + Math.max(RACE_PAUSE, now - begun);
    } else this.nextTurn ||= requestAnimationFrame(() => this.turn());
  }

  takeWhole(frame) {
    const { data, parts } = this;
    this.epochs = frame.epochs;
    if (!this.fresh) return;
    this.fresh = false;
    this.ready = true;
    this.root.toggleAttribute("data-sweep", Boolean(data.rates));
    this.root.style.setProperty("--rc-rows", data.racers.length);
    parts["sweep-figure"].hidden = !data.rates;
    const names = data.racers.map(({ name }) => name);
    this.curves.measure = data.measure;
    this.curves.log = data.log;
    this.curves.marked = null;
    this.curves.begin({ names, epochs: frame.epochs, metric: data.metric, part: data.part, band: data.band });
    if (data.rates) this.sweep.begin({ rates: data.rates, limit: data.limit, part: data.part, names });
    this.table.begin(data, this.theme);
    parts.epochs.textContent = `of ${frame.epochs.toLocaleString("en-GB")}`;
    parts.time.textContent = frame.groups === 1
      ? "Time is what the server computed for this race, up to the racer's end. All racers are computed together, as one batched model, so they share it."
      : `Time is what the server computed for the racer's group, up to its end. Racers of one form are computed together, as one batched model, and share theirs; here are ${frame.groups} forms.`;
    this.applyChoice();
  }

  // What the race is ranked and drawn on.
  applyChoice() {
    const { data, parts } = this;
    const what = data.measure === "loss" ? "loss" : data.metric === "accuracy" ? "accuracy" : "R²";
    const part = data.part === "validation" ? "Validation" : "Training";
    parts["curve-title"].textContent = `${part} ${what} by epoch`;
    parts.curves.setAttribute("aria-label", `${part} ${what} of every racer by epoch. The table below gives the latest values.`);
    parts.legend.hidden = !data.band;
    parts.limit.hidden = !data.limit;
    if (data.limit) parts.limit.textContent = `Dashed line: largest stable rate, ${data.limit.toFixed(6)}`;
    this.curves.show(data.measure, data.log);
    this.table.heads(data.measure, data.mixed);
    if (this.shown) this.draw(this.shown);
  }

  draw(frame) {
    const { parts, root, data } = this;
    this.frames += 1;
    this.shown = frame;
    if (frame.state !== "replaying") this.at = frame.epoch;
    this.curves.draw();
    if (data.rates) {
      const own = frame.standings.loss;
      this.sweep.set(own.map((item, racer) => (frame.epoch ? Number(item[4] ?? NaN) : this.curves.value(0, racer, 1))), own.map((item) => item[5]));
      if (parts["sweep-sentence"].textContent !== frame.sweep.sentence) parts["sweep-sentence"].textContent = frame.sweep.sentence;
    }
    this.table.draw(frame);
    parts.epoch.textContent = frame.epoch.toLocaleString("en-GB");
    parts.bar.value = this.epochs ? frame.epoch / this.epochs : 0;
    this.state = frame.state;
    const sentence = frame.state === "replaying"
      ? `Catching up: ${Math.floor(100 * frame.progress)} % of the way to where the race was.`
      : frame.sentences[data.measure] ?? frame.sentences.metric;
    this.say(sentence, frame.state === "paused" || frame.state === "finished");
    this.showControls();
    Object.assign(root.dataset, { epoch: frame.epoch, frames: this.frames, state: frame.state });
  }

  mark(racer) {
    if (!this.ready || !this.curves.mark(racer)) return;
    this.table.mark(racer);
    if (this.state !== "playing") this.curves.draw();
  }

  say(sentence, now) {
    const { sentence: shown, spoken } = this.parts;
    if (shown.textContent !== sentence) shown.textContent = sentence;
    if (spoken.textContent === sentence || (!now && performance.now() - this.said < RACE_SAY)) return;
    this.said = performance.now();
    spoken.textContent = sentence;
  }

  rest(message) {
    if (message.orders < this.socket.orders) return; // from before the last press of a button
    this.state = message.state;
    if (this.shown) this.shown = { ...this.shown, state: message.state };
    if (this.newest) this.newest.state = message.state;
    else if (this.shown && this.ready) this.table.draw(this.shown);
    this.root.dataset.state = message.state;
    if (this.away) return; // A hidden page goes on when it is seen again.
    this.playing = false;
    this.showControls();
  }

  listen() {
    const { root, parts } = this;
    root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-act]");
      if (button) this.act(button.dataset.act);
      // A link leads to a session that has not been given the data; the page itself takes its own data along.
      const plain = !event.ctrlKey && !event.metaKey;
      const link = this.data.own && plain && event.target.closest("tr[data-racer] a");
      if (!link) return;
      event.preventDefault();
      this.openRacer(Number(link.closest("tr").dataset.racer));
    });
    parts.speed.addEventListener("change", () => {
      this.speed = parts.speed.value === "" ? null : Number(parts.speed.value);
      this.socket?.send({ type: "speed", value: this.speed });
    });
    this.onVisible = () => this.visible(document.visibilityState === "visible");
    document.addEventListener("visibilitychange", this.onVisible);
  }

  act(what) {
    if (what === "reset" || this.state === "finished") {
      this.at = 0;
      this.playing = what === "play";
      return this.begin();
    }
    this.notice("");
    this.playing = !this.playing;
    this.socket?.send({ type: this.playing ? "play" : "pause" });
    this.showControls();
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

  showControls() {
    this.root.toggleAttribute("data-playing", this.playing);
    const text = this.playing ? "Pause" : this.state === "finished" ? "Replay" : "Play";
    if (this.parts["play-label"].textContent !== text) this.parts["play-label"].textContent = text;
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
      const theme = raceTheme(this.root);
      if (theme.name === this.theme.name) return;
      this.theme = theme;
      this.curves.setTheme(theme);
      this.sweep.setTheme(theme);
      this.table.setTheme(theme);
    });
  }

  watchSize() {
    let width = this.root.clientWidth;
    this.sizes = new ResizeObserver(() => {
      if (this.root.clientWidth === width || !this.root.isConnected || !this.root.clientWidth) return;
      width = this.root.clientWidth;
      this.curves.resize();
      if (this.data.rates) this.sweep.resize();
    });
    this.sizes.observe(this.root);
  }

  end() {
    this.gone = true;
    if (this.data) racesLeft.set(this.data.race, { at: this.at, playing: this.playing, when: performance.now() });
    document.removeEventListener("visibilitychange", this.onVisible);
    cancelAnimationFrame(this.nextTurn);
    this.sizes?.disconnect();
    this.socket?.end();
    this.curves?.end();
    this.sweep?.end();
  }
}

export default function race(component) {
  return mounted(component, ".rc-race", RaceView);
}
