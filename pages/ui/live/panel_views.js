// The panels one by one: each a figure, and how its data are drawn into it.

const HEALTHY = [10 ** -3.5, 10 ** -2.5]; // half a power of ten to each side of 0.001
const FAR = 100; // times that the gradient may shrink or grow from the last layer to the first
const BARS = [240, 64];

// Short forms: a share as per cent, a number with so many digits that a column of them stays narrow.
const percent = (share) => `${share >= 0.0005 || share === 0 ? (100 * share).toFixed(1) : Number((100 * share).toPrecision(2))} %`;
const digits = (value, wanted) => {
  const number = Number(value); // "Infinity" and "NaN" come as texts
  if (!Number.isFinite(number)) return shownNumber(value);
  const size = Math.abs(number);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return number.toExponential(wanted - 1).replace("e+", "e").replaceAll("-", "−");
  return String(Number(number.toPrecision(wanted))).replace("-", "−");
};
const count = (number) => number.toLocaleString("en-GB");

class View {
  constructor(panels, figure) {
    Object.assign(this, { panels, figure, drawn: 0, pause: 0, due: true, charts: [] });
    this.build();
  }

  add(tag, className, html = "", parent = this.figure) {
    const element = parent.appendChild(document.createElement(tag));
    element.className = className;
    element.innerHTML = html;
    return element;
  }

  title(text) {
    this.add("figcaption", "lv-title", text);
  }

  lines(options, parent = this.figure) {
    const legend = this.add("p", "lv-legend", "", parent);
    const element = this.add("div", "lv-plot lv-small", "", parent);
    const chart = new Lines(this.panels.plotly, { element, legend }, this.panels.theme, options);
    this.charts.push(chart);
    return chart;
  }

  // A table with so many empty rows, so that nothing moves when numbers come.
  table(columns, rows, rowHead = () => null) {
    const table = this.add("table", "lv-list");
    table.innerHTML = `<thead><tr>${columns.map((name) => `<th scope="col">${escaped(name)}</th>`).join("")}</tr></thead><tbody>${
      Array.from({ length: rows }, (_, row) => `<tr>${columns.map((_, column) =>
        (column === 0 ? `<th scope="row">${rowHead(row) ?? "–"}</th>` : "<td>–</td>")).join("")}</tr>`).join("")}</tbody>`;
    return [...table.querySelectorAll("tbody tr")].map((row) => [...row.children]);
  }

  setTheme(theme) {
    this.charts.forEach((chart) => chart.setTheme(theme));
  }

  resize() {
    this.charts.forEach((chart) => chart.resize());
  }

  end() {
    this.charts.forEach((chart) => chart.end());
    this.figure.remove();
  }
}

class MetricView extends View {
  build() {
    const { scene, metric } = this.panels;
    const accuracy = metric === "accuracy";
    this.columns = scene.samples.validation ? ["train_metric", "validation_metric"] : ["train_metric"];
    this.title(accuracy ? "Accuracy by epoch" : "R² by epoch");
    this.chart = this.lines({
      names: ["Training", "Validation"].slice(0, this.columns.length), title: accuracy ? "Accuracy" : "R²", format: accuracy ? ".1~%" : ".4~g",
      label: `${accuracy ? "Accuracy" : "R²"} of the training and the validation part by epoch. The numbers at the top give the latest values.`,
    });
    this.add("p", "lv-note", accuracy ? "The share of the points whose class the model gets right."
      : "1: every prediction is right. 0: no better than always predicting the mean. Below 0: worse than that.");
  }

  draw() {
    const { history, rows } = this.panels.curves;
    this.chart.draw(rows, (row) => history.epoch[row], (line, row) => history[this.columns[line]][row]);
  }
}

class RateView extends View {
  build() {
    this.title("Learning rate by epoch");
    this.chart = this.lines({ names: ["Learning rate"], title: "Learning rate", format: ".4~g", zero: true, label: "Learning rate of the last update of each epoch. The field at the top gives the latest value." });
    this.add("p", "lv-note", "The rate of each epoch's last update; at epoch 0, of the first update to come.");
  }

  draw() {
    const { history, rows } = this.panels.curves;
    this.chart.draw(rows, (row) => history.epoch[row], (line, row) => history.learning_rate[row]);
  }
}

