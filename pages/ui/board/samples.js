// What all scenes share: the frame of the samples, their titles with their shares of the loss, buttons, the legend.

/** The scene that draws the tables' kind of board. */
function makeScene(board, tables) {
  const kinds = {
    numbers: NumbersScene,
    bars: BarsScene,
    plane: PlaneScene,
    boxes: BoxesScene,
    mask: MaskScene,
    alignment: AlignmentScene,
  };
  return new kinds[tables.kind](board, tables);
}

/**
 * A scene fills `element` and collects what must be kept up to date:
 *   parts     [{handle?, update(frame)}], called at every frame; the handle is exchanged when new tables come
 *   surfaces  [{element, grab(x, y, target) -> {handle, focus} or null, start(handle, x, y),
 *             positionAt(handle, x, y) -> position, renew(tables)}], what a pointer can drag; grab changes nothing
 *   sliders   [{handle, element, axis, at?}], elements of role slider, whose aria-value* the board writes; where the
 *             handle moves with others, at(tables, row, handle) says where it stands
 *   down      whether the y axis points down
 */
class Scene {
  constructor(board, tables, word = "Sample") {
    this.board = board;
    this.tables = tables;
    this.word = word;
    this.parts = [];
    this.surfaces = [];
    this.sliders = [];
    this.shares = [];
    this.down = false;
    this.element = make(`div.samples.${tables.kind}`);
  }

  /** A number field, of a plane's handle for one coordinate; `mark` stands before it. */
  field(handle, axis = null, mark = null) {
    const field = new NumberField(this.board, handle, axis, mark);
    this.parts.push(field);
    return field;
  }

  /** A switch for two values, a radio group for more. */
  choice(handle, mark = null, word = "") {
    const Kind = handle.choices.length === 2 ? LabelSwitch : ChoiceGroup;
    const choice = new Kind(this.board, handle, mark, word);
    this.parts.push(choice);
    return choice.element;
  }

  /** "Sample 2", its share of the loss as a number and a bar. */
  title(sample) {
    const share = { sample, number: make("b"), bar: make("i") };
    this.shares.push(share);
    share.element = make("span.share", {}, make("span.caption", {}, "Share"), share.number, make("span.bar", {}, share.bar));
    return make("div.title", {}, make("span.name", {}, `${this.word} ${sample + 1}`), share.element);
  }

  remove(sample) {
    const { samples, min_samples: least } = this.tables;
    const name = `Remove ${this.word.toLowerCase()} ${sample + 1}`;
    const stays = samples <= least;
    const why = least === 1 ? `The last ${this.word.toLowerCase()} stays` : `This loss needs at least ${least}`;
    const button = make(
      "button.remove",
      {
        type: "button",
        "data-control": `remove ${sample}`,
        "aria-label": name,
        title: stays ? why : name,
        disabled: stays ? "" : null,
      },
      "×",
    );
    button.addEventListener("click", () => this.board.act("remove", { sample }));
    return button;
  }

  /** The button that adds a sample; nothing where the board always holds one. */
  addButton() {
    const { samples, full, max_samples: most } = this.tables;
    if (most === 1) return "";
    const button = make("button.add", { type: "button", disabled: full ? "" : null, "data-control": "add" });
    const word = this.word.toLowerCase();
    button.textContent = full ? `The board is full: ${samples} ${word}s` : `Add a ${word}`;
    button.addEventListener("click", () => this.board.act("add"));
    return button;
  }

  /** Marks with their meaning, the arrow, and a hint what a hand can do. */
  legend(marks, hint, ...more) {
    const item = (mark, text) => make("span.item", {}, mark, text);
    return make(
      "div.legend",
      {},
      ...marks.map(([mark, text]) => item(mark, text)),
      item(make("span.arrow.right", { "aria-hidden": "true" }, make("i")), "Downhill, with the gradient"),
      make("span.item.hint", {}, hint),
      ...more.map((text) => item("", text)),
    );
  }

  measure() {}

  update(frame) {
    const { tables, row, active } = frame;
    for (const part of this.parts) part.update(frame);
    const value = tables.column(row, "value")[0];
    const shares = tables.column(row, "share");
    for (const { sample, element, number, bar } of this.shares) {
      const part = shares[sample] / value;
      setText(number, formatNumber(shares[sample]));
      setProperty(bar, "--width", Number.isFinite(part) ? Math.min(Math.max(part, 0), 1) : 0);
      element.classList.toggle("active", active.sample === sample);
    }
  }
}
