// What the model does: decision map, fitted curve, predictions against targets, or a table of right and wrong.

const SYMBOLS = ["circle", "square", "diamond"];
const REDRAW = 120; // milliseconds between redraws of moving points, which cost far more than a canvas

function rgb(colour) {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
}

function pointSample(symbol, colour, filled) {
  const shapes = { circle: '<circle cx="6" cy="6" r="4"/>', square: '<path d="M2.5 2.5h7v7h-7z"/>', diamond: '<path d="M6 1l5 5-5 5-5-5z"/>' };
  return `<svg aria-hidden="true" width="12" height="12" fill="${filled ? colour : "none"}" stroke="${colour}" stroke-width="1.6">${shapes[symbol]}</svg>`;
}

const escaped = (text) => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

// From so many classes on a table's cells are narrow, so that they fit a phone.
const DENSE = 5;

const TITLES = {
  plane: ["Decision map", "Points of the data and the class the model predicts at every place."],
  curve: ["Fitted curve", "Points of the data and the curve the model predicts."],
  chance: ["Curve over the feature", "Points of the data, each at the height of its class, and the curve the model gives. Where it crosses the dashed line the predicted class changes."],
  scatter: ["Predictions against targets", "One point a sample; on the diagonal the prediction is right."],
  texts: ["What the model reads", "Some reviews and what the model says after each of their words."],
  counts: ["Right and wrong predictions", "Tables of true classes by predicted classes."],
};

// Confusion matrices of both parts: a row for each true class, a column for each predicted one.
class CountTables {
  constructor(element, { classes, samples }) {
    this.classes = classes;
    this.cells = {};
    const holder = element.appendChild(document.createElement("div"));
    holder.className = "lv-tables";
    for (const [part, caption] of [["train", "Training"], ["validation", "Validation"]]) {
      if (!samples[part]) continue;
      const table = holder.appendChild(document.createElement("table"));
      const dense = classes.length >= DENSE;
      table.classList.toggle("lv-dense", dense);
      table.innerHTML = `<caption>${caption}</caption><thead><tr><td>${dense ? "" : "true \\ predicted"}</td>${classes.map((name) => `<th scope="col">${escaped(name)}</th>`).join("")}</tr></thead><tbody>${
        classes.map((name, row) => `<tr><th scope="row">${escaped(name)}</th>${classes.map((_, column) => `<td class="${row === column ? "lv-right" : ""}"></td>`).join("")}</tr>`).join("")}</tbody>`;
      this.cells[part] = [...table.querySelectorAll("tbody td")];
    }
  }

  draw(theme, parts) {
    const { classes } = this;
    for (const [part, cells] of Object.entries(this.cells)) {
      const counts = parts[part];
      cells.forEach((cell, index) => {
        const row = Math.floor(index / classes.length);
        const total = counts.subarray(row * classes.length, (row + 1) * classes.length).reduce((sum, n) => sum + n, 0);
        const colour = theme.rgb[index % (classes.length + 1) === 0 ? 0 : 1];
        cell.textContent = counts[index];
        cell.style.backgroundColor = `rgba(${colour.join()}, ${(0.4 * counts[index]) / Math.max(1, total)})`;
      });
    }
  }
}

class Model {
  constructor(plotly, { element, title, legend, words, sentence, ask }, theme, scene, arrays) {
    Object.assign(this, { plotly, element, title, legend, theme, scene, latest: arrays, last: 0, held: null, moved: null });
    this.fixed = arrays;
    element.replaceChildren();
    const [name, label] = TITLES[scene.kind];
    title.textContent = name;
    words.hidden = scene.kind !== "texts";
    if (scene.kind === "counts" || scene.kind === "texts") {
      this.legend.textContent = "Rows are the true classes, columns what the model predicts.";
      if (scene.kind === "texts") this.texts = new Texts({ element, legend, words, sentence, ask }, scene, theme);
      return;
    }
    this.canvas = element.appendChild(document.createElement("canvas"));
    this.axes = element.appendChild(document.createElement("div"));
    this.axes.className = "lv-axes";
    this.axes.setAttribute("role", "img");
    this.axes.setAttribute("aria-label", label);
    this.build();
  }

