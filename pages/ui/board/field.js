// A number field with step buttons: everything a drag can do, without a drag. A point has two of them.

class NumberField {
  /**
   * @param axis which coordinate of a plane's handle; null for a handle on a line
   * @param mark what stands before it
   */
  constructor(board, handle, axis = null, mark = null) {
    this.board = board;
    this.handle = handle;
    this.axis = axis ?? 0;
    this.name = axis === null ? handle.name : `${handle.name} ${axis ? "vertical" : "horizontal"}`;
    this.input = make("input", {
      type: "text",
      role: "spinbutton",
      autocomplete: "off",
      spellcheck: "false",
      "data-field": handle.name,
      "data-axis": axis,
      "aria-label": `${this.name} value`,
    });
    this.message = make("p.problem", { role: "alert", hidden: "" });
    this.message.id = `problem-${this.name.replaceAll(" ", "-")}`;
    const step = (way, sign, verb) => {
      const button = make("button.step", { type: "button", tabindex: -1, "aria-label": `${verb} ${this.name}` }, sign);
      button.addEventListener("click", () => this.nudge(way));
      return button;
    };
    this.element = make(
      "div.field",
      {},
      mark,
      step(-1, MINUS, "Decrease"),
      this.input,
      step(1, "+", "Increase"),
    );
    this.input.addEventListener("keydown", (event) => this.onKey(event));
    this.input.addEventListener("blur", () => this.commit());
    this.input.addEventListener("focus", () => this.input.select());
  }

  nudge(way) {
    if (this.axis) this.board.nudge(this.handle, 0, way);
    else this.board.nudge(this.handle, way);
  }

  onKey(event) {
    const ways = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
    if (event.key === "Enter") this.commit();
    else if (event.key === "Escape") this.restore();
    else if (event.key in ways) this.nudge(ways[event.key]);
    else return;
    event.preventDefault();
  }

  get edited() {
    return this.input.value !== this.shown;
  }

  /** The numbers that can be typed: the variable's domain, or where no variable holds the number the axis. */
  get domain() {
    const { handle, axis } = this;
    if (handle.flats.length) {
      const { low, high } = this.board.tables.variable(handle.variable);
      return [low, high];
    }
    return [handle.low[axis], handle.high[axis]];
  }

  commit() {
    if (!this.edited) return;
    const { board, handle } = this;
    const [low, high] = this.domain;
    const text = this.input.value;
    const value = parseNumber(text);
    if (value >= low && value <= high) {
      this.restore();
      const t = handle.grid.map((_, axis) => board.tables.coordinate(board.row, handle, board.positionOf(handle), axis));
      t[this.axis] = value;
      board.enter(handle, t);
      return;
    }
    const wrong = Number.isNaN(value) ? `“${text.slice(0, 20)}” is not a number` : `${text} is outside the range`;
    setText(this.message, `${wrong}. ${this.name} can be any number from ${formatNumber(low)} to ${formatNumber(high)}.`);
    this.message.hidden = false;
    this.input.setAttribute("aria-invalid", "true");
    this.input.setAttribute("aria-describedby", this.message.id);
  }

  restore() {
    this.input.value = this.shown;
    this.message.hidden = true;
    this.input.removeAttribute("aria-invalid");
    this.input.removeAttribute("aria-describedby");
  }

  update({ tables, row, active }) {
    const value = tables.coordinate(row, this.handle, this.board.positionOf(this.handle), this.axis);
    const text = fieldText(value);
    this.element.classList.toggle("active", this.handle === active);
    if (text === this.shown) return;
    const keep = this.edited && this.shown !== undefined;
    this.shown = text;
    this.input.classList.toggle("long", text.length > 7);
    setAttribute(this.input, "aria-valuenow", Number(value.toPrecision(12)));
    setAttribute(this.input, "aria-valuetext", formatNumber(value));
    if (!keep) this.restore();
  }
}
