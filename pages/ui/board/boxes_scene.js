// The scene of boxes: the predicted and the true one in a picture, with their corners, centres and numbers.

const BOX_SIDES = ["x1", "y1", "x2", "y2"];
const CORNER_SIDES = { "top left": [0, 1], "top right": [2, 1], "bottom left": [0, 3], "bottom right": [2, 3] };

/** Where the middle of a handle's box stands in a row. */
function middleAt(tables, row, { variable, sample }) {
  const [x1, y1, x2, y2] = boxAt(tables, row, variable, sample);
  return [(x1 + x2) / 2, (y1 + y2) / 2];
}

function boxAt(tables, row, variable, sample) {
  return tables.column(row, variable).subarray(4 * sample, 4 * sample + 4);
}

/** The field of a centre: it moves with the corners, which its own positions do not know. */
class CentreField extends NumberField {
  update(frame) {
    const middle = middleAt(frame.tables, frame.row, this.handle);
    super.update({ ...frame, tables: { coordinate: () => middle[this.axis] } });
  }
}

/** The slope along one number of a box. */
class SideSlope {
  constructor(variable, flat) {
    this.element = make("span.side-slope");
    Object.assign(this, { variable, flat });
  }

  update({ tables, row, held }) {
    const { variable, flat } = this;
    const text = held(variable, flat) ? "held" : formatNumber(tables.gradient(row, variable)[flat]);
    setText(this.element, `slope ${text}`);
  }
}

/** One sample: the picture with both boxes, and their numbers. */
class BoxPair {
  constructor(scene, tables, sample) {
    this.scene = scene;
    this.sample = sample;
    this.picture = new Picture(scene.board, tables.scene.axis, true);
    this.draw(tables.labels);
    this.arrows = [];
    for (const handle of tables.handles) if (handle.sample === sample) this.addSpot(handle, tables);
    const fields = tables.variables.map((variable) => this.fields(variable, tables));
    this.element = make(
      "section.box-pair",
      { "aria-label": `Sample ${sample + 1}` },
      make("div.head", {}, scene.title(sample), scene.remove(sample)),
      this.picture.element,
      derivedNumbers(scene, tables, sample),
      ...fields,
    );
  }

  /** Both boxes, what they share, and what encloses them where the loss speaks of it. */
  draw(labels) {
    const { drawing } = this.picture;
    const hatch = `hatch-${Math.random().toString(36).slice(2)}`;
    const stripe = makeSvg("path", { d: "M-2 2 2-2M0 10 10 0M8 12 12 8" });
    const pattern = makeSvg("pattern.hatch", { id: hatch, width: 10, height: 10, patternUnits: "userSpaceOnUse" }, stripe);
    const speaks = (word) => Object.values(labels).some((label) => label.toLowerCase().includes(word));
    const shape = (kind, attributes = {}) => drawing.appendChild(makeSvg(kind, attributes));
    drawing.append(pattern);
    this.enclosing = speaks("enclos") ? shape("rect.enclosing") : null;
    this.diagonal = speaks("diagonal") ? shape("line.diagonal") : null;
    this.target = shape("rect.box.target", { fill: `url(#${hatch})` });
    this.shared = shape("rect.shared");
    this.prediction = shape("rect.box.prediction");
    this.between = speaks("centre") ? shape("line.between") : null;
  }

  addSpot(handle, tables) {
    const centre = handle.part === "centre";
    const { role, gradient } = tables.variable(handle.variable);
    const mark = make(`i.box-mark.${role}.${centre ? "centre" : "corner"}`, { "aria-hidden": "true" });
    const spot = this.picture.add(new Spot(handle, mark, "", centre ? middleAt : numbersAt));
    if (gradient && !centre) this.arrows.push({ spot, handle, arrow: new Downhill(this.picture) });
  }

