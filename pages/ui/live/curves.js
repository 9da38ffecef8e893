// The loss curves: the whole history in typed arrays, at most about 500 points of it on the screen.

const COLUMNS = ["epoch", "batch_loss", "train_loss", "validation_loss", "train_metric", "validation_metric", "learning_rate"];
const DRAWN = 500;
const KEPT = 0.9; // of the moving average at each epoch: it looks back over about ten
const CURVES = [
  { column: "train_loss", name: "Training", dash: "solid", width: 2.5 },
  { column: "validation_loss", name: "Validation", dash: "dash", width: 2.5 },
  { column: "batch_loss", name: "Mean of the batches", dash: "dot", width: 1.5 },
];
const GAP = { name: "Gap (validation − training)", dash: "dashdot", width: 2 };
// The traces in the order of drawing: the curves, the gap, the curves smoothed.
const [AT_GAP, AT_SMOOTH] = [CURVES.length, CURVES.length + 1];

const PATTERNS = { solid: "", dash: "7 4", dot: "2 3", dashdot: "8 3 2 3", longdash: "13 4", longdashdot: "13 3 2 3" };

function lineSample(dash, colour, width) {
  return `<svg aria-hidden="true" width="30" height="10"><path d="M1 5h28" stroke="${colour}" stroke-width="${width}" stroke-dasharray="${PATTERNS[dash]}"/></svg>`;
}

// What all charts share: our fonts and colours, nothing that has to be loaded, no buttons over the drawing.
function layoutOf(theme, more) {
  const axis = { color: theme.text, gridcolor: theme.grid, zerolinecolor: theme.grid, linecolor: theme.border, ticklabeloverflow: "allow", showspikes: false };
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false,
    font: { family: theme.font, size: 13, color: theme.text },
    hoverlabel: { font: { family: theme.font, size: 13, color: theme.text }, bgcolor: theme.background, bordercolor: theme.border },
    margin: { l: 76, r: 14, t: 8, b: 46 },
    ...more,
    xaxis: { ...axis, ...more.xaxis },
    yaxis: { ...axis, ...more.yaxis },
  };
}

// What changes in a layout with the theme.
function themeChange(theme) {
  const { xaxis, yaxis, font, hoverlabel } = layoutOf(theme, {});
  const change = { font, hoverlabel };
  for (const name of ["color", "gridcolor", "zerolinecolor", "linecolor"]) {
    change[`xaxis.${name}`] = xaxis[name];
    change[`yaxis.${name}`] = yaxis[name];
  }
  return change;
}

// Which of so many rows are drawn: at most about 500, the last one always.
function keptRows(rows) {
  let stride = 1;
  while (rows / stride > DRAWN) stride *= 2;
  const kept = [];
  for (let row = 0; row < rows; row += stride) kept.push(row);
  if (kept.length && kept[kept.length - 1] !== rows - 1) kept.push(rows - 1);
  return kept;
}

const finiteOrNull = (value) => (Number.isFinite(value) ? value : null);

const PLOT_OPTIONS = { displayModeBar: false, displaylogo: false, responsive: false, doubleClick: "reset+autosize", showTips: false };
const COARSE = matchMedia("(pointer: coarse)").matches;
const TICKS = ".6~g";
const EPOCH_AXIS = { title: { text: "Epoch", standoff: 8 }, range: [0, 10], autorange: true, rangemode: "tozero", type: "linear" };