  end() {
    if (this.axes) this.plotly.purge(this.axes);
    this.texts?.end();
  }

  build() {
    const { scene, theme } = this;
    const plain = { hoverformat: ".5~g", tickformat: ".6~g", fixedrange: true };
    let axes;
    this.stretch = 1;
    if (scene.kind === "plane") {
      const [low1, high1, low2, high2] = scene.bounds;
      // Equal units where both features have about the same range; else one of them would be a thin strip.
      const ratio = (high1 - low1) / (high2 - low2);
      const square = ratio > 1 / 3 && ratio < 3 ? { scaleanchor: "x" } : {};
      axes = {
        xaxis: { ...plain, title: { text: escaped(scene.features[0]), standoff: 8 }, range: [low1, high1], showgrid: false, zeroline: false, constrain: "domain" },
        yaxis: { ...plain, title: { text: escaped(scene.features[1]), standoff: 4 }, range: [low2, high2], showgrid: false, zeroline: false, ...square, constrain: "domain" },
      };
    } else if (scene.kind === "curve" || scene.kind === "chance") {
      const ranges = this.ranges();
      axes = {
        xaxis: { ...plain, title: { text: escaped(scene.features[0]), standoff: 8 }, range: ranges.xaxis },
        yaxis: { ...plain, title: { text: escaped(scene.title ?? scene.target), standoff: 4 }, range: ranges.yaxis },
      };
      if (scene.kind === "chance") axes.shapes = [{ type: "line", layer: "below", xref: "paper", x0: 0, x1: 1, y0: scene.border, y1: scene.border, line: { color: theme.text, width: 1.5, dash: "dash" } }];
    } else {
      const [low, high] = scene.range;
      axes = {
        xaxis: { ...plain, title: { text: `True ${escaped(scene.target)}`, standoff: 8 }, range: [low, high] },
        yaxis: { ...plain, title: { text: `Predicted ${escaped(scene.target)}`, standoff: 4 }, range: [...scene.range] },
        shapes: [{ type: "line", layer: "below", x0: low, x1: high, y0: low, y1: high, line: { color: theme.text, width: 1.5, dash: "dash" } }],
      };
    }
    const { traces, legend } = this.points();
    this.legend.innerHTML = legend.join("");
    this.plotly.newPlot(this.axes, traces, layoutOf(theme, { ...axes, hovermode: "closest", dragmode: false }), PLOT_OPTIONS);
    this.draw(this.latest, true);
  }

  // Other points, on axes that hold them.
  change(scene, arrays) {
    Object.assign(this, { scene, fixed: { ...this.fixed, ...arrays }, latest: arrays });
    // While one is in hand the others stay.
    if (this.held === null) this.redrawPoints();
  }

  // Where points lie now: `moved`, which the learner has in hand, is ahead of the server; while held it is drawn apart.
  redrawPoints() {
    if (!["curve", "chance", "plane"].includes(this.scene.kind)) return;
    const { traces, legend } = this.points();
    this.legend.innerHTML = legend.join("");
    const { xaxis, yaxis } = this.ranges();
    this.plotly.update(this.axes, { x: traces.map(({ x }) => x), y: traces.map(({ y }) => y) }, { "xaxis.range": xaxis, "yaxis.range": yaxis });
    this.draw(this.latest, true);
  }

  ranges() {
    const { scene, fixed } = this;
    if (scene.kind === "plane") return { xaxis: scene.bounds.slice(0, 2), yaxis: scene.bounds.slice(2) };
    this.stretch = 1;
    return { xaxis: [fixed.grid[0], fixed.grid[fixed.grid.length - 1]], yaxis: [...scene.range] };
  }

