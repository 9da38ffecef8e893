// The curves of all racers: one line each, named at its end; for seeds also mean and standard deviation.

const RACE_DRAWN = 4000; // points of all lines on the screen, and of one at most an eighth of them
const RACE_NARROW = 560;
const RACE_LABEL = 15; // pixels between the names at the ends
const RACE_OPTIONS = { displayModeBar: false, displaylogo: false, responsive: false, doubleClick: false, showTips: false };

class RaceCurves {
  constructor(plotly, { element, labels, remark }, theme) {
    Object.assign(this, { plotly, element, labels, remark, theme, marked: null });
  }

  // A new race: its names, its length, what is drawn.
  begin({ names, epochs, metric, part, band }) {
    Object.assign(this, { names, epochs, metric, part, band, rows: 0 });
    this.width = 2 * names.length + (band ? 4 : 0);
    this.values = new Float64Array(this.width * (epochs + 1)).fill(NaN);
    this.plot();
  }

  show(measure, log) {
    if (this.measure === measure && this.log === log) return;
    Object.assign(this, { measure, log });
    if (this.names) this.plot();
  }

  append(first, rows) {
    for (let at = 0; at * this.width < rows.length; at += 1) {
      if (first + at !== this.rows) continue; // seen before, on an earlier connection
      this.values.set(rows.subarray(at * this.width, (at + 1) * this.width), this.rows * this.width);
      this.rows += 1;
    }
  }

  // `offset` 0 is the metric, 1 the loss.
  value(row, racer, offset = this.measure === "loss" ? 1 : 0) {
    return this.values[row * this.width + 2 * racer + offset];
  }

  last(racer, offset) {
    for (let row = this.rows - 1; row >= 0; row -= 1) {
      const value = this.value(row, racer, offset);
      if (Number.isFinite(value)) return value;
    }
    return NaN;
  }

  // For the names at the ends, as far as they are not cut.
  get room() {
    return 46 + 7.4 * Math.min(22, Math.max(...this.names.map((name) => name.length)));
  }

  get wide() {
    return this.element.clientWidth >= RACE_NARROW;
  }

  layout() {
    const loss = this.measure === "loss";
    const percent = !loss && this.metric === "accuracy";
    const what = loss ? "loss" : percent ? "accuracy" : "R²";
    return layoutOf(this.theme, {
      xaxis: { title: { text: "Epoch", standoff: 8 }, range: [0, this.epochs], fixedrange: true },
      yaxis: {
        title: { text: `${this.part === "validation" ? "Validation" : "Training"} ${what}`, standoff: 4 }, fixedrange: true,
        type: this.log ? "log" : "linear", autorange: true, tickformat: percent ? ".0%" : this.log ? "" : ".5~g",
        ...(this.log ? { exponentformat: "power", minexponent: 3, nticks: 8 } : {}),
      },
      margin: { l: 68, r: this.wide ? this.room : 16, t: 10, b: 46 },
      hovermode: "closest", dragmode: false, hoverdistance: 30,
    });
  }

  traces() {
    const hover = this.measure === "loss" ? "%{y:.5~g}" : this.metric === "accuracy" ? "%{y:.1%}" : "%{y:.4~f}";
    const lines = this.names.map((name, racer) => ({
      type: "scatter", mode: "lines", name, x: [], y: [], hovertemplate: `<b>%{fullData.name}</b>: ${hover}<br>epoch %{x}<extra></extra>`,
      line: { ...raceLine(this.theme, racer), width: RACE_WIDTH, simplify: false },
    }));
    if (!this.band) return lines;
    const edge = { type: "scatter", mode: "lines", x: [], y: [], line: { width: 0 }, hoverinfo: "skip" };
    return [
      ...lines,
      { ...edge, name: "lower" },
      { ...edge, name: "upper", fill: "tonexty", fillcolor: this.theme.band },
      { type: "scatter", mode: "lines", name: "Mean", x: [], y: [], line: { color: this.theme.text, width: 4, simplify: false }, hovertemplate: `<b>Mean</b>: ${hover}<br>epoch %{x}<extra></extra>` },
    ];
  }

  plot() {
    this.plotly.react(this.element, this.traces(), this.layout(), RACE_OPTIONS);
    this.element.removeAllListeners?.("plotly_hover");
    this.element.on("plotly_hover", ({ points }) => this.onMark?.(points[0].curveNumber < this.names.length ? points[0].curveNumber : null));
    this.element.removeAllListeners?.("plotly_unhover");
    this.element.on("plotly_unhover", () => this.onMark?.(null));
    this.draw();
  }

  kept() {
    let stride = 1;
    while (this.rows / stride > RACE_DRAWN / Math.max(8, this.names.length)) stride *= 2;
    const kept = [];
    for (let row = 0; row < this.rows; row += stride) kept.push(row);
    if (kept.length && kept[kept.length - 1] !== this.rows - 1) kept.push(this.rows - 1);
    return kept;
  }

