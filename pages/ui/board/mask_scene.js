// The scene of masks: cells whose probabilities are dragged or painted, against the cells of the true object.

/** A radio group; each option is a value, a text, and whether it cannot be chosen. */
function radioGroup(name, options, chosen, choose) {
  const inputs = options.map(([value, text, disabled]) => {
    const input = make("input", { type: "radio", name, value, "data-control": `${name} ${value}`, disabled: disabled ? "" : null });
    input.checked = value === chosen;
    input.addEventListener("change", () => choose(value));
    return make("label", {}, input, make("span", {}, text));
  });
  return make("div.modes", { role: "radiogroup", "aria-label": name }, make("span.options", {}, ...inputs));
}

/** One cell: its probability as a slider, its truth as a checkbox, of which the mode shows one. */
class MaskCell {
  constructor(handle, truth) {
    this.slider = CellGrid.slider(handle);
    this.check = {
      handle: truth,
      element: make("input.cell-check", { type: "checkbox", tabindex: -1, "data-handle": truth.name, "aria-label": truth.name }),
      update: ({ tables, row }) => {
        this.check.element.checked = tables.column(row, "target")[this.flat] === 1;
      },
    };
    [this.flat] = handle.flats;
    this.number = make("span.cell-number", { "aria-hidden": "true" });
    this.pull = make("i.pull");
    this.element = make("div.cell", {}, this.number, this.pull, this.slider.element, this.check.element);
  }

  update(probability, truth, downhill, active) {
    this.element.classList.toggle("active", active === this.slider.handle || active === this.check.handle);
    setProperty(this.element, "--p", probability);
    setText(this.number, String(Number(probability.toFixed(2))));
    this.element.classList.toggle("object", truth === 1);
    setProperty(this.pull, "--pull", downhill.toFixed(3));
  }
}

/** A brush: collects the cells that a pointer crosses, and paints them when it is lifted. */
class Brush {
  constructor(scene) {
    this.scene = scene;
    this.stroke = null;
    const { grid } = scene;
    grid.addEventListener("pointerdown", (event) => this.onDown(event));
    grid.addEventListener("pointermove", (event) => this.onMove(event));
    grid.addEventListener("pointerup", (event) => this.onUp(event));
    grid.addEventListener("pointercancel", () => this.drop());
    grid.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.drop();
    });
  }

  onDown(event) {
    const { scene } = this;
    const variable = { predict: "prediction", truth: "target" }[scene.mode];
    if (!variable || this.stroke || event.button !== 0) return;
    event.preventDefault();
    const box = scene.grid.getBoundingClientRect();
    const place = this.placeOf(event, box);
    const first = scene.cells[place.flat];
    const { tables, row } = scene.board;
    // The first cell says what the stroke does: it turns over, and the others follow.
    const value = tables.column(row, variable)[first.flat] > 0.5 ? 0 : 1;
    this.stroke = { pointer: event.pointerId, variable, value, box, flats: new Set(), last: place, first };
    scene.grid.setPointerCapture(event.pointerId);
    this.cross(place);
  }

  /** The cell under the pointer, or the one nearest to it. */
  placeOf({ clientX, clientY }, box) {
    const { width, height } = this.scene;
    const within = (share, count) => Math.min(Math.max(share * count, 0), count - 0.001);
    const x = within((clientX - box.left) / box.width, width);
    const y = within((clientY - box.top) / box.height, height);
    return { x, y, flat: Math.floor(y) * width + Math.floor(x) };
  }

  /** All cells on the way: a fast pointer skips some. */
  cross(place) {
    const { last, flats, value } = this.stroke;
    const { width, cells } = this.scene;
    const steps = Math.max(Math.ceil(4 * Math.hypot(place.x - last.x, place.y - last.y)), 1);
    for (let step = 0; step <= steps; step += 1) {
      const [x, y] = ["x", "y"].map((axis) => last[axis] + ((place[axis] - last[axis]) * step) / steps);
      const flat = Math.floor(y) * width + Math.floor(x);
      flats.add(flat);
      setAttribute(cells[flat].element, "data-pending", value);
    }
    this.stroke.last = place;
  }

  onMove(event) {
    if (event.pointerId === this.stroke?.pointer) this.cross(this.placeOf(event, this.stroke.box));
  }

  onUp(event) {
    if (event.pointerId !== this.stroke?.pointer) return;
    const { variable, value, flats, first } = this.stroke;
    const { board } = this.scene;
    const now = board.tables.column(board.row, variable);
    const changed = [...flats].filter((flat) => now[flat] !== value);
    this.stroke = null;
    this.painted = board.tables.revision;
    if (changed.length) board.paint(variable, changed, value);
    else this.drop();
    // Only now: focus may fetch a table, and nothing is sent while a pointer moves.
    (variable === "target" ? first.check : first.slider).element.focus({ preventScroll: true });
  }

  drop() {
    this.stroke = null;
    for (const { element } of this.scene.cells) element.removeAttribute("data-pending");
  }

  /** What was painted is pending until tables show it. */
  update({ tables }) {
    if (!this.stroke && this.painted && tables.revision !== this.painted) {
      this.painted = null;
      this.drop();
    }
  }
}