  // The points of one part that are drawn: number, features and target of each.
  drawn(part) {
    const { scene, fixed, moved } = this;
    const features = scene.features.length;
    return [...fixed[`${part}_row`]].map((number, at) =>
      (moved?.number === number ? moved : { number, x: [...fixed[`${part}_x`].subarray(features * at, features * (at + 1))], y: fixed[`${part}_y`][at] }))
      .filter(({ number }) => this.held !== number);
  }

  // A point as the chart draws it, to stand by itself.
  sample({ number, y }) {
    const { scene, theme } = this;
    const filled = number < scene.training || number >= scene.untouched;
    if (scene.classes.length) return pointSample(SYMBOLS[y], theme.points[y], filled);
    return pointSample(filled ? "circle" : "diamond", theme.points[filled ? 0 : 2], filled);
  }

  points() {
    const { scene, theme, fixed } = this;
    const traces = [];
    const legend = [];
    let [all, drawn] = [0, 0];
    const parts = [["train", "training", true], ["validation", "validation", false]];
    for (const [part, word, filled] of parts) {
      const y = fixed[`${part}_y`];
      if (!y.length) continue;
      all += scene.samples[part];
      drawn += y.length;
      const trace = (name, symbol, colour, xs, ys, hover) => traces.push({
        type: "scatter", mode: "markers", name, x: xs, y: ys, hovertemplate: `${hover}<extra>${escaped(name)}</extra>`,
        marker: {
          symbol: filled ? symbol : `${symbol}-open`, color: colour, size: scene.kind === "plane" ? 7 : 8,
          line: { width: filled ? 1 : 1.6, color: filled ? theme.background : colour },
        },
      });
      if (scene.kind === "plane" || scene.kind === "chance") {
        const hover = scene.features.map((feature, axis) => `${escaped(feature)} %{${"xy"[axis]}}`).join("<br>");
        scene.classes.forEach((name, index) => {
          const points = this.drawn(part).filter((point) => point.y === index);
          const heights = points.map((point) => (scene.kind === "plane" ? point.x[1] : scene.labels[index]));
          trace(`${name}, ${word}`, SYMBOLS[index], theme.points[index], points.map((point) => point.x[0]), heights, hover);
          legend.push(`<span>${pointSample(SYMBOLS[index], theme.points[index], filled)}${escaped(name)}, ${word}</span>`);
        });
        continue;
      }
      const symbol = filled ? "circle" : "diamond";
      const colour = theme.points[filled ? 0 : 2];
      if (scene.kind === "curve") {
        const points = this.drawn(part);
        trace(word, symbol, colour, points.map((point) => point.x[0]), points.map((point) => point.y), `${escaped(scene.features[0])} %{x}<br>${escaped(scene.target)} %{y}`);
      } else {
        trace(word, symbol, colour, y, [...y].map(() => null), "true %{x}<br>predicted %{y}");
      }
      legend.push(`<span>${pointSample(symbol, colour, filled)}${word[0].toUpperCase()}${word.slice(1)}</span>`);
    }
    if (scene.kind === "curve") legend.push(`<span>${lineSample("solid", theme.points[1], 3)}Model</span>`);
    if (scene.kind === "chance") legend.push(`<span>${lineSample("solid", theme.points[2], 3)}Model</span><span>${lineSample("dash", theme.text, 1.5)}Border</span>`);
    if (scene.kind === "scatter") legend.push(`<span>${lineSample("dash", theme.text, 1.5)}Prediction is right</span>`);
    if (drawn < all) legend.push(`<span>${drawn.toLocaleString("en-GB")} of ${all.toLocaleString("en-GB")} points are drawn</span>`);
    return { traces, legend };
  }

  draw(arrays, now) {
    this.latest = arrays;
    if (this.texts) this.texts.take(arrays, now);
    else if (this.scene.kind === "counts") this.drawCounts(arrays);
    else if (this.scene.kind === "scatter") this.drawScatter(arrays, now);
    else {
      if (this.scene.kind !== "plane") this.keepInView(arrays.fitted);
      this.drawCanvas(arrays);
    }
  }

