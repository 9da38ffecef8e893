// What the parts of the live component share: how they find each other, write numbers and know the theme.

const byPart = (root) => new Proxy({}, { get: (_, name) => root.querySelector(`[data-part="${name}"]`) });
const plain = (value) => String(Number(value.toPrecision(6)));

function shownNumber(value) {
  if (value === null || value === undefined) return "–";
  const number = Number(value); // "Infinity" and "NaN" come as texts
  if (Number.isNaN(number)) return "not a number";
  if (!Number.isFinite(number)) return number > 0 ? "infinite" : "minus infinite";
  const size = Math.abs(number);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) return number.toExponential(3).replace("e+", "e").replace("-", "−");
  return (size === 0 ? "0" : number.toPrecision(size >= 1e4 ? 6 : 5)).replace("-", "−");
}

function shownMetric(value, metric) {
  if (value === null || value === undefined) return "–";
  const number = Number(value);
  if (!Number.isFinite(number)) return "–";
  if (metric === "r2" && Math.abs(number) >= 100) return shownNumber(number);
  return metric === "accuracy" ? `${(100 * number).toFixed(1)} %` : number.toFixed(3).replace("-", "−");
}

function readTheme(root) {
  const style = getComputedStyle(root);
  const value = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const chart = value("chart-categorical-colors").split(",").map((colour) => colour.trim());
  const points = [chart[0], chart[1], chart[2]];
  return {
    text: value("text-color"), background: value("background-color"), border: value("border-color"),
    grid: `rgba(${rgb(value("text-color")).join()}, 0.14)`, font: value("font"), lines: [chart[0], chart[1], chart[3]], points,
    rgb: Object.assign(points.map(rgb), { background: rgb(value("background-color")) }),
    name: [value("text-color"), value("background-color"), ...chart].join(),
  };
}
