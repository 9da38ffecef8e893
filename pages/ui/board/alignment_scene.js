// The scene of frames against symbols, where the alignments that carry the target's probability are drawn through the
// cells.

const ALIGNMENTS_SHOWN = 5;
const LOGIT_DRAG = 280;
const WIDEST_LINE = 13;
const BLANK_SIGN = "–";

/** One cell: the logit of a symbol in a frame. */
class AlignmentCell {
  constructor(handle) {
    this.slider = CellGrid.slider(handle);
    [this.flat] = handle.flats;
    this.softmax = make("span.cell-number", { "aria-hidden": "true" });
    this.logit = make("span.cell-logit", { "aria-hidden": "true" });
    this.pull = make("i.pull");
    this.element = make("div.cell", {}, make("i.ring"), this.softmax, this.logit, this.pull, this.slider.element);
  }

  update(logit, softmax, occupancy, downhill, active) {
    this.element.classList.toggle("active", active === this.slider.handle);
    setProperty(this.element, "--p", softmax.toFixed(4));
    setProperty(this.element, "--ring", Math.sqrt(occupancy).toFixed(3));
    setProperty(this.pull, "--pull", downhill.toFixed(3));
    setText(this.softmax, softmax.toFixed(2));
    setText(this.logit, formatNumber(logit));
  }
}

class AlignmentScene extends Scene {
  constructor(board, tables) {
    super(board, tables);
    const { symbols, alignments } = tables.scene;
    this.symbols = symbols;
    this.walks = alignments;
    [this.frames, this.kinds] = tables.variable("prediction").shape.slice(1);
    const logits = tables.handles.filter(({ variable }) => variable === "prediction");
    this.cells = logits.map((handle) => new AlignmentCell(handle));
    // A line of the picture is a symbol; the numbers lie frame by frame.
    const lines = Array.from({ length: this.kinds }, (_, symbol) => this.cells.filter(({ flat }) => flat % this.kinds === symbol));
    this.grid = make("div.alignment-grid", { "--columns": this.frames }, ...lines.map((cells, symbol) => this.line(cells, symbol)));
    this.paths = Array.from({ length: ALIGNMENTS_SHOWN }, () => makeSvg("path"));
    const size = { viewBox: `0 0 ${this.frames} ${this.kinds}`, preserveAspectRatio: "none", "aria-hidden": "true" };
    this.grid.append(makeSvg("svg.walks", size, ...this.paths));
    this.surfaces.push(new CellGrid(board, lines.map((cells) => cells.map(({ slider }) => slider)), this.grid, LOGIT_DRAG));
    this.sliders = this.cells.map(({ slider }) => slider);
    this.follow = new FollowField(board, FollowField.first(board, logits));
    this.parts.push(this.follow);
    this.longest = make("span.point-slope");
    this.element.append(
      this.legendOf(),
      make(
        "div.alignment-body",
        {},
        this.targets(tables),
        make("div.alignment-frame", {}, this.header(), this.grid),
        this.longest,
        this.follow.line,
        derivedNumbers(this, tables, 0),
        this.list(),
      ),
    );
  }

  legendOf() {
    const sign = (kind) => make(`i.${kind}`, { "aria-hidden": "true" });
    const marks = [
      [sign("mask-sign.prediction"), "Softmax of the logits in a frame"],
      [sign("ring-sign"), "How much of the target's probability passes here"],
      [sign("walk-sign"), `The ${ALIGNMENTS_SHOWN} likeliest alignments`],
    ];
    return this.legend(marks, "Drag a cell up or down to change its logit.");
  }

  line(cells, symbol) {
    const name = make("span.symbol", { "aria-hidden": "true" }, this.symbols[symbol]);
    return make(
      "div.alignment-row",
      { role: "group", "aria-label": `Symbol ${this.symbols[symbol]}` },
      name,
      ...cells.map(({ element }) => element),
    );
  }

