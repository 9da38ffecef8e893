// A small chart of lines over the epochs, for the panels: a line a layer, or a line a part of the data.

const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];

// How line number `index` of several is drawn: no two have both dash and width in common.
function lineStyle(theme, index) {
  const colours = [...theme.lines, theme.text];
  return { dash: DASHES[index % DASHES.length], width: index < DASHES.length ? 2 : 3.5, color: colours[index % colours.length] };
}

class Lines {
  // `names` of the lines; `band` is [low, high] of a stretch to set off; with `zero` the axis reaches down to 0.
  constructor(plotly, { element, legend }, theme, { names, title, log, format, label, band, zero }) {
    Object.assign(this, { plotly, element, legend, theme, names, band });
    element.setAttribute("role", "img");
    element.setAttribute("aria-label", label);
    const axis = { title: { text: title, standoff: 4 }, autorange: true, tickformat: format, hoverformat: format };
    const layout = layoutOf(theme, {
      xaxis: { ...EPOCH_AXIS, hoverformat: ".5~g", unifiedhovertitle: { text: "Epoch %{x}" } },
      yaxis: log ? { ...axis, type: "log", exponentformat: "power", tickformat: "" } : axis,
      hovermode: "x unified", uirevision: "kept", dragmode: COARSE ? false : "zoom",
      shapes: this.shapes(),
    });
    const traces = names.map((name, index) => ({
      type: "scatter", mode: "lines", name, x: [], y: [], line: { ...lineStyle(theme, index), simplify: false },
      hovertemplate: `%{y:${format}}`,
    }));
    if (zero) traces.push({ type: "scatter", mode: "markers", x: [0], y: [0], hoverinfo: "skip", marker: { opacity: 0 } });
    this.plotly.newPlot(element, traces, layout, PLOT_OPTIONS);
    this.describe();
  }

  shapes() {
    if (!this.band) return [];
    const colour = rgb(this.theme.points[2]).join();
    const edge = (at) => ({ type: "line", xref: "paper", x0: 0, x1: 1, y0: at, y1: at, layer: "below", line: { width: 1, dash: "dot", color: this.theme.points[2] } });
    return [
      { type: "rect", xref: "paper", x0: 0, x1: 1, y0: this.band[0], y1: this.band[1], layer: "below", line: { width: 0 }, fillcolor: `rgba(${colour}, 0.16)` },
      ...this.band.map(edge),
    ];
  }

  describe() {
    this.legend.innerHTML = this.names.map((name, index) => {
      const { dash, color, width } = lineStyle(this.theme, index);
      return `<span>${lineSample(dash, color, width)}${name}</span>`;
    }).join("");
  }

  // `value(line, row)` gives what is drawn; `epoch(row)` where.
  draw(rows, epoch, value) {
    const kept = keptRows(rows);
    const x = kept.map(epoch);
    const mode = kept.length < 3 ? "lines+markers" : "lines";
    this.names.forEach((_, line) => {
      Object.assign(this.element.data[line], { x, mode, y: kept.map((row) => finiteOrNull(value(line, row))) });
    });
    this.plotly.redraw(this.element);
  }

  setTheme(theme) {
    this.theme = theme;
    this.names.forEach((_, line) => Object.assign(this.element.data[line].line, lineStyle(theme, line)));
    this.plotly.update(this.element, {}, { ...themeChange(theme), shapes: this.shapes() });
    this.describe();
  }

  resize() {
    this.plotly.Plots.resize(this.element);
  }

  end() {
    this.plotly.purge(this.element);
  }
}
