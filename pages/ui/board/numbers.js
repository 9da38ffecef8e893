// Numbers as the board writes and reads them.

const MINUS = "\u2212";
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const LIMIT = 1000;

// Below this a number is what rounding leaves of 0, or as good as 0.
const NOISE = 1e-12;

/** Up to four decimals, four significant digits below 1; powers of ten for the very small and the very large. */
function formatNumber(value) {
  if (Number.isNaN(value)) return "not defined";
  const sign = value < 0 ? MINUS : "";
  const size = Math.abs(value);
  if (size === Infinity) return `${sign}∞`;
  if (size === 0) return "0";
  if (size < NOISE) return "≈0";
  if (size < 1e-4 || size >= 1e9) {
    const [mantissa, exponent] = size.toExponential(3).split("e");
    return `${sign}${trimZeros(mantissa)}×10${exponent < 0 ? "⁻" : ""}${superscript(Math.abs(exponent))}`;
  }
  const decimals = size < 10 ? 4 : size < 100 ? 3 : size < 1000 ? 2 : size < 1e6 ? 1 : 0;
  const text = size < 1 ? size.toPrecision(4) : size.toFixed(decimals);
  const [whole, rest] = trimZeros(text).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return sign + (rest ? `${grouped}.${rest}` : grouped);
}

function superscript(digits) {
  return [...String(digits)].map((digit) => SUPERSCRIPTS[digit]).join("");
}

function trimZeros(text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** A number as a field shows it: nothing grouped, six digits. */
function fieldText(value) {
  return String(Number(value.toPrecision(6))).replace("-", MINUS);
}

/** The number that a learner typed, with either minus sign and either decimal mark; NaN where it is none. */
function parseNumber(text) {
  const plain = text.trim().replace(MINUS, "-").replace(/^([+-]?\d*),(\d+)$/, "$1.$2");
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i.test(plain) ? Number(plain) : NaN;
}

/** Round positions for the ticks of an axis, at most `most` of them, with their step. */
function ticksBetween(low, high, most) {
  const raw = (high - low) / most;
  const decade = 10 ** Math.floor(Math.log10(raw));
  const step = decade * [1, 2, 5, 10].find((factor) => factor * decade >= raw * (1 - 1e-9));
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

/** A template with numbers put in for {names}; a negative one gets parentheses unless it opens a bracket. */
function fillTemplate(template, number) {
  const filled = template.replace(/\{(\w+)\}/g, (_, name, at) => {
    const text = formatNumber(number(name));
    const opens = at === 0 || "([|".includes(template[at - 1]);
    const raised = "²^".includes(template[at + name.length + 2] || " ");
    return text.startsWith(MINUS) && (!opens || raised) ? `(${text})` : text;
  });
  return filled.replace(/\^(\d+)(?![\d.])/g, (_, digits) => superscript(digits));
}
