// The loss along the active handle with its tangent, and below it the slope. Drawn once a grab; only the points move.

const MARGIN = { right: 20, top: 12, bottom: 44 };
const CHARACTER = 7;
const PLOT_HEIGHT = 192;

/** One plot: axes, a curve in pieces, and a point. */
class Plot {
  constructor(title) {
    this.heading = make("h2", {}, title);
    this.readout = make("output.readout", { "aria-live": "off" });
    this.svg = makeSvg("svg", { role: "img", "aria-label": title });
    this.element = make("figure.plot", {}, make("figcaption", {}, this.heading, this.readout), this.svg);
    this.clip = `clip-${Math.random().toString(36).slice(2)}`;
  }

  /** The range that keeps the shape readable: where a few values tower over the rest, it ends below them. */
  static range(values, include) {
    const sorted = values.filter(Number.isFinite).sort((one, other) => one - other);
    if (!sorted.length) return [0, 1];
    const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
    let [low, high] = [at(0), at(1)];
    const [inner, outer] = [at(0.03), at(0.97)];
    const spread = outer - inner || high - low;
    if (high - outer > 1.2 * spread) high = outer + 0.15 * spread;
    if (inner - low > 1.2 * spread) low = inner - 0.15 * spread;
    low = Math.min(low, ...include);
    high = Math.max(high, ...include);
    const pad = (high - low) * 0.06 || Math.max(Math.abs(high) * 0.1, 1e-3);
    return [low - pad, high + pad];
  }

  /** Settles the range of the values; returns the room that their labels need. */
  scale(xs, pieces, include) {
    const [low, high] = Plot.range(pieces.flatMap((piece) => piece.map(([, y]) => y)), include);
    this.domain = { low, high, start: xs[0], end: xs[xs.length - 1] };
    this.pieces = pieces;
    this.ticks = ticksBetween(low, high, 5);
    return 18 + CHARACTER * Math.max(4, ...this.ticks.map((tick) => formatNumber(tick).length));
  }

  draw(width, left, axis) {
    this.left = left;
    const inner = { width: width - left - MARGIN.right, height: PLOT_HEIGHT - MARGIN.top - MARGIN.bottom };
    this.inner = inner;
    setAttribute(this.svg, "viewBox", `0 0 ${width} ${PLOT_HEIGHT}`);
    setAttribute(this.svg, "height", PLOT_HEIGHT);
    const grid = makeSvg("g.grid");
    for (const tick of this.ticks) {
      const y = this.y(tick);
      grid.append(
        makeSvg(tick === 0 ? "line.zero" : "line", { x1: this.left, x2: width - MARGIN.right, y1: y, y2: y }),
        makeSvg("text.y", { x: this.left - 7, y: y + 4 }, formatNumber(tick)),
      );
    }
    const longest = formatNumber(this.domain.start).length;
    const most = Math.min(10, Math.floor(inner.width / (CHARACTER * longest + 14)));
    for (const tick of ticksBetween(this.domain.start, this.domain.end, most)) {
      const x = this.x(tick);
      grid.append(
        makeSvg(tick === 0 ? "line.zero" : "line", { x1: x, x2: x, y1: MARGIN.top, y2: MARGIN.top + inner.height }),
        makeSvg("text.x", { x, y: PLOT_HEIGHT - 26 }, formatNumber(tick)),
      );
    }
    grid.append(makeSvg("text.x", { x: left + inner.width / 2, y: PLOT_HEIGHT - 7 }, axis));
    const clip = makeSvg(
      "clipPath",
      { id: this.clip },
      makeSvg("rect", { x: this.left, y: MARGIN.top - 1, width: inner.width, height: inner.height + 2 }),
    );
    const curve = makeSvg("path.curve", { d: this.pieces.map((piece) => this.path(piece)).join("") });
    this.below = makeSvg("path.tangent");
    this.beyond = makeSvg("path.beyond", { d: "M-7 0 L0 -9 L7 0 Z" });
    this.point = makeSvg("circle.point", { r: 6.5 });
    this.second = makeSvg("circle.point.second", { r: 6.5 });
    this.moving = makeSvg("g", {}, this.second, this.point, this.beyond);
    const clipped = makeSvg("g", { "clip-path": `url(#${this.clip})` }, curve, this.below);
    this.svg.replaceChildren(clip, grid, clipped, this.moving);
  }

  x(value) {
    return this.left + ((value - this.domain.start) / (this.domain.end - this.domain.start)) * this.inner.width;
  }

  y(value) {
    return MARGIN.top + ((this.domain.high - value) / (this.domain.high - this.domain.low)) * this.inner.height;
  }

  path(piece) {
    let move = "M";
    let text = "";
    for (const [x, y] of piece) {
      if (!Number.isFinite(y)) {
        move = "M";
        continue;
      }
      // Far outside the clip a coordinate need not be exact, but it must stay a number that SVG takes.
      text += `${move}${this.x(x).toFixed(2)} ${Math.min(Math.max(this.y(y), -9999), 9999).toFixed(2)}`;
      move = "L";
    }
    return text;
  }

