// How racers look and how numbers are written.

const RACE_DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];
const RACE_PATTERNS = { solid: "", dash: "7 4", dot: "2 3", dashdot: "7 3 2 3", longdash: "11 4", longdashdot: "11 3 2 3" };
const RACE_WIDTH = 2.2;

function raceTheme(root) {
  const style = getComputedStyle(root);
  const value = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const [text, background] = [value("text-color"), value("background-color")];
  const part = (at) => parseInt(text.slice(at, at + 2), 16);
  const faint = (share) => `rgba(${part(1)}, ${part(3)}, ${part(5)}, ${share})`;
  const colours = [...value("chart-categorical-colors").split(",").map((colour) => colour.trim()).slice(0, 7), text];
  return {
    text, background, border: value("border-color"), font: value("font"), grid: faint(0.14), band: faint(0.16), colours,
    name: [text, background, ...colours].join(),
  };
}

// Colour and dash of a racer: no two of 16 have both in common.
const raceLine = (theme, racer) => ({ color: theme.colours[racer % theme.colours.length], dash: RACE_DASHES[racer % RACE_DASHES.length] });

function raceSample(theme, racer) {
  const { color, dash } = raceLine(theme, racer);
  return `<svg aria-hidden="true" width="34" height="12"><path d="M1 6h32" stroke="${color}" stroke-width="3" stroke-dasharray="${RACE_PATTERNS[dash]}"/></svg>`;
}

const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";

function raceNumber(value) {
  if (value === null || value === undefined) return "–";
  const number = Number(value); // "Infinity" and "NaN" come as texts
  if (Number.isNaN(number)) return "not a number";
  if (!Number.isFinite(number)) return "infinite";
  const size = Math.abs(number);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) {
    const [digits, power] = number.toExponential(2).split("e");
    return `${digits.replace("-", "−")}×10${String(Number(power)).replace(/./g, (sign) => (sign === "-" ? "⁻" : RAISED[sign]))}`;
  }
  return (size === 0 ? "0" : number.toPrecision(4)).replace("-", "−");
}

function raceMetric(value, metric) {
  if (value === null || value === undefined) return "–";
  if (metric === "accuracy") return `${(100 * value).toFixed(1)} %`;
  return Math.abs(value) >= 1000 ? raceNumber(value) : value.toFixed(3).replace("-", "−");
}

const raceShown = (value, measure, metric) => (measure === "loss" ? raceNumber(value) : raceMetric(value, metric));