  /** The four numbers of a box with their slopes, and its centre. */
  fields({ name, label, role, gradient }, tables) {
    const { scene, sample } = this;
    const own = tables.handles.filter((handle) => handle.variable === name && handle.sample === sample);
    const byPart = new Map(own.map((handle) => [handle.part, handle]));
    const letter = (text) => make("span.letter", { "aria-hidden": "true" }, text);
    const messages = [];
    const cells = BOX_SIDES.map((text, side) => {
      const field = scene.field(byPart.get(side < 2 ? "top left" : "bottom right"), side % 2, letter(text));
      const slope = gradient ? new SideSlope(name, 4 * sample + side) : null;
      if (slope) scene.parts.push(slope);
      messages.push(field.message);
      return make("span.side", {}, field.element, slope ? slope.element : "");
    });
    const centre = ["x", "y"].map((text, axis) => {
      const field = new CentreField(scene.board, byPart.get("centre"), axis, letter(text));
      scene.parts.push(field);
      messages.push(field.message);
      return field.element;
    });
    return make(
      "div.box-fields",
      {},
      make("span.box-name", {}, make(`i.box-mark.${role}.corner`, { "aria-hidden": "true" }), label),
      make("div.sides", {}, ...cells),
      make("div.middle", {}, make("span.caption", {}, "Centre"), ...centre),
      ...messages,
    );
  }

  update(frame) {
    const { picture, sample } = this;
    const { tables, row } = frame;
    picture.update(frame);
    const [p, t] = ["prediction", "target"].map((name) => boxAt(tables, row, name, sample));
    this.lay(this.prediction, p);
    this.lay(this.target, t);
    this.lay(this.shared, [Math.max(p[0], t[0]), Math.max(p[1], t[1]), Math.min(p[2], t[2]), Math.min(p[3], t[3])]);
    const outer = [Math.min(p[0], t[0]), Math.min(p[1], t[1]), Math.max(p[2], t[2]), Math.max(p[3], t[3])];
    if (this.enclosing) this.lay(this.enclosing, outer);
    if (this.diagonal) this.join(this.diagonal, outer);
    if (this.between) this.join(this.between, [(p[0] + p[2]) / 2, (p[1] + p[3]) / 2, (t[0] + t[2]) / 2, (t[1] + t[3]) / 2]);
    const slope = tables.gradient(row, "prediction");
    for (const { spot, handle, arrow } of this.arrows) {
      const [right, below] = CORNER_SIDES[handle.part].map((side) => slope[4 * sample + side]);
      arrow.update(spot.px, spot.py, right, below);
    }
  }

  lay(rect, [x1, y1, x2, y2]) {
    const { picture } = this;
    setAttribute(rect, "x", picture.x(x1).toFixed(1));
    setAttribute(rect, "y", picture.y(y1).toFixed(1));
    setAttribute(rect, "width", Math.max(picture.x(x2) - picture.x(x1), 0).toFixed(1));
    setAttribute(rect, "height", Math.max(picture.y(y2) - picture.y(y1), 0).toFixed(1));
  }

  join(line, [x1, y1, x2, y2]) {
    const { picture } = this;
    drawLine(line, { px: picture.x(x1), py: picture.y(y1) }, { px: picture.x(x2), py: picture.y(y2) });
  }
}

class BoxesScene extends Scene {
  constructor(board, tables) {
    super(board, tables);
    this.down = true;
    this.pairs = Array.from({ length: tables.samples }, (_, sample) => new BoxPair(this, tables, sample));
    this.surfaces = this.pairs.map(({ picture }) => picture);
    this.sliders = this.surfaces.flatMap(({ spots }) => spots.flatMap(({ sliders }) => sliders));
    this.parts.push(...this.pairs);
    this.element.append(this.legendOf(), ...this.pairs.map(({ element }) => element), this.addButton());
  }

  legendOf() {
    const sign = (kind) => make(`i.box-sign.${kind}`, { "aria-hidden": "true" });
    const [{ enclosing, diagonal, between }] = this.pairs;
    const marks = [
      [sign("prediction"), "Predicted box"],
      [sign("target"), "True box"],
      [sign("shared"), "Intersection"],
    ];
    if (enclosing) marks.push([sign("enclosing"), diagonal ? "Enclosing box with its diagonal" : "Enclosing box"]);
    if (between) marks.push([sign("between"), "Between the centres"]);
    return this.legend(marks, "Drag corners and centres.");
  }

  measure() {
    for (const { picture } of this.pairs) picture.measure();
  }
}
