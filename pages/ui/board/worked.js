// The formula with the present numbers in it, term by term.

class Worked {
  constructor(tables) {
    this.samples = [];
    const count = tables.place.get("terms").size;
    const perSample = count / tables.samples;
    this.terms = Array.from({ length: count }, (_, index) => {
      const sample = Math.floor(index / perSample);
      return { sample, formula: make("span.term"), number: make("span.term") };
    });
    this.prefix = [make("span.prefix"), make("span.prefix")];
    this.result = make("b.result");
    const sum = (part) =>
      this.terms.flatMap((term, index) => (index ? [make("span.plus", {}, " + "), term[part]] : [term[part]]));
    this.element = make(
      "section.worked",
      { "aria-label": "With these numbers" },
      make("h2", {}, "With these numbers"),
      make("p.line", {}, make("span.left", {}, "L ="), this.prefix[0], ...this.bracket(sum("formula"))),
      make("p.line", {}, make("span.left", {}, "="), this.prefix[1], ...this.bracket(sum("number"))),
      make("p.line", {}, make("span.left", {}, "="), this.result),
    );
  }

  bracket(parts) {
    return [make("span.bracket", {}, "[ "), ...parts, make("span.bracket", {}, " ]")];
  }

  update({ tables, row, active }) {
    const count = this.terms.length;
    const numbers = tables.column(row, "terms");
    const cases = tables.case && tables.column(row, tables.case);
    const at = (values, index) => values[Math.floor((index * values.length) / count)];
    this.terms.forEach(({ sample, formula, number }, index) => {
      const template = tables.worked[cases ? at(cases, index) : 0];
      const text = fillTemplate(template, (name) =>
        tables.place.has(name) ? at(tables.column(row, name), index) : tables.parameters[name],
      );
      setText(formula, index && text.startsWith(MINUS) ? `(${text})` : text);
      const shown = formatNumber(numbers[index]);
      setText(number, shown.startsWith(MINUS) ? `(${shown})` : shown);
      formula.classList.toggle("active", sample === active.sample);
      number.classList.toggle("active", sample === active.sample);
    });
    const denominator = tables.column(row, "denominator")[0];
    for (const prefix of this.prefix) setText(prefix, denominator === 1 ? "" : `1/${formatNumber(denominator)} · `);
    setText(this.result, formatNumber(tables.column(row, "value")[0]));
  }
}