class Curves {
  constructor(plotly, element, legend, theme, onZoom) {
    Object.assign(this, { plotly, element, legend, theme, onZoom, batch: false, smoothing: false, gap: false, log: false });
    this.clear(0);
    this.plotly.newPlot(element, this.traces(), layoutOf(theme, {
      xaxis: { ...EPOCH_AXIS, hoverformat: "d", unifiedhovertitle: { text: "Epoch %{x}" } },
      yaxis: { tickformat: TICKS, exponentformat: "power", hoverformat: ".7~g", title: { text: "Loss", standoff: 4 }, type: "linear", autorange: true },
      hovermode: "x unified",
      uirevision: "kept",
      // A finger on the chart scrolls the page.
      dragmode: COARSE ? false : "zoom",
    }), PLOT_OPTIONS);
    this.mark = element.appendChild(document.createElement("div"));
    this.mark.className = "lv-best";
    this.mark.hidden = true;
    this.mark.style.color = theme.lines[1];
    this.playhead = element.appendChild(document.createElement("div"));
    this.playhead.className = "lv-playhead";
    this.playhead.hidden = true;
    this.moment = null; // epoch of a run that was wound back
    this.mark.innerHTML = '<svg aria-hidden="true" width="16" height="52" viewBox="-8 -44 16 52"><path class="lv-stem" d="M0 -44V-8"/><path d="M0 -7L7 0L0 7L-7 0Z"/></svg><span></span>';
    element.on("plotly_afterplot", () => {
      this.markBest();
      this.markMoment();
    });
    element.on("plotly_relayout", (change) => {
      if ("xaxis.range[0]" in change || "yaxis.range[0]" in change) this.onZoom(true);
      if ("xaxis.autorange" in change || "yaxis.autorange" in change) this.onZoom(false);
    });
    this.describe();
  }

  traces() {
    const line = ({ name, dash, width }, colour) => ({
      type: "scatter", mode: "lines", name, x: [], y: [], visible: false,
      line: { dash, width, color: colour, simplify: false }, hovertemplate: "%{y:.7~g}",
    });
    return [
      ...CURVES.map((curve, index) => line(curve, this.theme.lines[index])),
      line(GAP, this.theme.text),
      ...CURVES.map((curve, index) => line({ ...curve, name: `${curve.name}, smoothed` }, this.theme.lines[index])),
    ];
  }

  shown(column) {
    return column === "train_loss" || (column === "batch_loss" ? this.batch : this.hasValidation);
  }

  visible() {
    const curves = CURVES.map(({ column }) => this.shown(column));
    return [...curves, this.gap && this.hasValidation, ...curves.map((on) => on && this.smoothing)];
  }

  describe() {
    const samples = CURVES.map((curve, index) => (this.shown(curve.column) ? [curve, this.theme.lines[index]] : null));
    if (this.gap && this.hasValidation) samples.push([GAP, this.theme.text]);
    this.legend.innerHTML = samples.filter(Boolean).map(([{ name, dash, width }, colour]) => `<span>${lineSample(dash, colour, width)}${name}</span>`).join("")
      + (this.smoothing ? "<span>Faint: before smoothing</span>" : "");
  }

  clear(epochs, hasValidation) {
    this.rows = 0;
    this.best = 0; // epoch of the lowest validation loss; 0 as long as there is none
    this.hasValidation = Boolean(hasValidation);
    this.history = Object.fromEntries(COLUMNS.map((name) => [name, new Float64Array(epochs + 1)]));
    this.smooth = Object.fromEntries(CURVES.map(({ column }) => [column, { values: new Float64Array(epochs + 1), mean: 0, weight: 0 }]));
  }

  // Rows of the server; after a new connection some have been seen before.
  append(values) {
    for (let at = 0; at < values.length; at += COLUMNS.length) {
      if (values[at] < this.rows) continue;
      COLUMNS.forEach((name, column) => { this.history[name][this.rows] = values[at + column]; });
      for (const [column, smooth] of Object.entries(this.smooth)) {
        const value = this.history[column][this.rows];
        if (Number.isFinite(value)) {
          // Divided by the sum of the weights, the average does not begin at 0.
          smooth.mean = KEPT * smooth.mean + (1 - KEPT) * value;
          smooth.weight = KEPT * smooth.weight + (1 - KEPT);
        }
        smooth.values[this.rows] = Number.isFinite(value) ? smooth.mean / smooth.weight : NaN;
      }
      const losses = this.history.validation_loss;
      if (this.rows && Number.isFinite(losses[this.rows]) && (!this.best || losses[this.rows] < losses[this.best])) this.best = this.rows;
      this.rows += 1;
    }
  }

