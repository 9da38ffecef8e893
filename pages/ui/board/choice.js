// Choices: a label that flips, a class or a grade that is picked.

/** A label of two: one switch that shows both, the chosen one marked. */
class LabelSwitch {
  constructor(board, handle, mark) {
    this.handle = handle;
    this.options = handle.choices.map((text) => make("span", {}, text.replace("-", MINUS)));
    this.button = make(
      "button.switch",
      { type: "button", role: "switch", "data-handle": handle.name, "aria-label": handle.name },
      ...this.options,
    );
    this.button.addEventListener("click", () => board.choose(this.handle, 1 - this.chosen));
    this.element = make("div.choice", {}, mark, this.button);
  }

  update({ tables, row, active }) {
    const { handle } = this;
    this.chosen = tables.nearest(handle, tables.coordinate(row, handle, handle.at));
    setAttribute(this.button, "aria-checked", this.chosen === 1);
    this.options.forEach((option, index) => option.classList.toggle("chosen", index === this.chosen));
    this.element.classList.toggle("active", handle === active);
  }
}

/** One of several values: a radio group. */
class ChoiceGroup {
  /** @param word what stands before a value when it is spoken, such as "Class" */
  constructor(board, handle, mark, word) {
    this.handle = handle;
    this.inputs = handle.choices.map((text, index) => {
      const input = make("input", {
        type: "radio",
        name: handle.name,
        value: text,
        "data-handle": handle.name,
        "aria-label": `${word} ${text}`.trim(),
      });
      input.addEventListener("change", () => board.choose(this.handle, index));
      return input;
    });
    const options = this.inputs.map((input, index) =>
      make("label", {}, input, make("span", {}, handle.choices[index].replace("-", MINUS))),
    );
    this.element = make(
      "div.choice",
      { role: "radiogroup", "aria-label": handle.name },
      mark,
      make("span.options", {}, ...options),
    );
  }

  update({ tables, row, active }) {
    const { handle } = this;
    const chosen = tables.nearest(handle, tables.coordinate(row, handle, handle.at));
    if (chosen !== this.chosen) this.inputs[chosen].checked = true;
    this.chosen = chosen;
    this.element.classList.toggle("active", handle === active);
  }
}