  draw() {
    const { element, names } = this;
    const kept = this.kept();
    const mode = kept.length < 2 ? "markers" : "lines";
    const fine = (value) => (Number.isFinite(value) && !(this.log && value <= 0) ? value : null);
    names.forEach((_, racer) => {
      const trace = element.data[racer];
      const own = this.marked === racer;
      Object.assign(trace, { x: kept, y: kept.map((row) => fine(this.value(row, racer))), mode });
      trace.opacity = this.marked === null ? (this.band ? 0.6 : 1) : own ? 1 : 0.16;
      trace.line.width = own ? 4 : this.band ? 1.4 : RACE_WIDTH;
    });
    if (this.band) {
      const at = 2 * names.length + (this.measure === "loss" ? 2 : 0);
      const mean = (row) => this.values[row * this.width + at];
      const deviation = (row) => this.values[row * this.width + at + 1];
      const pick = (value) => kept.map((row) => fine(value(row)));
      const [lower, upper, middle] = element.data.slice(names.length);
      Object.assign(lower, { x: kept, y: pick((row) => mean(row) - deviation(row)) });
      Object.assign(upper, { x: kept, y: pick((row) => mean(row) + deviation(row)) });
      Object.assign(middle, { x: kept, y: pick(mean), mode });
    }
    this.range(kept);
    this.plotly.redraw(element);
    this.name();
  }

  // One racer that runs away would press all others onto the axis.
  range(kept) {
    const axis = this.element.layout.yaxis;
    let [low, high] = [Infinity, -Infinity];
    for (const row of kept) {
      for (let racer = 0; racer < this.names.length; racer += 1) {
        const value = this.value(row, racer);
        if (Number.isFinite(value) && !(this.log && value <= 0)) [low, high] = [Math.min(low, value), Math.max(high, value)];
      }
    }
    if (this.log) axis.dtick = raceTick(low, high);
    let start = -Infinity;
    for (let racer = 0; racer < this.names.length; racer += 1) start = Math.max(start, this.value(0, racer));
    let remark = "";
    axis.autorange = true;
    if (this.measure === "loss" && !this.log && high > 1.5 * start && start > 0) {
      Object.assign(axis, { autorange: false, range: [Math.min(0, low), 1.25 * start] });
      remark = "Some lines leave at the top; the log scale shows all of them.";
    } else if (this.measure !== "loss" && this.metric === "r2" && low < -1) {
      Object.assign(axis, { autorange: false, range: [-1, 1.05] });
      remark = "Some lines are below −1, outside the picture: worse than always predicting the mean.";
    }
    if (this.remark.textContent !== remark) this.remark.textContent = remark;
  }

  // The names at the ends of the lines, moved apart where they would overlap.
  name() {
    const { labels, element, names, theme } = this;
    labels.toggleAttribute("hidden", !this.wide || !this.rows);
    if (!this.wide || !this.rows) return;
    const { yaxis, xaxis } = element._fullLayout;
    const [top, height] = [yaxis._offset, yaxis._length];
    const right = xaxis._offset + xaxis._length;
    const ends = names.map((name, racer) => {
      const value = this.last(racer);
      const place = yaxis.l2p(yaxis.d2l(value));
      return { name, racer, value, end: Math.min(Math.max(Number.isFinite(place) ? place : 0, 0), height) };
    }).filter(({ value }) => Number.isFinite(value)).sort((a, b) => a.end - b.end);
    const gap = Math.min(RACE_LABEL, (height + 10) / Math.max(1, ends.length));
    ends.forEach((end, at) => { end.y = at ? Math.max(end.end, ends[at - 1].y + gap) : end.end; });
    let limit = height + 4;
    for (const end of [...ends].reverse()) {
      end.y = Math.min(end.y, limit);
      limit = end.y - gap;
    }
    labels.innerHTML = ends.map(({ name, racer, end, y }) => {
      const { color, dash } = raceLine(theme, racer);
      const shown = name.length > 22 ? `${name.slice(0, 21)}…` : name;
      const faint = this.marked !== null && this.marked !== racer ? 0.35 : 1;
      return `<g opacity="${faint}"><path d="M${right + 2} ${top + end}L${right + 12} ${top + y}h14" fill="none" stroke="${color}" stroke-width="2.4" stroke-dasharray="${RACE_PATTERNS[dash]}"/>`
        + `<text x="${right + 31}" y="${top + y + 4}"${this.marked === racer ? ' font-weight="700"' : ""}>${raceEscape(shown)}</text></g>`;
    }).join("");
  }

  mark(racer) {
    if (this.marked === racer) return false;
    this.marked = racer;
    return true;
  }

  setTheme(theme) {
    this.theme = theme;
    if (this.names) this.plot();
  }

  resize() {
    if (!this.names) return;
    this.plotly.Plots.resize(this.element);
    this.plot();
  }

  end() {
    this.plotly.purge(this.element);
  }
}

// Ticks of a logarithmic axis: whole powers where they fit, and otherwise what Plotly thinks best.
function raceTick(low, high) {
  const decades = Math.log10(high / low);
  return decades === 0 || (decades >= 1.2 && decades <= 7) ? 1 : undefined;
}

const raceEscape = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