  // Forgets the rows from this one on: the run went another way.
  cut(rows) {
    if (rows >= this.rows) return;
    const kept = new Float64Array(rows * COLUMNS.length);
    for (let row = 0; row < rows; row += 1) {
      COLUMNS.forEach((name, column) => { kept[row * COLUMNS.length + column] = this.history[name][row]; });
    }
    this.clear(this.history.epoch.length - 1, this.hasValidation);
    this.append(kept);
  }

  draw() {
    const { history, element } = this;
    const kept = keptRows(this.rows);
    const x = kept.map((row) => history.epoch[row]);
    // Points are marked while they are few, so that the first ones can be seen.
    const mode = kept.length < 3 ? "lines+markers" : "lines";
    const visible = this.visible();
    const set = (index, value) => {
      Object.assign(element.data[index], { visible: visible[index] });
      if (visible[index]) Object.assign(element.data[index], { x, y: kept.map((row) => finiteOrNull(value(row))), mode });
    };
    // Changing the data in place and redrawing takes a fifth less than restyle, which keeps a record for undoing.
    CURVES.forEach(({ column }, index) => {
      set(index, (row) => history[column][row]);
      element.data[index].opacity = this.smoothing ? 0.3 : 1;
      set(AT_SMOOTH + index, (row) => this.smooth[column].values[row]);
    });
    set(AT_GAP, (row) => history.validation_loss[row] - history.train_loss[row]);
    this.plotly.redraw(element);
  }

  // A diamond on the validation curve, and above it, where the falling curves leave room, the epoch. It lies over the
  // chart, because as a part of it a mark and its label would make every frame a tenth dearer.
  markBest() {
    const { best, mark, element } = this;
    const { xaxis, yaxis } = element._fullLayout;
    const [x, y] = [xaxis.d2p(best), yaxis.d2p(this.history.validation_loss[best])];
    const inside = this.hasValidation && best > 0 && x >= 0 && x <= xaxis._length && y >= 0 && y <= yaxis._length;
    mark.hidden = !inside;
    if (!inside) return;
    mark.classList.toggle("lv-left", x > 0.5 * xaxis._length);
    mark.style.transform = `translate(${xaxis._offset + x}px, ${yaxis._offset + y}px)`;
    const text = `Best: epoch ${best.toLocaleString("en-GB")}`;
    if (mark.lastChild.textContent !== text) mark.lastChild.textContent = text;
  }

  // A line at the moment that the run was wound back to; what lies to its right is known and not in force.
  markMoment() {
    const { moment, playhead, element } = this;
    const { xaxis, yaxis } = element._fullLayout;
    const x = moment === null ? -1 : xaxis.d2p(moment);
    playhead.hidden = !(x >= 0 && x <= xaxis._length);
    if (playhead.hidden) return;
    playhead.style.transform = `translate(${xaxis._offset + x}px, ${yaxis._offset}px)`;
    playhead.style.height = `${yaxis._length}px`;
  }

  // One of the choices beside the title: "batch", "smoothing", "gap" or "log".
  set(name, on) {
    this[name] = on;
    this.refresh();
    if (name !== "log") return;
    const type = on ? "log" : "linear";
    // With a format of its own, a logarithmic axis would write out 0.7, 0.8 and 0.9, one over the other.
    this.plotly.relayout(this.element, { "yaxis.type": type, "yaxis.tickformat": on ? "" : TICKS, "yaxis.autorange": true });
  }

  refresh() {
    this.describe();
    this.draw();
  }

  showAll() {
    this.plotly.relayout(this.element, { "xaxis.autorange": true, "yaxis.autorange": true });
  }

  setTheme(theme) {
    this.theme = theme;
    const colours = theme.lines.slice(0, CURVES.length);
    CURVES.forEach((_, index) => {
      this.element.data[index].line.color = colours[index];
      this.element.data[AT_SMOOTH + index].line.color = colours[index];
    });
    this.element.data[AT_GAP].line.color = theme.text;
    this.mark.style.color = theme.lines[1];
    this.plotly.update(this.element, {}, themeChange(theme));
    this.refresh();
  }
}
