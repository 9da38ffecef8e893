// A track: one number axis with the handles that move along it, and what is drawn between them.

const ARROW_SHORTEST = 14;
const ARROW_LONGEST = 104;
// A bell whose spread is this share of the axis has its full height; wider ones are lower, as their area stays.
const BELL_FULL = 0.06;

class Track {
  /**
   * @param handles those of the tables that move along it
   * @param options span: "residual" (from the target or label to the prediction), "gap" (between two predictions),
   *   "bar" (from 0), "region" (where the label wants the score to be) or "none"; label: {variable, flat} of a label
   *   that stands on the track without a handle; lines: further lines across; fill: {column, index} of a number drawn
   *   as a bar behind; letters: by variable, to tell marks apart; bells: [{mean, spread, shape, className}], each a
   *   {variable, flat} or a number
   */
  constructor(board, axis, handles, options) {
    this.board = board;
    this.axis = axis;
    this.options = { lines: [], bells: [], letters: new Map(), ...options };
    this.width = 300;
    this.lane = make("div.lane");
    for (const tick of ticksBetween(axis.low, axis.high, 10)) {
      this.lane.append(make(tick === 0 ? "i.grid.zero" : "i.grid", { "--x": this.fraction(tick) }));
    }
    for (const line of this.options.lines) this.lane.append(make("i.line", { "--x": this.fraction(line) }));
    this.bells = this.options.bells.map((bell) => this.addBell(bell));
    this.fill = this.options.fill ? this.lane.appendChild(make("i.fill")) : null;
    this.span = this.lane.appendChild(make(`i.span.${this.options.span}`));
    this.goal = this.options.label ? this.lane.appendChild(make("i.goal", {}, markOf("target"))) : null;
    this.arrows = [];
    this.sliders = handles.map((handle) => this.addSlider(handle));
    const { length } = this.arrows;
    const kind = this.bells.length ? "div.track.high" : length ? "div.track" : "div.track.low";
    this.element = make(kind, { "--levels": length }, this.lane);
  }

  // As a surface that a hand can drag

  get surface() {
    return {
      element: this.lane,
      grab: (x, y, target) => this.grab(x, y, target),
      start: (handle, x) => this.start(handle, x),
      positionAt: (handle, x) => this.positionAt(handle, x),
      renew: ({ byName }) => {
        for (const arrow of this.arrows) arrow.handle = byName.get(arrow.handle.name);
      },
    };
  }

  /** The handle to grab where the pointer came down: the nearest; of two in one place the target lies lower. */
  grab(x, y, target) {
    const touched = target.closest("[role=slider]");
    if (!touched) return null;
    const box = this.lane.getBoundingClientRect();
    const distances = this.sliders.map((slider) => {
      const across = Math.abs(x - box.left - Number(slider.element.style.getPropertyValue("--x")) * box.width);
      return { ...slider, across };
    });
    distances.sort((one, other) => one.across - other.across);
    const close = distances.filter(({ across }) => across - distances[0].across < 6);
    const role = y > box.bottom - 22 ? "target" : "prediction";
    const wanted = close.filter((slider) => slider.role === role);
    const found = wanted.find(({ element }) => element === touched) ?? wanted[0] ?? close[0];
    return { handle: found.handle, focus: found.element };
  }

  /** The mark stays under the finger where it was touched, rather than jumping to its middle. */
  start(handle, x) {
    const { element } = this.sliders.find((slider) => slider.handle === handle);
    this.box = this.lane.getBoundingClientRect();
    this.grip = x - this.box.left - Number(element.style.getPropertyValue("--x")) * this.box.width;
  }

  positionAt(handle, x) {
    const { low, high } = this.axis;
    const t = low + ((x - this.grip - this.box.left) / this.box.width) * (high - low);
    return this.board.tables.nearest(handle, t);
  }

  // What is drawn

  fraction(value) {
    const { low, high } = this.axis;
    return Math.min(Math.max((value - low) / (high - low), 0), 1);
  }

  addSlider(handle) {
    const { role, gradient } = this.board.tables.variable(handle.variable);
    if (gradient) this.addArrow(handle);
    const element = make(
      `div.handle.${role}`,
      {
        role: "slider",
        tabindex: 0,
        "data-handle": handle.name,
        "aria-label": handle.name,
        "aria-orientation": "horizontal",
      },
      markOf(role, this.options.letters.get(handle.variable)),
    );
    this.lane.append(element);
    return { handle, element, role };
  }

