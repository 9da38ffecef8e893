// What Keras prints for an epoch, beside what its evaluate() gives after it.

class PrintedView extends View {
  build() {
    const { metric, scene } = this.panels;
    const name = metric === "r2" ? "R²" : "accuracy";
    this.figure.classList.add("lv-wide");
    this.title("What Keras prints");
    this.line = this.add("pre", "lv-console");
    this.nothing = "No epoch is complete yet: Keras prints a line at the end of each.";
    this.line.textContent = this.nothing;
    const columns = this.add("div", "lv-columns");
    const [left, right] = [0, 1].map(() => this.add("div", "", "", columns));
    this.kinds = ["loss", metric, ...(scene.samples.validation ? ["loss", metric] : [])];
    const heads = ["Training loss", `Training ${name}`, "Validation loss", `Validation ${name}`];
    this.rows = this.table(["After the epoch", "fit() prints", "evaluate() gives"], this.kinds.length, (row) => heads[row]);
    left.append(this.figure.lastChild);
    this.reasons = this.add("p", "lv-note lv-reasons", "", left);
    this.chart = this.lines({
      names: ["fit() prints", "evaluate() gives"], title: "Training loss", format: ".5~g",
      label: "Training loss by epoch as fit() prints it and as evaluate() gives it. The table beside it gives the latest values.",
    }, right);
  }

  draw(data) {
    const { told } = this.panels;
    this.line.textContent = data.line ?? this.nothing;
    this.reasons.textContent = data.why;
    this.rows.forEach((cells, row) => {
      for (const side of [0, 1]) {
        const value = data.rows?.[row][side];
        cells[side + 1].textContent = this.kinds[row] === "loss" ? shownNumber(value) : shownMetric(value, this.panels.metric);
      }
    });
    this.chart.draw(told.length, (row) => told[row][0], (line, row) => told[row][1 + line]);
  }
}
