// How racers look, and how many digits their numbers have.

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

const raceNumber = (value) => shownNumber(value, 4);
const raceShown = (value, measure, metric) => (measure === "loss" ? raceNumber(value) : shownMetric(value, metric));