  addArrow(handle) {
    const level = { "--level": this.arrows.length };
    this.arrows.push({
      handle,
      element: this.lane.appendChild(make("span.arrow", level, make("i"), make("b"))),
      held: this.lane.appendChild(make("span.held", { ...level, hidden: "" }, "held at the edge")),
    });
  }

  addBell({ mean, spread, shape, className }) {
    const points = shape.map(([x, height]) => `${x} ${-height}`).join(" L");
    const path = makeSvg("path", { d: `M${points}`, "vector-effect": "non-scaling-stroke" });
    const svg = makeSvg(`svg.bell.${className}`, { viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": "true" }, path);
    this.lane.append(svg);
    return { mean, spread, path };
  }

  measure() {
    this.width = this.lane.clientWidth;
  }

  update({ tables, row, active, held }) {
    for (const { handle, element } of this.sliders) {
      setProperty(element, "--x", this.fraction(tables.coordinate(row, handle, handle.at)));
      element.classList.toggle("active", handle === active);
    }
    for (const arrow of this.arrows) this.updateArrow(arrow, tables, row, held);
    this.updateSpan(tables, row);
    const { fill } = this.options;
    if (fill) setProperty(this.fill, "--width", this.fraction(tables.column(row, fill.column)[fill.index]));
    const number = (source) => (typeof source === "number" ? source : tables.column(row, source.variable)[source.flat]);
    for (const { mean, spread, path } of this.bells) this.updateBell(path, number(mean), number(spread));
  }

  updateSpan(tables, row) {
    const { span, label } = this.options;
    const of = (role, index = 0) => {
      const found = this.sliders.filter((slider) => slider.role === role)[index];
      return found && tables.coordinate(row, found.handle, found.handle.at);
    };
    const goal = label && this.goalOf(tables.column(row, label.variable)[label.flat]);
    if (this.goal) setProperty(this.goal, "--x", this.fraction(goal));
    const ends = {
      residual: () => [goal ?? of("target"), of("prediction")],
      gap: () => [of("prediction"), of("prediction", 1)],
      bar: () => [0, of("prediction") ?? of("target")],
      region: () => [goal, this.marginOf(goal)],
      none: () => [],
    };
    const [from, to] = ends[span]();
    this.span.hidden = from === undefined || to === undefined;
    if (this.span.hidden) return;
    const [one, other] = [this.fraction(from), this.fraction(to)];
    setProperty(this.span, "--x", Math.min(one, other));
    setProperty(this.span, "--width", Math.abs(other - one));
  }

  /** Where a label stands: a probability's at 0 or 1, a score's at the end of the axis it pulls towards. */
  goalOf(label) {
    if (this.options.span === "residual") return label;
    return label > 0 ? this.axis.high : this.axis.low;
  }

  /** Where the side begins that a label asks for: at the outer one of the marked lines. */
  marginOf(goal) {
    const { lines } = this.options;
    if (!lines.length) return 0;
    return goal === this.axis.high ? Math.max(...lines) : Math.min(...lines);
  }

  /** The way downhill: against the gradient, longer where it is steeper, but never out of sight. */
  updateArrow({ handle, element, held }, tables, row, isHeldAt) {
    const [flat] = handle.flats;
    const gradient = tables.gradient(row, handle.variable)[flat];
    const isHeld = isHeldAt(handle.variable, flat);
    const x = this.fraction(tables.column(row, handle.variable)[flat]);
    const size = Math.abs(gradient);
    const right = gradient < 0;
    const room = (right ? 1 - x : x) * this.width + ARROW_SHORTEST;
    const steep = size === Infinity ? 1 : size / (size + 1);
    const length = size > 0 ? Math.min(ARROW_SHORTEST + (ARROW_LONGEST - ARROW_SHORTEST) * steep, room) : 0;
    setProperty(element, "--x", x);
    setProperty(element, "--length", `${length.toFixed(1)}px`);
    element.className = `arrow ${size > 0 ? (right ? "right" : "left") : "none"} ${room - length < 76 ? "flip" : ""}`;
    setText(element.lastChild, formatNumber(gradient));
    held.hidden = !isHeld;
    element.hidden = isHeld;
    setProperty(held, "--x", x);
    held.classList.toggle("flip", x > 0.5);
  }

  updateBell(path, mean, spread) {
    const { low, high } = this.axis;
    const width = spread / (high - low);
    const height = 0.94 * Math.min(1, BELL_FULL / width);
    const place = `translate(${((mean - low) / (high - low)).toFixed(5)} 1) scale(${width.toFixed(5)} ${height.toFixed(4)})`;
    setAttribute(path, "transform", place);
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
