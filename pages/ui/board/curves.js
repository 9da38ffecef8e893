// The loss along the active handle with its tangent, and below it the slope; of a point along both directions.

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
  scale(xs, values, include) {
    const [low, high] = Plot.range(values, include);
    this.domain = { low, high, start: xs[0], end: xs[xs.length - 1] };
    this.ticks = ticksBetween(low, high, 5);
    return 18 + CHARACTER * Math.max(4, ...this.ticks.map((tick) => formatNumber(tick).length));
  }

  /** Axes and grid; `whole` says that only whole numbers have a tick. */
  draw(width, left, axis, whole = false) {
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
    const range = whole ? this.domain.end - this.domain.start : Infinity;
    const most = Math.min(10, range, Math.floor(inner.width / (CHARACTER * longest + 14)));
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
    this.curve = makeSvg("path.curve");
    this.below = makeSvg("path.tangent");
    this.beyond = makeSvg("path.beyond", { d: "M-7 0 L0 -9 L7 0 Z" });
    this.point = makeSvg("circle.point", { r: 6.5 });
    this.second = makeSvg("circle.point.second", { r: 6.5 });
    this.moving = makeSvg("g", {}, this.second, this.point, this.beyond);
    const clipped = makeSvg("g", { "clip-path": `url(#${this.clip})` }, this.curve, this.below);
    this.svg.replaceChildren(clip, grid, clipped, this.moving);
  }

  x(value) {
    return this.left + ((value - this.domain.start) / (this.domain.end - this.domain.start)) * this.inner.width;
  }

  y(value) {
    return MARGIN.top + ((this.domain.high - value) / (this.domain.high - this.domain.low)) * this.inner.height;
  }

  /** Draws the curve, in pieces where it jumps. */
  plot(pieces) {
    setAttribute(this.curve, "d", pieces.map((piece) => this.path(piece)).join(""));
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
    // A point between two jumps is a dot.
    return piece.length === 1 && text ? `${text}h0` : text;
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
    this.plots = [new Plot(""), new Plot("")];
    this.bars = make("figure.plot.bars");
    this.element = make("div.curves", {}, ...this.plots.map(({ element }) => element), this.bars);
    this.drawn = "";
  }

  measure() {
    this.width = Math.max(this.element.clientWidth, 240);
    this.drawn = "";
  }

  /** The slope at a position from the left and from the right; they differ at a kink. */
  static sides(tables, handle, position) {
    const slope = tables.along(handle, "slope", position) ?? 0;
    return [
      tables.along(handle, "slope_left", position) ?? slope,
      tables.along(handle, "slope_right", position) ?? slope,
    ];
  }

  /** Whether the loss jumps between two neighbours: it differs although both slopes are about 0. */
  static jumps(step, rise, ...slopes) {
    const run = Math.max(...slopes.map(Math.abs)) * step;
    return Math.abs(rise) > 1e-9 && run < 0.1 * Math.abs(rise);
  }

  /** Points [x, y] in pieces, parted where the loss jumps; `slopes` are those on the left and right of each point. */
  static pieces(points, slopes) {
    const pieces = [[]];
    points.forEach((point, index) => {
      const before = points[index - 1];
      const jump =
        before && Curves.jumps(point[0] - before[0], point[1] - before[1], slopes[index - 1][1], slopes[index][0]);
      if (jump) pieces.push([]);
      pieces[pieces.length - 1].push(point);
    });
    return pieces;
  }

  /** What is drawn once for a table: of a line all, of a point the axes. */
  draw(tables, handle) {
    const two = handle.kind !== "choice";
    for (const { element } of this.plots) element.hidden = !two;
    this.bars.hidden = two;
    if (handle.kind === "line") this.drawLine(tables, handle);
    else if (handle.kind === "plane") this.drawPlane(tables, handle);
    else this.drawBars(tables, handle);
  }

  drawLine(tables, handle) {
    const [loss, slope] = this.plots;
    const [grid] = handle.grid;
    const xs = [...grid];
    const points = xs.map((x, position) => [x, tables.valueAt(handle, position)]);
    const sides = xs.map((_, position) => Curves.sides(tables, handle, position));
    this.title(loss, `Loss along ${handle.name}`);
    this.title(slope, `Slope along ${handle.name}`);
    const pieces = [[]];
    xs.forEach((x, position) => {
      // A position that rounding put beside another one would draw a jump as a line.
      if (position && x - xs[position - 1] < 1e-9 * (xs[xs.length - 1] - xs[0])) return;
      const [left, right] = sides[position];
      pieces[pieces.length - 1].push([x, left]);
      if (left !== right) pieces.push([[x, right]]);
    });
    const room = Math.max(
      loss.scale(xs, points.map(([, y]) => y), []),
      slope.scale(xs, pieces.flatMap((piece) => piece.map(([, y]) => y)), [0]),
    );
    loss.draw(this.width, room, handle.name);
    slope.draw(this.width, room, handle.name);
    loss.plot(Curves.pieces(points, sides));
    slope.plot(pieces);
  }

  /** Both axes hold the loss at every place of the picture, so that they stand still while the point moves. */
  drawPlane(tables, handle) {
    const values = Array.from({ length: handle.count }, (_, position) => tables.valueAt(handle, position));
    const ways = ["horizontally", "vertically"];
    this.plots.forEach((plot, axis) => this.title(plot, `Loss along ${handle.name}, ${ways[axis]}`));
    // Dots at the ends of the axis need room.
    const aside = handle.smooth ? 0 : 0.5;
    const room = Math.max(
      ...this.plots.map((plot, axis) => {
        const grid = handle.grid[axis];
        return plot.scale([grid[0] - aside, grid[grid.length - 1] + aside], values, []);
      }),
    );
    this.plots.forEach((plot, axis) => {
      plot.draw(this.width, room, `${handle.name}, ${ways[axis]}`, !handle.smooth);
      plot.curve.classList.toggle("dots", !handle.smooth);
    });
  }

  title(plot, text) {
    setText(plot.heading, text);
    setAttribute(plot.svg, "aria-label", text);
  }

  drawBars(tables, handle) {
    const values = handle.choices.map((_, position) => tables.valueAt(handle, position));
    const most = Math.max(...values.filter(Number.isFinite).map(Math.abs), 1e-12);
    const longest = Math.max(...handle.choices.map((choice) => choice.length));
    setProperty(this.bars, "--name", `${longest}ch`);
    this.rows = handle.choices.map((choice, position) =>
      make(
        "div.choice-row",
        {},
        make("span.choice-name", {}, choice.replace("-", MINUS)),
        make("span.bar", { "--width": Math.min(Math.abs(values[position]) / most, 1) }, make("i")),
        make("b", {}, formatNumber(values[position])),
        make("span.now", {}, "now"),
      ),
    );
    this.bars.replaceChildren(make("figcaption", {}, make("h2", {}, `Loss for each choice of ${handle.name}`)), ...this.rows);
  }

  update(frame) {
    const { tables, active, resting } = frame;
    this.element.classList.toggle("resting", resting);
    // Without its table a handle has no curve yet; what stands there rests until it comes.
    if (!active.loaded) return;
    const key = `${tables.revision} ${active.name} ${this.width}`;
    if (key !== this.drawn) {
      this.draw(tables, active);
      this.drawn = key;
    }
    const kinds = { line: "updateLine", plane: "updatePlane", choice: "updateBars" };
    this[kinds[active.kind]](frame);
  }

  updateBars({ position }) {
    this.rows.forEach((element, index) => element.classList.toggle("chosen", index === position));
  }

  updateLine({ tables, row, active, position }) {
    const [loss, slope] = this.plots;
    const t = active.grid[0][position];
    const [left, right] = Curves.sides(tables, active, position);
    const kink = left !== right;
    this.showValue(loss, t, tables.column(row, "value")[0], left, right);
    const inside = slope.mark(slope.point, t, right);
    if (kink) slope.mark(slope.second, t, left);
    else slope.second.style.display = "none";
    const text = kink ? `left ${formatNumber(left)}, right ${formatNumber(right)}` : formatNumber(right);
    setText(slope.readout, `${text}${inside ? "" : ", off the scale"}`);
  }

  /** The row and the column of the grid that cross at the present position. */
  updatePlane({ tables, row, active, position }) {
    const at = tables.indices(active, position);
    const value = tables.column(row, "value")[0];
    this.plots.forEach((plot, axis) => {
      const places = Array.from({ length: active.counts[axis] }, (_, index) =>
        axis ? tables.positionIndex(active, at[0], index) : tables.positionIndex(active, index, at[1]),
      );
      const slopeAt = (place) => tables.along(active, "slope", place, axis) ?? 0;
      // A vector has no direction at the origin: the loss jumps there, whatever slope a tiny denominator leaves.
      const origin = (place) => tables.scene.vectors && tables.coordinates(active, place).every((t) => Math.abs(t) < NOISE);
      const sides = (place) => Array(2).fill(origin(place) ? 0 : slopeAt(place));
      const points = places.map((place, index) => [active.grid[axis][index], tables.valueAt(active, place)]);
      // Between whole cells there is no loss: dots, not a line.
      plot.plot(active.smooth ? Curves.pieces(points, places.map(sides)) : points.map((point) => [point]));
      const slope = active.smooth ? slopeAt(position) : NaN;
      this.showValue(plot, active.grid[axis][at[axis]], value, slope, slope);
    });
  }

  showValue(plot, t, value, left, right) {
    const inside = plot.mark(plot.point, t, value);
    plot.second.style.display = "none";
    plot.tangent(t, value, left, right);
    setText(plot.readout, `${formatNumber(value)}${inside ? "" : ", off the scale"}`);
  }
}
