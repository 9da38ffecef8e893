// The scene of points in a plane: what belongs together is joined, and every point shows its way downhill.

const SHAPES = [
  "M0-8.5a8.5 8.5 0 1 0 .01 0Z",
  "M0-11 11 0 0 11-11 0Z",
  "M-7.5-7.5h15v15h-15Z",
  "M0-10 10 7.5h-20Z",
  "M-3.5-9.5h7v6h6v7h-6v6h-7v-6h-6v-7h6Z",
];
const COLOURS = 5;
const GIVEN_COLOUR = 3;

/** The mark of a point: its shape and its colour, both by number; a given point is hollow. */
class PointMark {
  constructor(role) {
    this.path = makeSvg("path");
    this.element = makeSvg(`svg.point.${role}`, { viewBox: "-12 -12 24 24", "aria-hidden": "true" }, this.path);
  }

  set(shape, colour) {
    setAttribute(this.path, "d", SHAPES[shape % SHAPES.length]);
    setAttribute(this.element, "data-colour", colour % COLOURS);
    return this;
  }
}

/** The shortest beginnings that tell names apart. */
function initials(names) {
  let length = 1;
  while (new Set(names.map((name) => name.slice(0, length))).size < names.length) length += 1;
  return names.map((name) => name.slice(0, length));
}

class PlaneScene extends Scene {
  constructor(board, tables) {
    super(board, tables, tables.scene.sample_label);
    this.marks = [];
    this.points = [];
    this.picture = new Picture(board, tables.scene.axis);
    this.parts.push(this.picture);
    this.surfaces.push(this.picture);
    this.names = new PointNames(this.picture);
    this.readKinds(tables);
    this.drawUnder(tables);
    for (const handle of tables.handles) if (handle.kind === "plane") this.addPoint(handle);
    this.sliders = this.picture.spots.flatMap(({ sliders }) => sliders);
    this.element.append(this.legendOf(tables), make("div.beside", {}, this.picture.element, this.list(tables)), this.addButton());
  }

  /** How each variable is drawn: by shape; the colour tells classes where points belong to some. */
  readKinds(tables) {
    const { scene } = tables;
    const variables = scene.points.map((name) => tables.variable(name));
    const short = initials(variables.map(({ label }) => label));
    const single = variables.length === 1;
    const label = scene.labels.length ? tables.variable(scene.labels[0]) : null;
    this.classes = label && (single || scene.per_class.length) ? label : null;
    this.kinds = new Map(
      variables.map((variable, index) => {
        const perClass = scene.per_class.includes(variable.name);
        return [variable.name, { variable, index, short: short[index], perClass, single }];
      }),
    );
  }

  /** Shape and colour of a point in a row. */
  look({ index, variable, perClass, single }, number, tables, row) {
    if (!this.classes) return [index, variable.role === "target" ? GIVEN_COLOUR : index];
    const own = perClass ? number : this.classes.values.indexOf(tables.column(row, this.classes.name)[number]);
    return [single ? own : index, own];
  }

  /** What lies under the points: the unit circle, lines between points, and vectors. */
  drawUnder({ scene, samples }) {
    const { drawing } = this.picture;
    if (scene.vectors) this.circle = drawing.appendChild(makeSvg("circle.unit"));
    this.joins = scene.lines.flatMap((pair, style) =>
      Array.from({ length: samples }, (_, sample) => {
        const line = drawing.appendChild(makeSvg(`line.join.join-${style}`));
        return { line, from: `${pair[0]} ${sample}`, to: `${pair[1]} ${sample}` };
      }),
    );
  }

  addPoint(handle) {
    const { picture } = this;
    const kind = this.kinds.get(handle.variable);
    const { name, label, gradient } = kind.variable;
    const number = handle.flats[0] / 2;
    const short = kind.short + handle.name.slice(label.length).trim();
    const mark = this.mark(kind, number);
    const spot = picture.add(new Spot(handle, mark.element, short, numbersAt));
    // Two points of different kinds in one place keep names that can be read.
    this.names.add(spot, short, kind.index);
    this.points.push({
      id: `${name} ${number}`,
      kind,
      number,
      mark,
      spot,
      vector: this.circle && picture.drawing.appendChild(makeSvg("line.vector")),
      arrow: gradient ? new Downhill(picture) : null,
    });
  }

  mark(kind, number) {
    const mark = new PointMark(kind.variable.role);
    this.marks.push({ mark, kind, number });
    return mark;
  }

  // The legend and the list

