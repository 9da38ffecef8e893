// What planes and boxes share: a square picture whose handles are dragged in two directions, over a map of the loss.

// From the middle of a handle's target to its sides.
const SPOT_REACH = 22;
const DOWNHILL = { from: 13, shortest: 12, longest: 72 };
// The colour of the loss behind the points: between light and dark, so that it shows on both.
const MAP_COLOUR = [18, 148, 124];
const MAP_OPACITY = 150;
const MAP_CAP = 0.97;

/** The loss at all positions of a plane handle, light where it is low, drawn once for each table. */
class LossMap {
  constructor(picture) {
    this.picture = picture;
    this.canvas = make("canvas", { "aria-hidden": "true" });
    this.element = make("div.loss-map", {}, this.canvas);
    this.name = make("b");
    this.low = make("span");
    this.high = make("span");
    const scale = make("span.scale", {}, this.low, make("i.ramp"), this.high);
    this.legend = make("p.map-legend", {}, make("span", {}, "Loss if ", this.name, " stood there: "), scale);
  }

  /** Draws the map of the active handle where it is one of this picture's. */
  update({ tables, active, resting }) {
    const shown = active.kind === "plane" && active.loaded && this.picture.spotOf(active) !== undefined;
    this.element.classList.toggle("resting", resting);
    const key = shown ? `${tables.revision} ${active.name}` : "";
    if (key === this.drawn) return;
    this.drawn = key;
    this.canvas.hidden = !shown;
    this.legend.classList.toggle("empty", !shown);
    if (shown) this.draw(tables, active);
  }

  draw(tables, handle) {
    const [xs, ys] = [0, 1].map((axis) => this.regular(handle, axis));
    const { canvas, picture } = this;
    const values = new Float64Array(xs.length * ys.length);
    xs.forEach((ix, column) => {
      ys.forEach((iy, row) => {
        const line = picture.down ? row : ys.length - 1 - row;
        values[line * xs.length + column] = tables.valueAt(handle, tables.positionIndex(handle, ix, iy));
      });
    });
    const sorted = values.filter(Number.isFinite).sort();
    const low = sorted[0];
    const top = sorted[sorted.length - 1];
    const cap = sorted[Math.floor(MAP_CAP * (sorted.length - 1))];
    [canvas.width, canvas.height] = [xs.length, ys.length];
    const context = canvas.getContext("2d");
    const image = context.createImageData(xs.length, ys.length);
    const flat = cap - low <= 1e-12 * Math.abs(cap);
    values.forEach((value, index) => {
      const share = flat ? 0 : Number.isFinite(value) ? Math.min((value - low) / (cap - low), 1) : 1;
      image.data.set([...MAP_COLOUR, Math.round(MAP_OPACITY * share)], 4 * index);
    });
    context.putImageData(image, 0, 0);
    this.lay(handle, xs, ys);
    setText(this.name, handle.name);
    setText(this.low, flat ? `${formatNumber(low)} everywhere` : formatNumber(low));
    setText(this.high, flat ? "" : `${formatNumber(cap)}${top > cap ? " and more" : ""}`);
    this.legend.classList.toggle("flat", flat);
  }

  /** The positions on the grid of the picture; the present one may lie in between. */
  regular(handle, axis) {
    const { low, step } = this.picture.axis;
    const found = [];
    handle.grid[axis].forEach((t, index) => {
      const steps = (t - low) / step;
      if (Math.abs(steps - Math.round(steps)) < 1e-6) found.push(index);
    });
    return found.length ? found : [0];
  }

