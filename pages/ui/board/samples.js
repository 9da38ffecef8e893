// The samples of a board, each with its tracks, fields, choices and its share of the loss.

// What a hand can do on each kind of board.
const HINTS = {
  line: "Drag circles and diamonds.",
  binary: "Drag circles, switch labels.",
  classes: "Drag circles, choose true classes.",
  distributions: "Drag circles and diamonds.",
};

class Samples {
  constructor(board, tables) {
    this.board = board;
    this.tracks = [];
    this.parts = [];
    this.shares = [];
    this.classMarks = [];
    const build = { line: "buildLine", binary: "buildBinary", classes: "buildClasses", distributions: "buildDistributions" };
    const rows = Array.from({ length: tables.samples }, (_, sample) => {
      const handles = tables.handles.filter((handle) => handle.sample === sample);
      return this[build[tables.kind]](tables, sample, handles);
    });
    const full = tables.samples >= 8 || (tables.kind === "distributions" && tables.samples * tables.classes >= 24);
    this.add = make("button.add", { type: "button", disabled: full ? "" : null, "data-control": "add" });
    this.add.textContent = full ? `The board is full: ${tables.samples} samples` : "Add a sample";
    this.add.addEventListener("click", () => board.act("add"));
    const single = tables.kind === "line" || tables.kind === "binary";
    const axis = make("div.row.axis-row", {}, makeAxis(tables.axis));
    this.element = make(`div.samples.${tables.kind}`, {}, this.legend(tables), ...rows, single ? axis : "", this.add);
  }

  legend({ kind, labels }) {
    const item = (mark, text) => make("span.item", {}, mark, text);
    return make(
      "div.legend",
      {},
      item(markOf("prediction"), labels.prediction),
      item(markOf("target"), kind === "classes" ? "True class" : labels.target),
      item(make("span.arrow.right", { "aria-hidden": "true" }, make("i")), "Downhill, with the gradient"),
      make("span.item.hint", {}, HINTS[kind]),
      labels.raw_gradient ? item("", `Raw gradient: ${labels.raw_gradient}`) : "",
    );
  }

  track(axis, handles, options) {
    const track = new Track(this.board, axis, handles, options);
    this.tracks.push(track);
    this.parts.push(track);
    return track.element;
  }

  field(handle) {
    const field = new NumberField(this.board, handle);
    this.parts.push(field);
    return field;
  }

  choice(Kind, handle) {
    const choice = new Kind(this.board, handle);
    this.parts.push(choice);
    return choice.element;
  }

  /** "Sample 2", its share of the loss as a number and a bar. */
  title(sample) {
    const share = { number: make("b"), bar: make("i"), text: null };
    this.shares.push(share);
    share.element = make("span.share", {}, make("span.caption", {}, "Share"), share.number, make("span.bar", {}, share.bar));
    return make("div.title", {}, make("span.name", {}, `Sample ${sample + 1}`), share.element);
  }

  remove(tables, sample) {
    const button = make(
      "button.remove",
      {
        type: "button",
        "data-control": `remove ${sample}`,
        "aria-label": `Remove sample ${sample + 1}`,
        title: tables.samples === 1 ? "The last sample stays" : `Remove sample ${sample + 1}`,
        disabled: tables.samples === 1 ? "" : null,
      },
      "×",
    );
    button.addEventListener("click", () => this.board.act("remove", { sample }));
    return button;
  }

  buildLine(tables, sample, handles) {
    const fields = handles.map((handle) => this.field(handle));
    return make(
      "section.row",
      { "aria-label": `Sample ${sample + 1}` },
      this.title(sample),
      this.track(tables.axis, handles, { span: "residual" }),
      make("div.fields", {}, ...fields.map(({ element }) => element)),
      this.remove(tables, sample),
      ...fields.map(({ message }) => message),
    );
  }

