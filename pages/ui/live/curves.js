// The loss curves: the whole history in typed arrays, at most about 500 points of it on the screen.

const COLUMNS = ["epoch", "batch_loss", "train_loss", "validation_loss", "train_metric", "validation_metric", "learning_rate"];
const DRAWN = 500;
const CURVES = [
  { column: "train_loss", name: "Training", dash: "solid", width: 2.5 },
  { column: "validation_loss", name: "Validation", dash: "dash", width: 2.5 },
  { column: "batch_loss", name: "Mean of the batches", dash: "dot", width: 1.5 },
];

function lineSample(dash, colour, width) {
  const pattern = { solid: "", dash: "7 4", dot: "2 3" }[dash];
  return `<svg aria-hidden="true" width="30" height="10"><path d="M1 5h28" stroke="${colour}" stroke-width="${width}" stroke-dasharray="${pattern}"/></svg>`;
}

// What all charts share: our fonts and colours, nothing that has to be loaded, no buttons over the drawing.
function layoutOf(theme, more) {
  const axis = { color: theme.text, gridcolor: theme.grid, zerolinecolor: theme.grid, linecolor: theme.border, ticklabeloverflow: "allow", showspikes: false };
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false,
    font: { family: theme.font, size: 13, color: theme.text },
    hoverlabel: { font: { family: theme.font, size: 13, color: theme.text }, bgcolor: theme.background, bordercolor: theme.border },
    margin: { l: 68, r: 14, t: 8, b: 46 },
    ...more,
    xaxis: { ...axis, ...more.xaxis },
    yaxis: { ...axis, ...more.yaxis },
  };
}

const PLOT_OPTIONS = { displayModeBar: false, displaylogo: false, responsive: false, doubleClick: "reset+autosize", showTips: false };
const COARSE = matchMedia("(pointer: coarse)").matches;

class Curves {
  constructor(plotly, element, legend, theme, onZoom) {
    Object.assign(this, { plotly, element, legend, theme, onZoom, log: false, batch: false });
    this.clear(0);
    const axis = { tickformat: ".6~g", hoverformat: ".7~g" };
    this.plotly.newPlot(element, this.traces(), layoutOf(theme, {
      xaxis: { title: { text: "Epoch", standoff: 8 }, range: [0, 10], autorange: true, rangemode: "tozero", type: "linear", hoverformat: "d", unifiedhovertitle: { text: "Epoch %{x}" } },
      yaxis: { ...axis, title: { text: "Loss", standoff: 4 }, type: "linear", autorange: true },
      hovermode: "x unified",
      uirevision: "kept",
      // A finger on the chart scrolls the page.
      dragmode: COARSE ? false : "zoom",
    }), PLOT_OPTIONS);
    element.on("plotly_relayout", (change) => {
      if ("xaxis.range[0]" in change || "yaxis.range[0]" in change) this.onZoom(true);
      if ("xaxis.autorange" in change || "yaxis.autorange" in change) this.onZoom(false);
    });
    this.describe();
  }

  traces() {
    return CURVES.map(({ name, dash, width, column }, index) => ({
      type: "scatter", mode: "lines", name, x: [], y: [],
      visible: this.shown(column), line: { dash, width, color: this.theme.lines[index], simplify: false },
      hovertemplate: "%{y:.7~g}",
    }));
  }

  shown(column) {
    return column === "train_loss" || (column === "batch_loss" ? this.batch : this.hasValidation !== false);
  }

  describe() {
    this.legend.innerHTML = CURVES.map(({ name, dash, width, column }, index) =>
      this.shown(column) ? `<span>${lineSample(dash, this.theme.lines[index], width)}${name}</span>` : "").join("");
  }

  clear(epochs, hasValidation) {
    this.rows = 0;
    this.hasValidation = hasValidation;
    this.history = Object.fromEntries(COLUMNS.map((name) => [name, new Float64Array(epochs + 1)]));
  }

  // Rows of the server; after a new connection some have been seen before.
  append(values) {
    for (let at = 0; at < values.length; at += COLUMNS.length) {
      if (values[at] < this.rows) continue;
      COLUMNS.forEach((name, column) => { this.history[name][this.rows] = values[at + column]; });
      this.rows += 1;
    }
  }

  draw() {
    let stride = 1;
    while (this.rows / stride > DRAWN) stride *= 2;
    const kept = [];
    for (let row = 0; row < this.rows; row += stride) kept.push(row);
    if (kept.length && kept[kept.length - 1] !== this.rows - 1) kept.push(this.rows - 1);
    const x = kept.map((row) => this.history.epoch[row]);
    // Points are marked while they are few, so that the first ones can be seen.
    const mode = kept.length < 3 ? "lines+markers" : "lines";
    // Changing the data in place and redrawing takes a fifth less than restyle, which keeps a record for undoing.
    CURVES.forEach(({ column }, index) => {
      if (!this.shown(column)) return;
      const values = this.history[column];
      const y = kept.map((row) => (Number.isFinite(values[row]) ? values[row] : null));
      Object.assign(this.element.data[index], { x, y, mode });
    });
    this.plotly.redraw(this.element);
  }

  setBatch(on) {
    this.batch = on;
    this.refresh();
  }

  refresh() {
    CURVES.forEach(({ column }, index) => { this.element.data[index].visible = this.shown(column); });
    this.describe();
    this.draw();
  }

  setLog(on) {
    this.log = on;
    this.plotly.relayout(this.element, { "yaxis.type": on ? "log" : "linear", "yaxis.autorange": true });
  }

  showAll() {
    this.plotly.relayout(this.element, { "xaxis.autorange": true, "yaxis.autorange": true });
  }

  setTheme(theme) {
    this.theme = theme;
    const { xaxis, yaxis, font, hoverlabel } = layoutOf(theme, {});
    const change = { font, hoverlabel };
    for (const name of ["color", "gridcolor", "zerolinecolor", "linecolor"]) {
      change[`xaxis.${name}`] = xaxis[name];
      change[`yaxis.${name}`] = yaxis[name];
    }
    this.plotly.update(this.element, { "line.color": theme.lines.slice(0, CURVES.length) }, change);
    this.describe();
  }
}