  /** A position is the middle of its pixel, so the canvas reaches half a step beyond. */
  lay(handle, xs, ys) {
    const { low, high, step } = this.picture.axis;
    const percent = (steps) => `${((100 * steps * step) / (high - low)).toFixed(3)}%`;
    const first = (axis, index) => (handle.grid[axis][index] - low) / step;
    const bottom = first(1, ys[0]);
    const total = (high - low) / step;
    Object.assign(this.canvas.style, {
      left: percent(first(0, xs[0]) - 0.5),
      top: percent((this.picture.down ? bottom : total - bottom - ys.length + 1) - 0.5),
      width: percent(xs.length),
      height: percent(ys.length),
    });
  }
}

/** A plane handle on a picture: two sliders in one place. */
class Spot {
  constructor(handle, mark, text, at) {
    this.handle = handle;
    this.at = at;
    this.sliders = ["horizontal", "vertical"].map((way, axis) => {
      const element = make("div.grip", {
        role: "slider",
        tabindex: 0,
        "data-handle": handle.name,
        "data-axis": axis,
        "aria-label": `${handle.name}, ${way}`,
        "aria-orientation": way,
      });
      return { handle, axis, element, at };
    });
    this.element = make(
      "div.spot",
      { role: "group", "aria-label": handle.name },
      mark,
      text ? make("span.spot-name", { "aria-hidden": "true" }, text) : "",
      ...this.sliders.map(({ element }) => element),
    );
  }
}

/** A square picture: axes, the map of the loss, what is drawn, and the handles. */
class Picture {
  constructor(board, axis, down = false) {
    this.board = board;
    this.axis = axis;
    this.down = down;
    this.size = 400;
    this.spots = [];
    this.map = new LossMap(this);
    this.drawing = makeSvg("svg.drawing", { "aria-hidden": "true" });
    this.layer = make("div.spots");
    this.area = make("div.area", {}, this.map.element, this.grid(), this.drawing, this.layer);
    this.element = make("div.picture", {}, this.area, this.map.legend);
  }

  grid() {
    const { low, high } = this.axis;
    const grid = makeSvg("svg.grid", { "aria-hidden": "true" });
    const ticks = make("div.ticks", { "aria-hidden": "true" });
    for (const tick of ticksBetween(low, high, 6)) {
      const along = (100 * (tick - low)) / (high - low);
      const up = this.down ? along : 100 - along;
      const kind = tick === 0 ? "line.zero" : "line";
      grid.append(
        makeSvg(kind, { x1: `${along}%`, x2: `${along}%`, y1: 0, y2: "100%" }),
        makeSvg(kind, { x1: 0, x2: "100%", y1: `${up}%`, y2: `${up}%` }),
      );
      const text = formatNumber(tick);
      ticks.append(make("span.x", { "--at": `${along}%` }, text), make("span.y", { "--at": `${up}%` }, text));
    }
    ticks.append(make("span.x.name", {}, "x"), make("span.y.name", {}, "y"));
    return make("div.grid", {}, grid, ticks);
  }

  add(spot) {
    this.spots.push(spot);
    this.layer.append(spot.element);
    return spot;
  }

  spotOf({ name }) {
    return this.spots.find((spot) => spot.handle.name === name);
  }

  x(value) {
    const { low, high } = this.axis;
    return Math.min(Math.max((value - low) / (high - low), 0), 1) * this.size;
  }

  y(value) {
    return this.down ? this.x(value) : this.size - this.x(value);
  }

  measure() {
    this.size = this.area.clientWidth || this.size;
  }

  // What a pointer can grab

  renew(tables) {
    for (const spot of this.spots) spot.handle = tables.byName.get(spot.handle.name);
  }

  /** The nearest handle, if the pointer came down on one; elsewhere a finger scrolls the page. */
  grab(clientX, clientY) {
    const box = this.area.getBoundingClientRect();
    let best = null;
    for (const spot of this.spots) {
      const [right, down] = [clientX - box.left - spot.px, clientY - box.top - spot.py];
      const inside = Math.max(Math.abs(right), Math.abs(down)) <= SPOT_REACH;
      const distance = Math.hypot(right, down);
      if (inside && distance < (best?.distance ?? Infinity) - 0.5) best = { distance, spot };
    }
    return best && { handle: best.spot.handle, focus: best.spot.sliders[0].element };
  }

