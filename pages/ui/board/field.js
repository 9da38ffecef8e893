// A number field with step buttons: everything a drag can do, without a drag.

class NumberField {
  constructor(board, handle) {
    this.board = board;
    this.handle = handle;
    this.input = make("input", {
      type: "text",
      role: "spinbutton",
      autocomplete: "off",
      spellcheck: "false",
      "data-field": handle.name,
      "aria-label": `${handle.name} value`,
    });
    this.message = make("p.problem", { role: "alert", hidden: "" });
    this.message.id = `problem-${handle.name.replaceAll(" ", "-")}`;
    const step = (way, sign, verb) => {
      const button = make("button.step", { type: "button", tabindex: -1, "aria-label": `${verb} ${handle.name}` }, sign);
      button.addEventListener("click", () => board.nudge(handle, way));
      return button;
    };
    this.element = make(
      "div.field",
      {},
      markOf(handle.variable),
      step(-1, MINUS, "Decrease"),
      this.input,
      step(1, "+", "Increase"),
    );
    this.input.addEventListener("keydown", (event) => this.onKey(event));
    this.input.addEventListener("blur", () => this.commit());
    this.input.addEventListener("focus", () => this.input.select());
  }

  onKey(event) {
    const ways = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
    if (event.key === "Enter") this.commit();
    else if (event.key === "Escape") this.restore();
    else if (event.key in ways) this.board.nudge(this.handle, ways[event.key]);
    else return;
    event.preventDefault();
  }

  get edited() {
    return this.input.value !== this.shown;
  }

  commit() {
    if (!this.edited) return;
    const [low, high] = this.handle.unit ? [0, 1] : [-LIMIT, LIMIT];
    const text = this.input.value;
    const value = parseNumber(text);
    if (value >= low && value <= high) {
      this.restore();
      this.board.enter(this.handle, value);
      return;
    }
    const wrong = Number.isNaN(value) ? `“${text.slice(0, 20)}” is not a number` : `${text} is outside the range`;
    setText(this.message, `${wrong}. ${this.handle.name} can be any number from ${formatNumber(low)} to ${formatNumber(high)}.`);
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
    const value = tables.column(row, this.handle.variable)[this.handle.flat];
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