  // A curve that has mostly left the axes, as one of a diverging run does, takes them with it until it is back.
  keepInView(fitted) {
    const [low, high] = this.scene.range;
    const [middle, half] = [(low + high) / 2, (high - low) / 2];
    const far = [...fitted].filter(Number.isFinite).map((value) => Math.abs(value - middle) / half);
    const inside = far.filter((value) => value <= this.stretch).length;
    let wanted = this.stretch;
    if (far.length && inside < fitted.length / 2) wanted = 1.5 * Math.max(...far);
    else if (far.length && Math.max(...far) < 1) wanted = 1;
    if (wanted === this.stretch) return;
    this.stretch = wanted;
    this.plotly.relayout(this.axes, { "yaxis.range": [middle - wanted * half, middle + wanted * half] });
  }

  // Places the canvas under the plot area and returns it with functions from data to pixels.
  area() {
    const { xaxis, yaxis } = this.axes._fullLayout;
    const scale = devicePixelRatio || 1;
    const { canvas } = this;
    const style = [xaxis._offset, yaxis._offset, xaxis._length, yaxis._length].join();
    if (style !== this.placed) {
      this.placed = style;
      canvas.style.left = `${xaxis._offset}px`;
      canvas.style.top = `${yaxis._offset}px`;
      canvas.style.width = `${xaxis._length}px`;
      canvas.style.height = `${yaxis._length}px`;
      canvas.width = Math.round(xaxis._length * scale);
      canvas.height = Math.round(yaxis._length * scale);
    }
    const brush = canvas.getContext("2d");
    brush.setTransform(scale, 0, 0, scale, 0, 0);
    brush.clearRect(0, 0, xaxis._length, yaxis._length);
    return { brush, px: (value) => xaxis.l2p(value), py: (value) => yaxis.l2p(value) };
  }

  drawCanvas({ fitted, map }) {
    const { brush, px, py } = this.area();
    if (map) return this.drawMap(brush, px, py, map);
    const { grid } = this.fixed;
    brush.beginPath();
    let pen = false;
    fitted.forEach((value, index) => {
      // Far outside the axes a canvas loses its footing.
      const y = Math.min(1e5, Math.max(-1e5, py(value)));
      if (!Number.isFinite(y)) pen = false;
      else if (pen) brush.lineTo(px(grid[index]), y);
      else { brush.moveTo(px(grid[index]), y); pen = true; }
    });
    brush.strokeStyle = this.theme.points[this.scene.kind === "chance" ? 2 : 1];
    brush.lineWidth = 3;
    brush.lineJoin = "round";
    brush.stroke();
  }

  drawMap(brush, px, py, map) {
    const classes = this.scene.classes.length;
    const cells = map.length / (classes > 2 ? classes : 1);
    const size = Math.sqrt(cells);
    const colours = this.scene.classes.map((_, index) => this.theme.rgb[index]);
    const ground = this.theme.rgb.background;
    if (!this.small) {
      this.small = document.createElement("canvas");
      this.small.width = this.small.height = size;
      this.image = new ImageData(size, size);
    }
    const pixels = this.image.data;
    const lead = new Float32Array(classes * cells); // by how much each class is ahead of the best other one
    for (let cell = 0; cell < cells; cell += 1) {
      let best = -1;
      let second = -1;
      let winner = 0;
      for (let index = 0; index < classes; index += 1) {
        const share = classes > 2 ? map[cell * classes + index] : index ? map[cell] : 255 - map[cell];
        if (share > best) [second, best, winner] = [best, share, index];
        else if (share > second) second = share;
      }
      for (let index = 0; index < classes; index += 1) {
        const share = classes > 2 ? map[cell * classes + index] : index ? map[cell] : 255 - map[cell];
        lead[index * cells + cell] = share - (index === winner ? second : best);
      }
      const weight = 0.42 * Math.max(0, (best / 255 - 1 / classes) / (1 - 1 / classes));
      // Row 0 of the map is the lowest x2, row 0 of the image the highest.
      const at = 4 * ((size - 1 - Math.floor(cell / size)) * size + (cell % size));
      for (let channel = 0; channel < 3; channel += 1) {
        pixels[at + channel] = ground[channel] + weight * (colours[winner][channel] - ground[channel]);
      }
      pixels[at + 3] = 255;
    }
    this.small.getContext("2d").putImageData(this.image, 0, 0);
    const [low1, high1, low2, high2] = this.scene.bounds;
    const [left, right, bottom, top] = [px(low1), px(high1), py(low2), py(high2)];
    // The outermost cells are centred on the bounds.
    const dx = (right - left) / (size - 1);
    const dy = (bottom - top) / (size - 1);
    brush.imageSmoothingEnabled = true;
    brush.drawImage(this.small, left - dx / 2, top - dy / 2, size * dx, size * dy);
    brush.beginPath();
    for (let index = classes > 2 ? 0 : 1; index < classes; index += 1) {
      border(brush, lead.subarray(index * cells, (index + 1) * cells), size, (column) => left + column * dx, (row) => bottom - row * dy);
    }
    brush.strokeStyle = this.theme.text;
    brush.lineWidth = 1.5;
    brush.stroke();
  }