class GradientsView extends View {
  build() {
    const names = this.panels.layers;
    this.figure.classList.add("lv-wide");
    this.title("Gradients and updates, layer by layer");
    const columns = this.add("div", "lv-columns");
    const [left, right] = [0, 1].map(() => this.add("div", "", "", columns));
    this.sizes = this.lines({ names, title: "Size of the gradient", log: true, format: ".3~g", label: "Size of each layer's gradient over the run. The table below gives the latest values." }, left);
    this.ratios = this.lines({ names, title: "Update / weights", log: true, format: ".3~g", band: HEALTHY, label: "Size of each layer's update divided by the size of its weights, over the run. The table below gives the latest values." }, right);
    this.add("p", "lv-note", "The gradient of the latest batch, as the optimizer takes it: after penalties and clipping.", left);
    this.add("p", "lv-note", "Band: around 0.001, a rule of thumb (Karpathy, CS231n). Far above, steps are wild; far below, the layer hardly learns.", right);
    this.rows = this.table(["Layer", "Gradient of weights", "Gradient of biases", "Update / weights"], names.length, (row) => names[row]);
    this.verdict = this.add("p", "lv-note lv-tall");
  }

  draw({ latest }) {
    const { rows, layers } = this.panels;
    const half = layers.length;
    const epoch = (row) => rows[row][0];
    // A gradient of exactly 0 has no place on a logarithmic axis.
    const positive = (value) => (value > 0 ? value : null);
    this.sizes.draw(rows.length, epoch, (line, row) => positive(rows[row][1 + line]));
    this.ratios.draw(rows.length, epoch, (line, row) => positive(rows[row][1 + half + line]));
    this.rows.forEach(([, weights, biases, ratio], layer) => {
      const now = latest[layer];
      weights.textContent = shownNumber(now?.weights);
      biases.textContent = shownNumber(now?.biases);
      ratio.textContent = shownNumber(now?.ratio);
    });
    this.verdict.textContent = verdictOf(latest);
  }
}

// How the gradient changes on its way from the last layer back to the first.
function verdictOf(latest) {
  if (latest.length === 0) return "No update has been made yet.";
  const [first, last] = [Number(latest[0].gradient), Number(latest.at(-1).gradient)];
  if (!Number.isFinite(first) || !Number.isFinite(last)) return "The gradient has grown beyond all numbers: it exploded.";
  if (latest.length === 1) return "";
  if (last === 0) return "The gradient is 0 at the last layer, so it is 0 everywhere.";
  const times = first / last;
  const ending = times === 0 ? ": no signal reaches the first layer." : times < 1 / FAR ? ": it vanishes on its way back." : times > FAR ? ": it explodes on its way back." : ".";
  return `The first layer's gradient is ${digits(times, 2)} times the last layer's${ending}`;
}

class ActivationsView extends View {
  build() {
    const names = this.panels.layers.slice(0, -1);
    this.title("Activations of the hidden layers");
    if (!names.length) {
      this.add("p", "lv-note", "A linear model has no hidden layer, so there are no activations to see.");
      return;
    }
    this.add("p", "lv-note", "How the outputs of each layer's units are spread, over all training points, without dropout.");
    this.layers = names.map((name) => {
      const holder = this.add("div", "lv-histogram", `<p class="lv-note">${name}</p><svg role="img" aria-label="${name}" viewBox="0 0 ${BARS.join(" ")}" preserveAspectRatio="none"><path/></svg><div class="lv-ends"><span></span><span></span></div><p class="lv-note"></p>`);
      const [head, svg, ends, words] = holder.children;
      return { name, head, svg, path: svg.firstChild, ends: [...ends.children], words };
    });
    this.colour();
  }

  colour() {
    this.layers?.forEach(({ path }) => path.setAttribute("fill", this.panels.theme.points[0]));
  }

  setTheme() {
    this.colour();
  }

  draw({ layers, counts }) {
    const bins = layers.length ? counts.length / layers.length : 0;
    const [width, height] = BARS;
    layers.forEach((layer, index) => {
      const { head, svg, path, ends, words, name } = this.layers[index];
      const own = counts.subarray(index * bins, (index + 1) * bins);
      const most = Math.max(1, ...own);
      const step = width / bins;
      path.setAttribute("d", [...own].map((number, bin) => {
        const tall = (height * number) / most;
        return number ? `M${(bin * step + 0.5).toFixed(2)} ${height}v${-tall.toFixed(2)}h${(step - 1).toFixed(2)}V${height}z` : "";
      }).join(""));
      head.textContent = `${name}, ${layer.units === 1 ? "1 unit" : `${count(layer.units)} units`}`;
      ends[0].textContent = digits(layer.low, 4);
      ends[1].textContent = digits(layer.high, 4);
      words.textContent = wordsOf(layer);
      svg.setAttribute("aria-label", `Histogram of the outputs of ${name.toLowerCase()} from ${ends[0].textContent} to ${ends[1].textContent}. ${words.textContent}`);
    });
  }
}

