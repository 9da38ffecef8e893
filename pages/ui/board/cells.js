// What masks and alignments share: grids of cells whose numbers are dragged up and down.

// How far a cell is dragged for the whole of its axis, in pixels.
const CELL_DRAG = 130;

/** A grid of sliders: one stop of the Tab key for each row, left and right within it, up and down for the number. */
class CellGrid {
  /** @param rows slider elements with `handle`, row by row */
  constructor(board, rows, element, reach = CELL_DRAG) {
    this.board = board;
    this.rows = rows;
    this.element = element;
    this.reach = reach;
    this.open = true; // whether a pointer may drag its cells
    this.sliders = rows.flat();
    for (const row of rows) row.forEach((slider, index) => setAttribute(slider.element, "tabindex", index ? -1 : 0));
    element.addEventListener("keydown", (event) => this.onKey(event));
    element.addEventListener("focusin", (event) => this.onFocus(event));
  }

  static slider(handle, name = handle.name) {
    const element = make("div.cell-slider", {
      role: "slider",
      "data-handle": handle.name,
      "aria-label": name,
      "aria-orientation": "vertical",
    });
    return { handle, element };
  }

  onKey(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const row = step && this.rows.find((sliders) => sliders.some(({ element }) => element === event.target));
    if (!row) return;
    event.preventDefault();
    event.stopPropagation();
    const at = row.findIndex(({ element }) => element === event.target);
    row[at + step]?.element.focus();
  }

  onFocus({ target }) {
    const row = this.rows.find((sliders) => sliders.some(({ element }) => element === target));
    for (const { element } of row ?? []) setAttribute(element, "tabindex", element === target ? 0 : -1);
  }

  // What a pointer can grab

  renew() {}

  grab(x, y, target) {
    const slider = this.open && this.sliders.find(({ element }) => element === target);
    return slider ? { handle: slider.handle, focus: slider.element } : null;
  }

  start(handle, x, y) {
    const { tables, row } = this.board;
    this.from = { y, t: tables.coordinate(row, handle, this.board.positionOf(handle)) };
  }

  positionAt(handle, x, y) {
    const scale = (handle.high[0] - handle.low[0]) / this.reach;
    return this.board.tables.nearest(handle, this.from.t + (this.from.y - y) * scale);
  }
}

/** The number field of whichever cell was used last, with its slope. */
class FollowField extends NumberField {
  constructor(board, handle) {
    super(board, handle);
    this.title = make("b");
    this.slope = make("span.point-slope");
    this.line = make("div.follow", {}, this.title, this.element, this.slope, this.message);
    this.steps = [...this.element.querySelectorAll(".step")];
  }

  /** The handle to begin with: the active one if it is a cell. */
  static first(board, handles) {
    return handles.find(({ name }) => name === board.memory.active) ?? handles[0];
  }

  follow(handle) {
    this.restore();
    this.handle = handle;
    this.name = handle.name;
    this.input.dataset.field = handle.name;
    setAttribute(this.input, "aria-label", `${handle.name} value`);
    this.steps.forEach((step, index) => {
      setAttribute(step, "aria-label", `${index ? "Increase" : "Decrease"} ${handle.name}`);
    });
    this.shown = undefined;
  }

  update(frame) {
    const { tables, row, active } = frame;
    const { part, variable } = this.handle;
    const alike = active.kind === "line" && active.part === part && active.variable === variable;
    if (alike && active.name !== this.name) this.follow(active);
    super.update(frame);
    setText(this.title, this.name);
    setText(this.slope, `slope ${formatNumber(tables.gradient(row, this.handle.variable)[this.handle.flats[0]])}`);
  }
}

/** How long the arrows in cells are. */
function arrowNote(longest) {
  return longest ? `The longest arrow stands for a slope of size ${formatNumber(longest)}.` : "All slopes are 0.";
}