  header() {
    const frames = Array.from({ length: this.frames }, (_, frame) => make("span", {}, make("span.word", {}, "Frame "), frame + 1));
    return make("div.alignment-header", { "--columns": this.frames, "aria-hidden": "true" }, make("span"), ...frames);
  }

  targets(tables) {
    const handles = tables.handles.filter(({ variable }) => variable === "target");
    return make(
      "div.targets",
      {},
      make("span.caption", {}, markOf("target"), "Target"),
      ...handles.map((handle) => this.choice(handle, null, "Symbol")),
    );
  }

  /** The likeliest alignments written out, with their shares. */
  list() {
    this.items = this.paths.map(() => {
      const item = { text: make("span.walk-text"), bar: make("i"), share: make("b") };
      item.element = make("li", {}, item.text, make("span.bar", {}, item.bar), item.share);
      return item;
    });
    this.rest = make("p.caption");
    const title = make("h2", {}, "Alignments that carry the probability");
    const blank = make("span.caption", {}, `${BLANK_SIGN} is the blank`);
    const items = make("ol", {}, ...this.items.map(({ element }) => element));
    const name = { "aria-label": title.textContent };
    return make("section.walk-list", name, make("div.walk-title", {}, title, blank), items, this.rest);
  }

  /** The symbol at each frame of a walk: even places are blanks, place 2 i + 1 is the target's symbol i. */
  symbolsOf(walk, target) {
    return walk.map((place) => (place % 2 ? target[(place - 1) / 2] : 0));
  }

  update(frame) {
    super.update(frame);
    const { tables, row, active } = frame;
    const columns = ["prediction", "softmax", "scene_occupancy"];
    const [logits, softmax, occupancy] = columns.map((name) => tables.column(row, name));
    const slope = tables.gradient(row, "prediction");
    const longest = slope.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    for (const cell of this.cells) {
      const { flat } = cell;
      cell.update(logits[flat], softmax[flat], occupancy[flat] || 0, longest > NOISE ? -slope[flat] / longest : 0, active);
    }
    setText(this.longest, arrowNote(longest > NOISE ? longest : 0));
    this.drawWalks(tables.column(row, "scene_alignment"), tables.column(row, "target"));
  }

  drawWalks(shares, target) {
    const likely = [...this.walks.keys()].filter((index) => shares[index] > 0);
    likely.sort((one, other) => shares[other] - shares[one]);
    this.items.forEach(({ element, text, bar, share }, rank) => {
      const path = this.paths[rank];
      const index = likely[rank];
      element.hidden = index === undefined;
      path.style.display = index === undefined ? "none" : "";
      if (index === undefined) return;
      const symbols = this.symbolsOf(this.walks[index], target);
      // Alignments that share a way lie beside each other.
      const aside = 0.5 + 0.07 * ((rank + 1) >> 1) * (rank % 2 ? 1 : -1);
      setAttribute(path, "d", `M${symbols.map((symbol, frame) => `${frame + 0.5} ${(symbol + aside).toFixed(2)}`).join("L")}`);
      setAttribute(path, "stroke-width", Math.max(WIDEST_LINE * shares[index], 1).toFixed(2));
      setText(text, symbols.map((symbol) => (symbol ? this.symbols[symbol] : BLANK_SIGN)).join(" "));
      setProperty(bar, "--width", shares[index].toFixed(4));
      setText(share, percent(shares[index]));
    });
    const others = likely.slice(ALIGNMENTS_SHOWN);
    const left = others.reduce((sum, index) => sum + shares[index], 0);
    const many = `${others.length} other alignment${others.length === 1 ? "" : "s"}: ${percent(left)}`;
    setText(this.rest, !likely.length ? "No alignment fits into these frames." : others.length ? many : "");
  }
}

/** A share as people read it: "43%", "3.2%", "below 0.1%". */
function percent(share) {
  if (share < 0.001) return "below 0.1%";
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)}%`;
}