  drawScatter(arrays, now) {
    clearTimeout(this.timer);
    const wait = this.last + REDRAW - performance.now();
    if (wait > 0 && !now) {
      this.timer = setTimeout(() => this.drawScatter(this.latest, true), wait);
      return;
    }
    this.last = performance.now();
    const parts = ["train", "validation"].filter((part) => this.fixed[`${part}_y`].length);
    const ys = parts.map((part) => [...arrays[`${part}_predicted`]].map((value) => (Number.isFinite(value) ? value : null)));
    const [low, high] = this.axes._fullLayout.yaxis.range;
    const values = ys.flat().filter((value) => value !== null);
    const [least, most] = [Math.min(low, ...values), Math.max(high, ...values)];
    const change = least < low || most > high ? { "yaxis.range": [least - 0.05 * (most - least), most + 0.05 * (most - least)] } : {};
    this.plotly.update(this.axes, { y: ys }, change);
  }

  drawCounts({ train_counts: train, validation_counts: validation }) {
    this.tables ??= new CountTables(this.element, this.scene);
    this.tables.draw(this.theme, { train, validation });
  }

  setTheme(theme) {
    this.theme = theme;
    if (this.axes) {
      this.placed = undefined;
      this.build();
    } else if (this.texts) this.texts.setTheme(theme);
    else this.drawCounts(this.latest);
  }

  resize() {
    if (!this.axes) return;
    this.plotly.Plots.resize(this.axes);
    if (this.scene.kind !== "scatter") this.drawCanvas(this.latest);
  }
}

// Marching squares: adds to the path where `values` on a size by size grid change their sign.
function border(brush, values, size, x, y) {
  for (let row = 0; row + 1 < size; row += 1) {
    for (let column = 0; column + 1 < size; column += 1) {
      const a = values[row * size + column];
      const b = values[row * size + column + 1];
      const c = values[(row + 1) * size + column + 1];
      const d = values[(row + 1) * size + column];
      const up = (a > 0) + (b > 0) + (c > 0) + (d > 0);
      if (up === 0 || up === 4) continue;
      const crossings = [];
      if (a > 0 !== b > 0) crossings.push([x(column + a / (a - b)), y(row)]);
      if (b > 0 !== c > 0) crossings.push([x(column + 1), y(row + b / (b - c))]);
      if (c > 0 !== d > 0) crossings.push([x(column + d / (d - c)), y(row + 1)]);
      if (d > 0 !== a > 0) crossings.push([x(column), y(row + a / (a - d))]);
      for (let at = 0; at + 1 < crossings.length; at += 2) {
        brush.moveTo(...crossings[at]);
        brush.lineTo(...crossings[at + 1]);
      }
    }
  }
}
