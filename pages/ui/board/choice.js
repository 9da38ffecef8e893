// Choices: a label that flips, a class that is picked.

/** A label of two: one switch that shows both, the chosen one marked. */
class LabelSwitch {
  constructor(board, handle) {
    this.handle = handle;
    this.options = handle.choices.map((text) => make("span", {}, text.replace("-", MINUS)));
    this.button = make(
      "button.switch",
      { type: "button", role: "switch", "data-handle": handle.name, "aria-label": handle.name },
      ...this.options,
    );
    this.button.addEventListener("click", () => board.choose(handle, 1 - this.chosen));
    this.element = make("div.choice", {}, markOf("target"), this.button);
  }

  update({ tables, row, active }) {
    const value = tables.column(row, "target")[this.handle.flat];
    this.chosen = tables.nearest(this.handle, value);
    setAttribute(this.button, "aria-checked", this.chosen === 1);
    this.options.forEach((option, index) => option.classList.toggle("chosen", index === this.chosen));
    this.element.classList.toggle("active", this.handle === active);
  }
}

/** The true class of a sample: a radio group. */
class ClassChoice {
  constructor(board, handle) {
    this.handle = handle;
    this.inputs = handle.choices.map((text, index) => {
      const input = make("input", {
        type: "radio",
        name: handle.name,
        value: text,
        "data-handle": handle.name,
        "aria-label": `Class ${text}`,
      });
      input.addEventListener("change", () => board.choose(handle, index));
      return input;
    });
    const options = this.inputs.map((input, index) => make("label", {}, input, make("span", {}, handle.choices[index])));
    this.element = make(
      "div.choice",
      { role: "radiogroup", "aria-label": handle.name },
      make("span.caption", {}, "True class"),
      make("span.options", {}, ...options),
    );
  }

  update({ tables, row, active }) {
    const value = tables.column(row, "target")[this.handle.flat];
    const chosen = tables.nearest(this.handle, value);
    this.inputs.forEach((input, index) => {
      input.checked = index === chosen;
    });
    this.element.classList.toggle("active", this.handle === active);
  }
}