/** The handle that moves the whole shape by cells, over the grid. */
class ShapeMover {
  constructor(board, handle, grid) {
    Object.assign(this, { board, handle, grid });
    this.sliders = ["horizontal", "vertical"].map((way, axis) => {
      const attributes = { role: "slider", tabindex: 0, "data-handle": handle.name, "data-axis": axis };
      const element = make("div.grip", { ...attributes, "aria-label": `${handle.name}, ${way}`, "aria-orientation": way });
      return { handle, axis, element };
    });
    const elements = this.sliders.map(({ element }) => element);
    this.element = make("div.mover", { role: "group", "aria-label": handle.name, hidden: "" }, ...elements);
  }

  renew(tables) {
    this.handle = tables.byName.get(this.handle.name);
  }

  grab() {
    return { handle: this.handle, focus: this.sliders[0].element };
  }

  start(handle, x, y) {
    const { board } = this;
    this.from = { x, y, t: board.tables.coordinates(handle, board.positionOf(handle)) };
    this.box = this.element.getBoundingClientRect();
  }

  positionAt(handle, x, y) {
    const { width, height } = this.board.tables.scene;
    const { from, box } = this;
    const right = ((x - from.x) / box.width) * width;
    const down = ((y - from.y) / box.height) * height;
    return this.board.tables.nearestPlane(handle, from.t[0] + right, from.t[1] + down);
  }
}