  /** Puts the point there; where the value lies off the scale, an arrow at the rim takes its place. */
  mark(point, x, y) {
    const inside = y >= this.domain.low && y <= this.domain.high;
    point.style.display = inside ? "" : "none";
    if (point === this.point) this.beyond.style.display = inside ? "none" : "";
    const px = this.x(x);
    if (inside) {
      setAttribute(point, "transform", `translate(${px.toFixed(2)} ${this.y(y).toFixed(2)})`);
    } else if (point === this.point) {
      const up = !(y < this.domain.low);
      const rim = up ? MARGIN.top + 11 : MARGIN.top + this.inner.height - 11;
      setAttribute(this.beyond, "transform", `translate(${px.toFixed(2)} ${rim})${up ? "" : " rotate(180)"}`);
    }
    return inside;
  }

  /** A straight line through a point, a third of the axis long, from the left slope to the right one. */
  tangent(x, y, left, right) {
    const reach = (this.domain.end - this.domain.start) / 6;
    const ends = [
      [x - reach, y - reach * left],
      [x, y],
      [x + reach, y + reach * right],
    ];
    setAttribute(this.below, "d", [left, right, y].every(Number.isFinite) ? this.path(ends) : "");
  }
}

class Curves {
  constructor(board) {
    this.board = board;
    this.loss = new Plot("");
    this.slope = new Plot("");
    this.bars = make("figure.plot.bars");
    this.element = make("div.curves", {}, this.loss.element, this.slope.element, this.bars);
    this.drawn = "";
  }

  measure() {
    this.width = Math.max(this.element.clientWidth, 240);
    this.drawn = "";
  }

  /** The slope at a position from the left and from the right; they differ at a kink. */
  static sides(tables, handle, position) {
    const slope = tables.along(handle, "slope", position);
    return [
      tables.along(handle, "slope_left", position) ?? slope,
      tables.along(handle, "slope_right", position) ?? slope,
    ];
  }

  draw(tables, handle) {
    const line = handle.kind === "line";
    this.loss.element.hidden = this.slope.element.hidden = !line;
    this.bars.hidden = line;
    if (line) this.drawLine(tables, handle);
    else this.drawBars(tables, handle);
  }

  drawLine(tables, handle) {
    const xs = [...handle.positions];
    const values = xs.map((x, position) => [x, tables.valueAt(handle, position)]);
    this.title(this.loss, `Loss along ${handle.name}`);
    this.title(this.slope, `Slope along ${handle.name}`);
    const pieces = [[]];
    xs.forEach((x, position) => {
      // A position that rounding put beside another one would draw a jump as a line.
      if (position && x - xs[position - 1] < 1e-9 * (xs[xs.length - 1] - xs[0])) return;
      const [left, right] = Curves.sides(tables, handle, position);
      pieces[pieces.length - 1].push([x, left]);
      if (left !== right) pieces.push([[x, right]]);
    });
    const left = Math.max(this.loss.scale(xs, [values], []), this.slope.scale(xs, pieces, [0]));
    this.loss.draw(this.width, left, handle.name);
    this.slope.draw(this.width, left, handle.name);
  }

  title(plot, text) {
    setText(plot.heading, text);
    setAttribute(plot.svg, "aria-label", text);
  }

  drawBars(tables, handle) {
    const values = handle.choices.map((_, position) => tables.valueAt(handle, position));
    const most = Math.max(...values.filter(Number.isFinite), 1e-12);
    this.rows = handle.choices.map((choice, position) =>
      make(
        "div.choice-row",
        {},
        make("span.choice-name", {}, choice.replace("-", MINUS)),
        make("span.bar", { "--width": Math.min(values[position] / most, 1) }, make("i")),
        make("b", {}, formatNumber(values[position])),
        make("span.now", {}, "now"),
      ),
    );
    this.bars.replaceChildren(make("figcaption", {}, make("h2", {}, `Loss for each choice of ${handle.name}`)), ...this.rows);
  }

  update({ tables, row, active, position, resting }) {
    const key = `${tables.revision} ${active.name} ${this.width}`;
    if (key !== this.drawn) {
      this.draw(tables, active);
      this.drawn = key;
    }
    this.element.classList.toggle("resting", resting);
    if (active.kind !== "line") {
      this.rows.forEach((element, index) => element.classList.toggle("chosen", index === position));
      return;
    }
    const t = active.positions[position];
    const value = tables.column(row, "value")[0];
    const [left, right] = Curves.sides(tables, active, position);
    const kink = left !== right;
    const inside = this.loss.mark(this.loss.point, t, value);
    this.loss.second.style.display = "none";
    this.loss.tangent(t, value, left, right);
    setText(this.loss.readout, `${formatNumber(value)}${inside ? "" : ", off the scale"}`);
    const slopeInside = this.slope.mark(this.slope.point, t, right);
    if (kink) this.slope.mark(this.slope.second, t, left);
    else this.slope.second.style.display = "none";
    const text = kink ? `left ${formatNumber(left)}, right ${formatNumber(right)}` : formatNumber(right);
    setText(this.slope.readout, `${text}${slopeInside ? "" : ", off the scale"}`);
  }
}
