// Gradient descent on the predictions: the controls, what became of a run, and its playback.

const STATES_A_SECOND = 40;
const LONGEST_PLAYBACK = 4000;
const HINT = "A step moves every prediction by minus the learning rate times its gradient.";
const SPARK = { width: 240, height: 56, pad: 6 };

class Descent {
  constructor(board, learningRate) {
    this.board = board;
    this.given = learningRate;
    this.rate = make("input", { type: "text", id: "learning-rate", autocomplete: "off", "data-control": "learning rate" });
    this.rate.value = fieldText(learningRate);
    this.problem = make("p.problem", { role: "alert", hidden: "", id: "learning-rate-problem" });
    this.rate.addEventListener("input", () => this.readRate());
    const button = (text, action) => {
      const element = make("button", { type: "button", "data-control": action }, text);
      element.addEventListener("click", () => this.press(action));
      return element;
    };
    this.outcome = make("p.outcome", { "data-outcome": "" });
    this.spark = makeSvg("svg.spark", {
      viewBox: `0 0 ${SPARK.width} ${SPARK.height}`,
      role: "img",
      "aria-label": "Loss over the steps of the run",
    });
    this.counter = make("span.counter");
    this.run = make("div.run", { hidden: "" }, make("div", {}, make("span.caption", {}, "Loss over steps"), this.counter), this.spark);
    this.element = make(
      "section.descent",
      { "aria-label": "Gradient descent on the predictions" },
      make(
        "div.controls",
        {},
        make("label.rate", { for: "learning-rate" }, "Learning rate"),
        this.rate,
        button("Take one step", "step"),
        button("Repeat until it settles", "run"),
        make("span.gap"),
        button("Undo", "undo"),
        button("Reset", "reset"),
      ),
      this.problem,
      make("div.story", {}, this.outcome, this.run),
    );
  }

  /** The learning rate in the field, or null with a message beside it. */
  readRate() {
    const value = parseNumber(this.rate.value);
    const fits = value > 0 && value <= LIMIT;
    this.problem.hidden = fits;
    if (!fits) {
      const text = this.rate.value.trim().slice(0, 20);
      const wrong = text === "" ? "The learning rate is empty" : `A learning rate of “${text}” does not work`;
      setText(this.problem, `${wrong}. It can be any number above 0 and up to ${formatNumber(LIMIT)}.`);
    }
    setAttribute(this.rate, "aria-invalid", !fits);
    setAttribute(this.rate, "aria-describedby", this.problem.id);
    return fits ? value : null;
  }

  press(action) {
    if (action === "undo" || action === "reset") {
      this.board.act(action);
      return;
    }
    const rate = this.readRate();
    if (rate === null) this.rate.focus();
    else this.board.act(action, { learning_rate: rate });
  }

  /** Python's learning rate, where it is another than before. */
  offer(learningRate) {
    if (learningRate === this.given) return;
    this.given = learningRate;
    this.rate.value = fieldText(learningRate);
    this.readRate();
  }

  /** Shows a new path from its first state, or takes the old one away. */
  start(tables, animate) {
    this.tables = tables;
    const { path } = tables;
    this.run.hidden = !path || path.rows < 3;
    setText(this.outcome, path ? "" : HINT);
    this.outcome.dataset.outcome = "";
    this.began = null;
    this.last = path ? path.rows - 1 : 0;
    if (!path) return false;
    this.drawSpark();
    const playing = animate && path.rows > 1 && !matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (!playing) this.end();
    return playing;
  }

  /** The state to show now; null when the playback is over. */
  stateAt(now) {
    this.began ??= now;
    const duration = Math.min(LONGEST_PLAYBACK, (this.last * 1000) / STATES_A_SECOND);
    const state = Math.floor(((now - this.began) / duration) * this.last);
    if (state >= this.last) return null;
    this.show(state);
    return state;
  }

  end() {
    this.show(this.last);
    setText(this.outcome, this.tables.outcome?.text ?? "");
    this.outcome.dataset.outcome = this.tables.outcome?.kind ?? "";
  }

  valueOf(state) {
    const { pathFloats, path, width, place } = this.tables;
    return pathFloats[path.offset + state * width + place.get("value").start];
  }

  drawSpark() {
    const { path } = this.tables;
    const values = path.steps.map((_, state) => this.valueOf(state));
    const finite = values.filter(Number.isFinite);
    const [low, high] = [Math.min(...finite), Math.max(...finite)];
    const first = path.steps[0];
    const span = path.steps[this.last] - first || 1;
    this.x = (state) => SPARK.pad + ((path.steps[state] - first) / span) * (SPARK.width - 2 * SPARK.pad);
    this.y = (value) =>
      SPARK.pad + ((high - Math.min(Math.max(value, low), high)) / (high - low || 1)) * (SPARK.height - 2 * SPARK.pad);
    const points = values.map((value, state) => `${this.x(state).toFixed(1)},${this.y(value).toFixed(1)}`);
    this.dot = makeSvg("circle.point", { r: 4 });
    this.spark.replaceChildren(makeSvg("polyline.curve", { points: points.join(" ") }), this.dot);
  }

  show(state) {
    const { path } = this.tables;
    setText(this.counter, `step ${path.steps[state]} of ${path.steps[this.last]}`);
    setAttribute(this.dot, "cx", this.x(state));
    setAttribute(this.dot, "cy", this.y(this.valueOf(state)));
  }
}