class MaskScene extends Scene {
  constructor(board, tables) {
    super(board, tables);
    const { height, width } = tables.scene;
    Object.assign(this, { height, width, down: true });
    const cells = (name) => tables.handles.filter(({ variable, part }) => variable === name && part === "cell");
    const truths = cells("target");
    const predictions = cells("prediction");
    this.cells = predictions.map((handle, index) => new MaskCell(handle, truths[index]));
    const rows = Array.from({ length: height }, (_, row) => this.cells.slice(row * width, (row + 1) * width));
    this.outline = makeSvg("path");
    const size = { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" };
    const lines = rows.map((line, row) =>
      make("div.mask-row", { role: "group", "aria-label": `Row ${row + 1}` }, ...line.map(({ element }) => element)),
    );
    this.grid = make("div.mask-grid", { "--columns": width }, ...lines, makeSvg("svg.outline", size, this.outline));
    this.sliders = this.cells.map(({ slider }) => slider);
    this.cellGrid = new CellGrid(board, rows.map((line) => line.map(({ slider }) => slider)), this.grid);
    this.surfaces.push(this.cellGrid);
    this.listenToChecks(rows.map((line) => line.map(({ check }) => check)));
    this.brush = new Brush(this);
    this.follow = new FollowField(board, FollowField.first(board, predictions));
    this.parts.push(this.follow, this.brush, ...this.cells.map(({ check }) => check));
    const shape = tables.handles.find(({ part }) => part === "shape");
    const moves = shape ? this.addMover(shape) : "";
    this.longest = make("span.point-slope");
    this.element.append(
      this.legendOf(),
      make(
        "div.mask-body",
        {},
        make("div.head", {}, this.modes(shape)),
        make("div.mask-frame", {}, this.grid),
        this.longest,
        this.follow.line,
        moves,
        derivedNumbers(this, tables, 0),
      ),
    );
    this.setMode(board.memory.maskMode ?? "drag");
  }

  legendOf() {
    const sign = (kind) => make(`i.mask-sign.${kind}`, { "aria-hidden": "true" });
    const marks = [
      [sign("prediction"), "Predicted probability"],
      [sign("target"), "True object"],
    ];
    return this.legend(marks, "Drag a cell up or down, or paint.");
  }

  modes(shape) {
    const options = [
      ["drag", "Drag a probability"],
      ["predict", "Paint the prediction"],
      ["truth", "Paint the truth"],
      ["move", "Move the shape", !shape],
    ];
    const chosen = this.board.memory.maskMode ?? "drag";
    return radioGroup("What a drag does", options, chosen, (mode) => this.setMode(mode));
  }

  addMover(shape) {
    this.mover = new ShapeMover(this.board, shape, this.grid);
    this.grid.append(this.mover.element);
    // It lies over the cells, so it is asked first.
    this.surfaces.unshift(this.mover);
    this.sliders = [...this.sliders, ...this.mover.sliders];
    const letter = (text) => make("span.letter", { "aria-hidden": "true" }, text);
    const fields = ["to the right", "down"].map((text, axis) => this.field(shape, axis, letter(text)));
    const messages = fields.map(({ message }) => message);
    const title = make("b", {}, "Move the shape by cells");
    this.moves = make("div.follow", {}, title, ...fields.map(({ element }) => element), ...messages);
    return this.moves;
  }

  setMode(mode) {
    this.mode = mode === "move" && !this.mover ? "drag" : mode;
    this.board.memory.maskMode = this.mode;
    this.cellGrid.open = this.mode === "drag";
    this.grid.dataset.mode = this.mode;
    for (const { slider, check } of this.cells) {
      slider.element.hidden = this.mode === "truth" || this.mode === "move";
      check.element.hidden = this.mode !== "truth";
    }
    if (this.mover) this.mover.element.hidden = this.moves.hidden = this.mode !== "move";
    this.follow.line.hidden = this.mode === "move";
  }

  /** Arrows move between checkboxes and the space bar switches one; a pointer paints instead. */
  listenToChecks(rows) {
    const checks = rows.flat();
    setAttribute(checks[0].element, "tabindex", 0);
    checks.forEach((check, flat) => {
      const { element } = check;
      element.addEventListener("change", () => this.board.choose(check.handle, Number(element.checked)));
      element.addEventListener("click", (event) => {
        if (event.detail > 0) event.preventDefault();
      });
      element.addEventListener("keydown", (event) => {
        const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [0, 0];
        if (!down && !right) return;
        event.preventDefault();
        rows[Math.floor(flat / this.width) + down]?.[(flat % this.width) + right]?.element.focus();
      });
      element.addEventListener("focus", () => {
        for (const other of checks) setAttribute(other.element, "tabindex", other === check ? 0 : -1);
      });
    });
  }

  update(frame) {
    super.update(frame);
    const { tables, row, active } = frame;
    const [p, y] = ["prediction", "target"].map((name) => tables.column(row, name));
    const slope = tables.gradient(row, "prediction");
    const longest = slope.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    for (const cell of this.cells) {
      const downhill = longest ? -slope[cell.flat] / longest : 0;
      cell.update(p[cell.flat], y[cell.flat], Number.isFinite(downhill) ? downhill : 0, active);
    }
    setText(this.longest, arrowNote(longest));
    this.drawOutline(y);
  }

  /** The rim of the true object. */
  drawOutline(truth) {
    const key = truth.join("");
    if (key === this.outlined) return;
    this.outlined = key;
    const { width, height } = this;
    const at = (row, column) => row >= 0 && row < height && column >= 0 && column < width && truth[row * width + column] === 1;
    let path = "";
    for (let row = 0; row <= height; row += 1) {
      for (let column = 0; column <= width; column += 1) {
        if (at(row, column) !== at(row - 1, column)) path += `M${column} ${row}h1`;
        if (at(row, column) !== at(row, column - 1)) path += `M${column} ${row}v1`;
      }
    }
    setAttribute(this.outline, "d", path);
  }
}
