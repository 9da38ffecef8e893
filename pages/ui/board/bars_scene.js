// Bars: one number a class or an item, in groups, one group a sample, with what is true beside them.

class BarsScene extends Scene {
  constructor(board, tables) {
    super(board, tables, tables.scene.sample_label);
    const { scene } = tables;
    const { truth } = scene;
    const marks = ["prediction", "target"].map((name) => [markOf(name), tables.variable(name).label]);
    const hints = {
      class: "Drag circles, choose what is true.",
      labels: "Drag circles, switch labels.",
      distribution: "Drag circles and diamonds.",
      relevance: "Drag circles, choose grades.",
    };
    const raw = tables.labels.raw_gradient ? [`Raw gradient: ${tables.labels.raw_gradient}`] : [];
    const groups = Array.from({ length: tables.samples }, (_, sample) => this.group(sample));
    if (!scene.beside) this.element.classList.add("alone");
    this.element.append(this.legend(marks, hints[truth], ...raw), ...groups, this.addButton());
  }

  group(sample) {
    const { tables } = this;
    const { axis, truth } = tables.scene;
    const handles = tables.handles.filter((handle) => handle.sample === sample);
    const scores = handles.filter(({ variable }) => variable === "prediction");
    const truths = handles.filter(({ variable }) => variable === "target");
    const caption = make("span.caption", {}, tables.variable("target").label);
    const choice = truth === "class" ? this.choice(truths[0], caption, tables.scene.class_label) : "";
    const bars = scores.map((handle, index) => {
      const own = truth === "labels" || truth === "relevance" ? this.choice(truths[index], markOf("target")) : null;
      return this.bar(sample, index, handle, axis, { span: "bar" }, this.beside(handle.flats[0]), own);
    });
    return make(
      "section.group",
      { "aria-label": `${this.word} ${sample + 1}` },
      make("div.head", {}, this.title(sample), choice, this.remove(sample)),
      tables.scene.beside ? this.captions(tables.variable("prediction").label, tables.scene.beside_label) : "",
      ...bars,
      make("div.bar-row.axis-row", {}, makeAxis(axis)),
      ...(truth === "distribution" ? this.truthBars(sample, truths) : []),
    );
  }

  /** The true distribution as outlines over the predicted one. */
  truthBars(sample, truths) {
    const { tables } = this;
    const { beside } = tables.scene;
    const unit = { low: 0, high: 1, label: "Probability" };
    const bars = truths.map((handle, index) => {
      const [flat] = handle.flats;
      const fill = beside ? { column: beside, index: flat } : null;
      const extra = tables.has("raw_gradient") ? this.number("Raw gradient", "raw_gradient", flat) : "";
      return this.bar(sample, index, handle, unit, { span: "bar", fill }, extra, null);
    });
    const text = beside ? "Target (outline) over predicted (solid)" : "Target";
    return [make("div.captions.whole", { "aria-hidden": "true" }, make("span", {}, text)), ...bars, make("div.bar-row.axis-row", {}, makeAxis(unit))];
  }

  /** One bar: its name, its track, its number and what is true of it, and what follows from it. */
  bar(sample, index, handle, axis, options, extra, choice) {
    const track = new Track(this.board, axis, [handle], options);
    this.parts.push(track);
    this.sliders.push(...track.sliders);
    this.surfaces.push(track.surface);
    const field = this.field(handle, null, markOf(this.tables.variable(handle.variable).role));
    const name = this.name(sample, index, handle);
    const fields = make("div.fields", {}, field.element, choice);
    return make("div.bar-row", {}, name, track.element, fields, extra, field.message);
  }

  /** What the numbers of the bars are, and what stands beside them; on a wide board the axis tells the first. */
  captions(score, beside) {
    return make("div.captions", { "aria-hidden": "true" }, make("span.score", {}, score), make("span", {}, beside));
  }

  /** "Class 2", marked where it is the true one, with its rank where items are ranked. */
  name(sample, index, handle) {
    const { scene } = this.tables;
    const element = make("span.class-name", {}, make("span", {}, `${scene.class_label} ${scene.names[index]}`.trim()));
    if (scene.truth === "class") {
      const mark = element.appendChild(make("span.true", { hidden: "" }, markOf("target"), "true"));
      this.parts.push({
        update({ tables, row }) {
          mark.hidden = tables.column(row, "target")[sample] !== index;
        },
      });
    }
    if (this.tables.has("scene_rank")) {
      const rank = element.appendChild(make("span.rank"));
      const [flat] = handle.flats;
      this.parts.push({
        update: ({ tables, row }) => setText(rank, `rank ${formatNumber(tables.column(row, "scene_rank")[flat])}`),
      });
    }
    return element;
  }

  /** What follows from a score, such as a probability: a small bar and a number. */
  beside(flat) {
    const { beside } = this.tables.scene;
    if (!beside) return "";
    const number = make("b");
    const bar = make("i");
    this.parts.push({
      update({ tables, row }) {
        const value = tables.column(row, beside)[flat];
        setText(number, formatNumber(value));
        setProperty(bar, "--width", value);
      },
    });
    return make("span.probability", {}, make("span.bar", {}, bar), number);
  }

  /** A number of its own with a small caption. */
  number(caption, column, index) {
    const number = make("b");
    this.parts.push({ update: ({ tables, row }) => setText(number, formatNumber(tables.column(row, column)[index])) });
    return make("span.probability", {}, make("span.caption", {}, caption), number);
  }
}