  legendOf({ scene, labels }) {
    const marks = [];
    for (const { variable, index, short, single } of this.kinds.values()) {
      const colour = variable.role === "target" && !this.classes ? GIVEN_COLOUR : index;
      const one = [index, this.classes ? 0 : colour];
      const all = single && this.classes ? this.classes.values.map((_, own) => [own, own]) : [one];
      const signs = all.map((look) => new PointMark(variable.role).set(...look).element);
      marks.push([make("span.signs", {}, ...signs), `${variable.label} (${short})`]);
    }
    if (this.classes && !scene.per_class.length) marks.push(["", `Shape and colour: ${this.classes.label.toLowerCase()}`]);
    if (this.classes && scene.per_class.length) marks.push(["", `Colour: ${this.classes.label.toLowerCase()}`]);
    scene.lines.forEach((pair, style) => {
      const [from, to] = pair.map((name) => this.kinds.get(name).variable.label.toLowerCase());
      const line = makeSvg(`line.join.join-${style}`, { x1: 0, x2: 30, y1: 5, y2: 5 });
      const sign = makeSvg("svg.sign", { viewBox: "0 0 30 10", "aria-hidden": "true" }, line);
      marks.push([sign, `From ${from} to ${to}`]);
    });
    return this.legend(marks, scene.labels.length ? "Drag points, choose labels." : "Drag points.");
  }

  list(tables) {
    const sections = Array.from({ length: tables.samples }, (_, sample) => {
      const own = ({ variable }) => !this.kinds.get(variable)?.perClass;
      const handles = tables.handles.filter((handle) => handle.sample === sample && own(handle));
      const choices = handles.filter(({ kind }) => kind === "choice").map((handle) => this.labelled(handle, tables));
      return make(
        "section.points",
        { "aria-label": `${this.word} ${sample + 1}` },
        make("div.head", {}, this.title(sample), this.remove(sample)),
        ...choices,
        derivedNumbers(this, tables, sample),
        ...this.pointRows(handles),
      );
    });
    for (const name of tables.scene.per_class) {
      const { label } = tables.variable(name);
      const handles = tables.handles.filter(({ variable }) => variable === name);
      const head = make("div.head", {}, make("span.name", {}, label));
      sections.push(make("section.points", { "aria-label": label }, head, ...this.pointRows(handles)));
    }
    return make("div.point-list", {}, ...sections);
  }

  labelled(handle, tables) {
    const label = tables.variable(handle.variable).label;
    return make("div.labelled", {}, make("span.caption", {}, label), this.choice(handle, null, label));
  }

  pointRows(handles) {
    return handles.filter(({ kind }) => kind === "plane").flatMap((handle) => this.pointRow(handle));
  }

  /** A point's name, its two numbers, and the slope along each. */
  pointRow(handle) {
    const kind = this.kinds.get(handle.variable);
    const letter = (text) => make("span.letter", { "aria-hidden": "true" }, text);
    const fields = ["x", "y"].map((text, axis) => this.field(handle, axis, letter(text)));
    const slope = make("span.point-slope");
    if (kind.variable.gradient) this.parts.push(new PointSlope(slope, handle));
    return [
      make(
        "div.point-row",
        {},
        make("span.point-name", {}, this.mark(kind, handle.flats[0] / 2).element, handle.name),
        ...fields.map(({ element }) => element),
        slope,
      ),
      ...fields.map(({ message }) => message),
    ];
  }

  // Drawing

  measure() {
    this.picture.measure();
  }

  update(frame) {
    const { tables, row } = frame;
    for (const { mark, kind, number } of this.marks) mark.set(...this.look(kind, number, tables, row));
    super.update(frame);
    const { picture } = this;
    const places = new Map(this.points.map(({ id, spot }) => [id, spot]));
    const lines = this.joins.map(({ line, from, to }) => drawLine(line, places.get(from), places.get(to)));
    const origin = { px: picture.x(0), py: picture.y(0) };
    if (this.circle) {
      setAttribute(this.circle, "cx", origin.px);
      setAttribute(this.circle, "cy", origin.py);
      setAttribute(this.circle, "r", picture.x(1) - origin.px);
    }
    for (const { kind, number, mark, spot, vector, arrow } of this.points) {
      if (vector) {
        lines.push(drawLine(vector, origin, spot));
        setAttribute(vector, "data-colour", mark.element.dataset.colour);
      }
      if (!arrow) continue;
      const slope = tables.gradient(row, kind.variable.name);
      arrow.update(spot.px, spot.py, slope[2 * number], -slope[2 * number + 1]);
    }
    this.names.update(this.points.flatMap(({ arrow }) => (arrow?.line ? [arrow.line] : [])), lines);
  }
}

/** The two numbers of the gradient at a point. */
class PointSlope {
  constructor(element, handle) {
    this.element = element;
    this.handle = handle;
  }

  update({ tables, row, held }) {
    const { flats, variable } = this.handle;
    const slope = tables.gradient(row, variable);
    const stuck = flats.some((flat) => held(variable, flat));
    const text = flats.map((flat) => formatNumber(slope[flat])).join(", ");
    setText(this.element, stuck ? "held at the edge" : `slope ${text}`);
  }
}
