// A track: one number axis with the handles that move along it, and what is drawn between them.

const ARROW_SHORTEST = 14;
const ARROW_LONGEST = 104;

class Track {
  /**
   * @param handles those of the tables that move along it
   * @param options span: "residual" (from target to prediction), "bar" (from 0) or "region" (where the label wants the
   *   score to be); label: column index of a target without a handle here; lines: further lines across;
   *   fill: column and index of a number drawn as a bar behind
   */
  constructor(board, axis, handles, options) {
    this.board = board;
    this.axis = axis;
    this.options = options;
    this.width = 300;
    this.lane = make("div.lane");
    for (const tick of ticksBetween(axis.low, axis.high, 10)) {
      this.lane.append(make(tick === 0 ? "i.grid.zero" : "i.grid", { "--x": this.fraction(tick) }));
    }
    for (const line of options.lines || []) this.lane.append(make("i.line", { "--x": this.fraction(line) }));
    this.fill = options.fill ? this.lane.appendChild(make("i.fill")) : null;
    this.span = this.lane.appendChild(make(`i.span.${options.span}`));
    this.goal = options.label === undefined ? null : this.lane.appendChild(make("i.goal", {}, markOf("target")));
    this.arrow = null;
    this.sliders = handles.map((handle) => this.addSlider(handle));
    this.element = make("div.track", {}, this.lane);
  }

  fraction(value) {
    const { low, high } = this.axis;
    return Math.min(Math.max((value - low) / (high - low), 0), 1);
  }

  addSlider(handle) {
    if (handle.variable === "prediction") {
      this.arrow = this.lane.appendChild(make("span.arrow", {}, make("i"), make("b")));
      this.held = this.lane.appendChild(make("span.held", { hidden: "" }, "held at the edge"));
    }
    const element = make(
      `div.handle.${handle.variable}`,
      {
        role: "slider",
        tabindex: 0,
        "data-handle": handle.name,
        "aria-label": handle.name,
        "aria-valuemin": handle.low,
        "aria-valuemax": handle.high,
        "aria-orientation": "horizontal",
      },
      markOf(handle.variable),
    );
    this.lane.append(element);
    return { handle, element };
  }

  /** The handle to grab where the pointer came down: the nearest; of two in one place the target lies lower. */
  grab(x, y) {
    const box = this.lane.getBoundingClientRect();
    const distances = this.sliders.map(({ handle, element }) => {
      const across = Math.abs(x - box.left - Number(element.style.getPropertyValue("--x")) * box.width);
      return { handle, across };
    });
    distances.sort((one, other) => one.across - other.across);
    const [nearest, next] = distances;
    if (next && next.across - nearest.across < 6) {
      const low = y > box.top + this.centre(box);
      const wanted = low ? "target" : "prediction";
      return distances.find(({ handle }) => handle.variable === wanted).handle;
    }
    return nearest.handle;
  }

  centre(box) {
    return box.height - 22;
  }

  update({ tables, row, active, held }) {
    const at = {};
    for (const { handle, element } of this.sliders) {
      const value = tables.column(row, handle.variable)[handle.flat];
      at[handle.variable] = value;
      setProperty(element, "--x", this.fraction(value));
      setAttribute(element, "aria-valuenow", Number(value.toPrecision(12)));
      element.classList.toggle("active", handle === active);
      element.classList.toggle("waiting", this.board.waitsFor(handle));
      if (handle.variable === "prediction") this.updateArrow(tables, row, handle, value, held);
    }
    this.updateSpan(tables, row, at);
    const { fill } = this.options;
    if (fill) setProperty(this.fill, "--width", this.fraction(tables.column(row, fill.column)[fill.index]));
  }

  updateSpan(tables, row, at) {
    const { span, label } = this.options;
    let from = at.target;
    let to = at.prediction;
    if (label !== undefined) from = this.goalOf(tables.column(row, "target")[label]);
    if (this.goal) setProperty(this.goal, "--x", this.fraction(from));
    if (span === "bar") [from, to] = [0, at.prediction ?? at.target];
    if (span === "region") to = this.wantsMargin() ? Math.sign(from) : 0;
    const [one, other] = [this.fraction(from), this.fraction(to)];
    setProperty(this.span, "--x", Math.min(one, other));
    setProperty(this.span, "--width", Math.abs(other - one));
  }

  /** Where a label stands: a probability's at 0 or 1, a score's at the end of the axis it pulls towards. */
  goalOf(label) {
    if (this.options.span === "residual") return label;
    return label > 0 ? this.axis.high : this.axis.low;
  }

  /** Labels -1 and +1 ask for a margin of 1; labels 0 and 1 only for the right side of 0. */
  wantsMargin() {
    return (this.options.lines || []).length > 1;
  }

  /** The way downhill: against the gradient, longer where it is steeper, but never out of sight. */
  updateArrow(tables, row, handle, value, held) {
    const gradient = tables.column(row, "gradient")[handle.flat];
    const isHeld = held.has(handle.flat);
    const x = this.fraction(value);
    const size = Math.abs(gradient);
    const right = gradient < 0;
    const room = (right ? 1 - x : x) * this.width + ARROW_SHORTEST;
    const steep = size === Infinity ? 1 : size / (size + 1);
    const length = size > 0 ? Math.min(ARROW_SHORTEST + (ARROW_LONGEST - ARROW_SHORTEST) * steep, room) : 0;
    setProperty(this.arrow, "--x", x);
    setProperty(this.arrow, "--length", `${length.toFixed(1)}px`);
    this.arrow.className = `arrow ${size > 0 ? (right ? "right" : "left") : "none"} ${room - length < 76 ? "flip" : ""}`;
    setText(this.arrow.lastChild, formatNumber(gradient));
    this.held.hidden = !isHeld;
    this.arrow.hidden = isHeld;
    setProperty(this.held, "--x", x);
    this.held.classList.toggle("flip", x > 0.5);
  }
}

/** The tick labels under the tracks; on a narrow board every second one is left out. */
function makeAxis({ low, high, label }) {
  const fraction = (value) => (value - low) / (high - low);
  const ticks = ticksBetween(low, high, 10);
  const step = ticks[1] - ticks[0];
  const texts = ticks.map(formatNumber);
  return make(
    texts.some((text) => text.length > 4) ? "div.axis.sparse" : "div.axis",
    { "aria-hidden": "true" },
    make(
      "div.lane",
      {},
      ...ticks.map((tick, index) =>
        make(Math.round(tick / step) % 2 ? "span.minor" : "span", { "--x": fraction(tick) }, texts[index]),
      ),
    ),
    make("div.label", {}, label),
  );
}
