// The formula with the present numbers in it, term by term.

const MOST_TERMS = 12;
const MOST_NUMBERS = 5;

class Worked {
  constructor(tables) {
    this.count = tables.place.get("terms").size;
    this.perSample = Math.max(1, Math.floor(this.count / tables.samples));
    // A long sum shows the active sample's terms and counts the others together.
    this.short = this.count > MOST_TERMS;
    const shown = this.short ? Math.min(this.perSample, MOST_TERMS) : this.count;
    this.terms = Array.from({ length: shown }, () => ({ formula: make("span.term"), number: make("span.term") }));
    this.prefix = [make("span.prefix"), make("span.prefix")];
    this.others = [make("span.term"), make("span.term")];
    this.result = make("b.result");
    this.whose = make("div.whose");
    this.word = tables.scene.sample_label ?? "Sample";
    // The other scenes show these numbers beside the picture.
    this.between = ["numbers", "bars"].includes(tables.kind) ? this.numbersBetween(tables) : [];
    const sum = (part, others) => {
      const parts = [...this.terms.map((term) => term[part]), ...(this.short ? [others] : [])];
      return parts.flatMap((element, index) => (index ? [make("span.plus", {}, " + "), element] : [element]));
    };
    this.brackets = ["[ ", " ]", "[ ", " ]"].map((sign) => make("span.bracket", {}, sign));
    const bracket = (line, parts) => [this.brackets[2 * line], ...parts, this.brackets[2 * line + 1]];
    this.sum = make("p.line", {}, make("span.left", {}, "="), this.prefix[1], ...bracket(1, sum("number", this.others[1])));
    this.element = make(
      "section.worked",
      { "aria-label": "With these numbers" },
      make("h2", {}, "With these numbers"),
      make("p.line", {}, make("span.left", {}, "L ="), this.prefix[0], ...bracket(0, sum("formula", this.others[0]))),
      this.sum,
      make("p.line", {}, make("span.left", {}, "="), this.result),
      this.between.length
        ? make("div.between", {}, this.whose, make("dl", {}, ...this.between.map(({ element }) => element)))
        : "",
    );
  }

  /** What the loss derives on the way, where it is a few numbers a sample or one for all. */
  numbersBetween({ place, labels, samples, scene, variables }) {
    const shown = new Set(["share", "raw_gradient", scene.beside, ...variables.map(({ name }) => name)]);
    return Object.keys(labels)
      .filter((name) => place.has(name) && !shown.has(name))
      .map((name) => ({ name, size: place.get(name).size }))
      .filter(({ size }) => size === 1 || (size % samples === 0 && size / samples <= MOST_NUMBERS))
      .map(({ name, size }) => {
        const number = make("dd");
        const single = size === 1 || samples === 1;
        const element = make("div", {}, make("dt", {}, labels[name]), number);
        return { name, element, number, each: single ? size : size / samples, single };
      })
      .sort((one, other) => one.single - other.single);
  }

  showBetween(tables, row, sample) {
    setText(this.whose, this.between.some(({ single }) => !single) ? `${this.word} ${sample + 1}` : "");
    for (const { name, number, each, single } of this.between) {
      const values = tables.column(row, name);
      const own = single ? values : values.subarray(sample * each, (sample + 1) * each);
      setText(number, [...own].map(formatNumber).join(", "));
    }
  }

  /** The sample that a term belongs to; a loss with fewer terms than samples takes all of them together. */
  sampleOf(index) {
    return Math.floor(index / this.perSample);
  }

  update({ tables, row, active }) {
    const numbers = tables.column(row, "terms");
    const cases = tables.case && tables.column(row, tables.case);
    const at = (values, index) => values[Math.floor((index * values.length) / this.count)];
    const first = this.short ? Math.min(active.sample * this.perSample, this.count - this.terms.length) : 0;
    this.terms.forEach(({ formula, number }, slot) => {
      const index = first + slot;
      const template = tables.worked[cases ? at(cases, index) : 0];
      const text = fillTemplate(template, (name) => (tables.has(name) ? at(tables.column(row, name), index) : tables.parameters[name]));
      setText(formula, slot && text.startsWith(MINUS) ? `(${text})` : text);
      setText(number, bracketed(numbers[index]));
      const isActive = this.count > 1 && this.sampleOf(index) === active.sample;
      formula.classList.toggle("active", isActive);
      number.classList.toggle("active", isActive);
    });
    if (this.short) this.showOthers(numbers, first);
    this.showBetween(tables, row, active.sample);
    const denominator = tables.column(row, "denominator")[0];
    const alone = this.count === 1 && denominator === 1;
    for (const bracket of this.brackets) bracket.hidden = alone;
    // A single term is the result already.
    this.sum.hidden = alone;
    for (const prefix of this.prefix) setText(prefix, denominator === 1 ? "" : `1/${formatNumber(denominator)} · `);
    setText(this.result, formatNumber(tables.column(row, "value")[0]));
  }

  showOthers(numbers, first) {
    const last = first + this.terms.length;
    const rest = numbers.reduce((sum, number, index) => (index < first || index >= last ? sum + number : sum), 0);
    setText(this.others[0], `${this.count - this.terms.length} other terms`);
    setText(this.others[1], bracketed(rest));
  }
}

/** A number as it stands in a sum. */
function bracketed(number) {
  const text = formatNumber(number);
  return text.startsWith(MINUS) ? `(${text})` : text;
}
