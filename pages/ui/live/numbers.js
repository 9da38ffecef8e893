// What the parts of the live component share: how they find each other and know the theme.

const byPart = (root) => new Proxy({}, { get: (_, name) => root.querySelector(`[data-part="${name}"]`) });
const plain = (value) => String(Number(value.toPrecision(6)));

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