function wordsOf({ name, units, dead, saturated, not_finite: lost }) {
  if (lost) return `${count(lost)} outputs are infinite or not a number.`;
  if (dead === 0) return "No unit is dead: each is above 0 for some training point.";
  if (dead) return `${count(dead)} of ${count(units)} units ${dead === 1 ? "is" : "are"} dead: 0 for every training point.`;
  if (name === "Embedding") return "The numbers of every word in the training reviews. The axis ends at the next power of 2 beyond all of them.";
  if (name === "LSTM") return "The state after the last word. It is a product of two squashed numbers, so it lies between −1 and 1.";
  if (saturated !== null) return `${percent(saturated)} of the outputs are saturated: so close to an end that hardly any gradient passes.`;
  return "The axis ends at the next power of 2 beyond all outputs.";
}

class ConfusionView extends View {
  build() {
    this.title("Confusion matrix");
    this.add("p", "lv-note", "Rows are the true classes, columns what the model predicts.");
    this.tables = new CountTables(this.figure, this.panels.scene);
  }

  draw(parts) {
    this.tables.draw(this.panels.theme, parts);
  }

  setTheme() {}
}

class HardestView extends View {
  build() {
    const { scene } = this.panels;
    this.title("Hardest samples");
    this.add("p", "lv-note", "The training points with the largest loss, by their number in the training part. The mean over all points is the training loss.");
    this.figure.classList.toggle("lv-with-texts", scene.kind === "texts");
    this.features = scene.kind === "texts" ? ["Review"] : scene.features.length <= 2 ? scene.features : [];
    const columns = ["Sample", ...this.features, "Target", "Prediction", "Loss", ...(scene.image ? ["Image"] : [])];
    this.rows = this.table(columns, Math.min(8, scene.samples.train));
    this.canvases = this.rows.map((cells) => {
      if (!scene.image) return null;
      cells.at(-1).innerHTML = pictureCanvas(scene.image);
      return cells.at(-1).firstChild;
    });
  }

  draw({ samples, images }) {
    const size = images && images.length / samples.length;
    samples.forEach((sample, row) => {
      const { number, features, target, prediction, loss } = sample;
      const wrong = images && prediction.class !== target ? " ✗" : "";
      const texts = [count(number), ...features.map((value) => (this.panels.scene.texts ? value : digits(value, 3))), targetText(target), predictionText(prediction) + wrong, digits(loss, 4)];
      texts.forEach((text, column) => { this.rows[row][column].textContent = text; });
      if (!images) return;
      drawPixels(this.canvases[row], images.subarray(row * size, (row + 1) * size));
      this.canvases[row].setAttribute("aria-label", pictureName(sample));
    });
  }
}

const targetText = (target) => (typeof target === "string" && !["NaN", "Infinity", "-Infinity"].includes(target) ? target : digits(target, 4));

function predictionText({ class: name, probability, score, value }) {
  if (name === undefined) return digits(value, 4);
  return probability === undefined ? `${name} (score ${digits(score, 3)})` : `${name} (${probability > 0.995 ? "over 99" : Math.round(100 * probability)} %)`;
}

const NO_SHARES = {
  mixed: "With batch normalisation the samples of a batch mix, so no sample has a gradient of its own.",
  nobody: "No sample pulls: every gradient is 0.",
  "not finite": "The numbers have grown beyond all bounds, so there are no shares.",
};

class PullsView extends View {
  build() {
    this.title("Who pulls at the weights");
    this.add("p", "lv-note", "Each training point has a gradient of its own. The longer it is, the harder the point pulls: its share of all lengths together.");
    this.rows = this.table(["Sample", "Target", "Share of the gradient"], Math.min(8, this.panels.scene.samples.train));
    this.list = this.figure.lastChild;
    this.rows.forEach((cells) => {
      const cell = cells.at(-1);
      cell.className = "lv-share";
      cell.innerHTML = '<span>–</span><span class="lv-bar" aria-hidden="true"></span>';
      cells[2] = cell.children;
    });
    this.words = this.add("p", "lv-note lv-tall");
    this.colour();
  }

  colour() {
    this.rows.forEach(([, , [, bar]]) => { bar.style.backgroundColor = this.panels.theme.points[0]; });
  }

  setTheme() {
    this.colour();
  }

  draw({ state, top, samples, tenth, tenth_share: share }) {
    const known = state === "shares";
    this.list.hidden = !known;
    if (!known) {
      this.words.textContent = NO_SHARES[state];
      return;
    }
    top.forEach((sample, row) => {
      const [number, target, [text, bar]] = this.rows[row];
      number.textContent = count(sample.number);
      target.textContent = targetText(sample.target);
      text.textContent = percent(sample.share);
      bar.style.width = `${(60 * sample.share) / top[0].share}%`;
    });
    const most = tenth === 1 ? "The one sample that pulls most holds" : `The ${count(tenth)} samples that pull most, of ${count(samples)}, hold`;
    this.words.textContent = `${most} ${percent(share)} of the pull. If all pulled alike, each would hold ${percent(1 / samples)}.`;
  }
}