  buildBinary(tables, sample, [prediction, label]) {
    const field = this.field(prediction);
    const margin = label.choices[0].startsWith("-") || label.choices[0].startsWith(MINUS);
    const lines = prediction.unit ? [0.5] : margin ? [-1, 1] : [0];
    const options = { span: prediction.unit ? "residual" : "region", label: label.flat, lines };
    return make(
      "section.row",
      { "aria-label": `Sample ${sample + 1}` },
      this.title(sample),
      this.track(tables.axis, [prediction], options),
      make("div.fields", {}, field.element, this.choice(LabelSwitch, label)),
      this.remove(tables, sample),
      field.message,
    );
  }

  head(tables, sample, choice) {
    return make("div.head", {}, this.title(sample), choice || "", this.remove(tables, sample));
  }

  /** One bar: its name, its track, its number, and what follows from it. */
  bar(name, track, handle, extra) {
    const field = this.field(handle);
    return make("div.bar-row", {}, name, track, field.element, extra, field.message);
  }

  captions(...texts) {
    return make("div.captions", { "aria-hidden": "true" }, ...texts.map((text) => make("span", {}, text)));
  }

  className(sample, index, trueClass) {
    const element = make("span.class-name", {}, `Class ${index}`);
    if (trueClass) {
      const mark = element.appendChild(make("span.true", { hidden: "" }, markOf("target"), "true"));
      this.classMarks.push({ mark, sample, index });
    }
    return element;
  }

  /** A probability as a small bar and a number. */
  probability(column, index) {
    const number = make("b");
    const bar = make("i");
    this.parts.push({
      update({ tables, row }) {
        const value = tables.column(row, column)[index];
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

  buildClasses(tables, sample, handles) {
    const choice = handles.find(({ kind }) => kind === "choice");
    const rows = handles
      .filter((handle) => handle !== choice)
      .map((handle) => {
        const track = this.track(tables.axis, [handle], { span: "bar" });
        const name = this.className(sample, handle.index[1], true);
        return this.bar(name, track, handle, this.probability("softmax", handle.flat));
      });
    return make(
      "section.group",
      { "aria-label": `Sample ${sample + 1}` },
      this.head(tables, sample, this.choice(ClassChoice, choice)),
      this.captions("Logit", "Softmax"),
      ...rows,
      make("div.bar-row.axis-row", {}, "", makeAxis(tables.axis)),
    );
  }

  buildDistributions(tables, sample, handles) {
    const logits = handles.filter(({ variable }) => variable === "prediction");
    const targets = handles.filter(({ variable }) => variable === "target");
    const unit = { low: 0, high: 1, label: "Probability" };
    const name = (handle) => this.className(sample, handle.index[1], false);
    return make(
      "section.group",
      { "aria-label": `Sample ${sample + 1}` },
      this.head(tables, sample, null),
      this.captions("Logits of the prediction", "Predicted"),
      ...logits.map((handle) =>
        this.bar(name(handle), this.track(tables.axis, [handle], { span: "bar" }), handle, this.probability("softmax", handle.flat)),
      ),
      make("div.bar-row.axis-row", {}, "", makeAxis(tables.axis)),
      this.captions("Target (outline) over predicted (solid)", ""),
      ...targets.map((handle) =>
        this.bar(
          name(handle),
          this.track(unit, [handle], { span: "bar", fill: { column: "softmax", index: handle.flat } }),
          handle,
          this.number("Raw gradient", "raw_gradient", handle.flat),
        ),
      ),
      make("div.bar-row.axis-row", {}, "", makeAxis(unit)),
    );
  }

  measure() {
    for (const track of this.tracks) track.width = track.lane.clientWidth;
  }

  update(frame) {
    const { tables, row, active } = frame;
    for (const part of this.parts) part.update(frame);
    const value = tables.column(row, "value")[0];
    const shares = tables.column(row, "share");
    this.shares.forEach(({ element, number, bar }, sample) => {
      const part = shares[sample] / value;
      setText(number, formatNumber(shares[sample]));
      setProperty(bar, "--width", Number.isFinite(part) ? Math.min(Math.max(part, 0), 1) : 0);
      element.classList.toggle("active", active.sample === sample);
    });
    for (const { mark, sample, index } of this.classMarks) mark.hidden = tables.column(row, "target")[sample] !== index;
  }
}