  /** The handle stays under the finger where it was touched, rather than jumping to its middle. */
  start(handle, clientX, clientY) {
    const box = this.area.getBoundingClientRect();
    const spot = this.spotOf(handle);
    this.grip = { left: clientX - spot.px, top: clientY - spot.py, box };
  }

  positionAt(handle, clientX, clientY) {
    const { low, high } = this.axis;
    const { left, top } = this.grip;
    const scale = (high - low) / this.size;
    const [right, down] = [(clientX - left) * scale, (clientY - top) * scale];
    return this.board.tables.nearestPlane(handle, low + right, this.down ? low + down : high - down);
  }

  update(frame) {
    const { tables, row, active } = frame;
    for (const spot of this.spots) {
      const now = spot.at(tables, row, spot.handle);
      [spot.px, spot.py] = [this.x(now[0]), this.y(now[1])];
      const place = `translate(${spot.px.toFixed(2)}px, ${spot.py.toFixed(2)}px)`;
      if (place !== spot.place) spot.element.style.transform = spot.place = place;
      spot.element.classList.toggle("active", spot.handle === active);
      spot.element.classList.toggle("waiting", this.board.waitsFor(spot.handle));
    }
    this.map.update(frame);
  }
}

/** Where the numbers of a handle stand in a row. */
function numbersAt(tables, row, { variable, flats }) {
  const numbers = tables.column(row, variable);
  return flats.map((flat) => numbers[flat]);
}

/** An arrow on a picture: the way downhill, longer where it is steeper, but never out of sight. */
class Downhill {
  constructor(picture) {
    this.path = picture.drawing.appendChild(makeSvg("path.downhill"));
    this.line = null; // from end to end, [x1, y1, x2, y2]
  }

  /** From a point in pixels; (right, below) is the slope along these directions on the screen. */
  update(x, y, right, below) {
    const size = Math.hypot(right, below);
    const { from, shortest, longest } = DOWNHILL;
    if (!(size > 0)) {
      setAttribute(this.path, "d", "");
      this.line = null;
      return;
    }
    const steep = size === Infinity ? 1 : size / (size + 1);
    const end = from + shortest + (longest - shortest) * steep;
    const turn = Math.atan2(-below, -right);
    const [across, down] = [Math.cos(turn), Math.sin(turn)];
    setAttribute(this.path, "d", `M${from} 0H${end.toFixed(1)}m-7-5 7 5-7 5`);
    const rotate = `rotate(${((turn * 180) / Math.PI).toFixed(2)})`;
    setAttribute(this.path, "transform", `translate(${x.toFixed(2)} ${y.toFixed(2)}) ${rotate}`);
    this.line = [x + from * across, y + from * down, x + end * across, y + end * down];
  }
}

/** Draws a line between two places, and returns it as [x1, y1, x2, y2]. */
function drawLine(line, from, to) {
  setAttribute(line, "x1", from.px.toFixed(1));
  setAttribute(line, "y1", from.py.toFixed(1));
  setAttribute(line, "x2", to.px.toFixed(1));
  setAttribute(line, "y2", to.py.toFixed(1));
  return [from.px, from.py, to.px, to.py];
}

/** What the loss derives for a sample, one number each: "Distance 1.25". */
function derivedNumbers(scene, { columns, labels, samples }, sample) {
  const shown = columns.filter(({ name, size }) => name !== "share" && labels[name] && size === samples);
  const items = shown.map(({ name }) => {
    const number = make("b");
    scene.parts.push({ update: ({ tables, row }) => setText(number, formatNumber(tables.column(row, name)[sample])) });
    return make("span.derived", {}, make("span.caption", {}, labels[name]), number);
  });
  return items.length ? make("div.derived-list", {}, ...items) : "";
}
