// A race of learning rates: the loss so far against the rate, with the largest stable rate.

class RaceSweep {
  constructor(plotly, element, theme) {
    Object.assign(this, { plotly, element, theme });
  }

  begin({ rates, limit, part, names }) {
    Object.assign(this, { rates, limit, part, names });
    this.order = rates.map((_, racer) => racer).sort((a, b) => rates[a] - rates[b]);
    this.points = rates.map(() => NaN);
    this.states = rates.map(() => "running");
    this.plot();
  }

  // The loss of each racer after its last epoch, and how it fares.
  set(points, states) {
    Object.assign(this, { points, states });
    this.draw();
  }

  plot() {
    const colours = this.order.map((racer) => raceLine(this.theme, racer).color);
    const x = this.order.map((racer) => this.rates[racer]);
    const edge = { width: 1.5, color: this.theme.background };
    const layout = layoutOf(this.theme, {
      xaxis: { title: { text: "Learning rate", standoff: 8 }, type: "log", autorange: true, fixedrange: true, tickformat: "~g", dtick: 1 },
      yaxis: { title: { text: `${this.part === "validation" ? "Validation" : "Training"} loss`, standoff: 4 }, type: "log", autorange: true, fixedrange: true, exponentformat: "power", minexponent: 3, nticks: 8 },
      margin: { l: 68, r: 16, t: 10, b: 46 }, hovermode: "closest", dragmode: false,
    });
    layout.yaxis2 = { overlaying: "y", range: [0, 1], visible: false, fixedrange: true };
    this.plotly.react(this.element, [
      { type: "scatter", mode: "lines", x: this.limit ? [this.limit, this.limit] : [], y: this.limit ? [0, 1] : [], yaxis: "y2", line: { color: this.theme.text, width: 2, dash: "dash" }, hoverinfo: "skip" },
      { type: "scatter", mode: "lines+markers", x, y: [], line: { color: this.theme.text, width: 1.5 }, marker: { size: 11, color: colours, line: edge }, hovertemplate: "Rate %{x:~g}: loss %{y:.5~g}<extra></extra>" },
      { type: "scatter", mode: "markers", x, y: [], yaxis: "y2", marker: { size: 13, symbol: "triangle-up", color: colours, line: edge }, hovertemplate: "Rate %{x:~g}: overflowed<extra></extra>" },
    ], layout, RACE_OPTIONS);
    this.draw();
  }

  draw() {
    const { element, order } = this;
    const finite = order.map((racer) => (Number.isFinite(this.points[racer]) && this.states[racer] !== "overflowed" ? this.points[racer] : null));
    element.layout.yaxis.type = finite.some((value) => value !== null && value <= 0) ? "linear" : "log";
    const shown = finite.filter((value) => value > 0);
    element.layout.yaxis.dtick = element.layout.yaxis.type === "log" ? raceTick(Math.min(...shown), Math.max(...shown)) : undefined;
    element.data[1].y = finite;
    element.data[2].y = order.map((racer) => (this.states[racer] === "overflowed" ? 0.96 : null));
    this.plotly.redraw(element);
  }

  setTheme(theme) {
    this.theme = theme;
    if (this.rates) this.plot();
  }

  resize() {
    if (this.rates) this.plotly.Plots.resize(this.element);
  }

  end() {
    this.plotly.purge(this.element);
  }
}
