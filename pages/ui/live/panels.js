// What can be opened below the charts. The server is told which panels are open, and computes those alone.

const PANELS = {
  metric: MetricView, rate: RateView, gradients: GradientsView, activations: ActivationsView,
  confusion: ConfusionView, hardest: HardestView, pulls: PullsView, printed: PrintedView,
};
const PANEL_PAUSE = 250; // milliseconds between redraws of one panel while a run plays, at least
const PANEL_SHARE = 0.05; // of the time that redraws of one panel may take, on slow machines too

class Panels {
  // `changed()` is called when the learner opened or closed a panel.
  constructor(plotly, { chips, holder, images }, theme, curves, changed) {
    Object.assign(this, { plotly, holder, pictures: images, theme, curves, changed });
    this.chips = [...chips.querySelectorAll("[data-panel]")];
    this.views = new Map();
    this.data = {};
    this.wanted = new Set();
    chips.addEventListener("click", ({ target }) => {
      const chip = target.closest("[data-panel]");
      if (chip) this.toggle(chip.dataset.panel);
    });
  }

  // The panels that are open and make sense for this run.
  get open() {
    return Object.keys(PANELS).filter((name) => this.wanted.has(name) && this.fits(name));
  }

  fits(name) {
    // Where the model itself is shown as a confusion matrix, another one would say the same.
    return name !== "confusion" || ["plane", "chance", "texts"].includes(this.scene?.kind);
  }

  want(names) {
    this.wanted = new Set(names);
    if (this.scene) this.arrange();
  }

  toggle(name) {
    if (!this.wanted.delete(name)) this.wanted.add(name);
    this.arrange();
    this.changed();
  }

  // A new run: what is shown begins anew, what is open stays open.
  begin(frame) {
    this.scene = frame.scene;
    this.metric = frame.metric;
    this.layers = frame.layers;
    this.views.forEach((view) => view.end());
    this.views.clear();
    this.data = {};
    this.rows = [];
    this.told = [];
    this.pictures.hidden = !frame.scene.image;
    this.images = frame.scene.image ? new Images(this.pictures, frame.scene, frame.arrays.examples) : undefined;
    const name = this.metric === "r2" ? "R²" : "Accuracy";
    this.chips.find((chip) => chip.dataset.panel === "metric").textContent = name;
    this.arrange();
  }

  arrange() {
    const { open } = this;
    for (const chip of this.chips) {
      chip.hidden = !this.fits(chip.dataset.panel);
      chip.setAttribute("aria-pressed", String(open.includes(chip.dataset.panel)));
    }
    for (const [name, view] of this.views) {
      if (open.includes(name)) continue;
      view.end();
      this.views.delete(name);
      delete this.data[name];
    }
    this.holder.hidden = !open.length;
    let next = this.holder.firstChild;
    for (const name of open) {
      const view = this.views.get(name);
      if (view) {
        next = view.figure.nextSibling;
        continue;
      }
      // Plotly measures its element, so a figure is on the page before it is filled.
      const figure = document.createElement("figure");
      figure.className = "lv-panel";
      figure.dataset.name = name;
      this.holder.insertBefore(figure, next);
      this.views.set(name, new PANELS[name](this, figure));
    }
    this.draw(true);
  }

  take({ panels, arrays }) {
    for (const [name, data] of Object.entries(panels ?? {})) {
      if (name === "gradients") this.takeRows(data, arrays.gradients);
      if (name === "printed") this.takeTold(data.from, arrays.printed);
      if (name === "images") this.images?.take(data, arrays.images);
      this.data[name] = name === "activations" ? { layers: data, counts: arrays.activations }
        : name === "confusion" ? { train: arrays.confusion_train, validation: arrays.confusion_validation }
        : name === "hardest" ? { samples: data, images: arrays.hardest_images } : data;
      const view = this.views.get(name);
      if (view) view.due = true;
    }
    for (const name of ["metric", "rate"]) {
      const view = this.views.get(name);
      if (view) view.due = true;
    }
  }

  takeTold(from, values) {
    this.told.length = from;
    for (let at = 0; at < values.length; at += 3) this.told.push(values.subarray(at, at + 3));
  }

  takeRows({ from, layers }, values) {
    const width = 1 + 2 * layers.length;
    this.rows.length = from;
    for (let at = 0; at < values.length; at += width) this.rows.push(values.subarray(at, at + width));
  }

  // While a run plays, one panel a frame, and none more often than four times a second or than its share allows.
  draw(now) {
    this.images?.draw();
    const time = performance.now();
    const due = [...this.views].filter(([, view]) => now || (view.due && time - view.drawn >= view.pause));
    due.sort(([, a], [, b]) => a.drawn - b.drawn);
    for (const [name, view] of now ? due : due.slice(0, 1)) {
      if (name !== "metric" && name !== "rate" && !(name in this.data)) continue; // on its way
      const begin = performance.now();
      view.draw(this.data[name]);
      view.pause = Math.max(PANEL_PAUSE, (performance.now() - begin) / PANEL_SHARE);
      view.drawn = time;
      view.due = false;
    }
  }

  setTheme(theme) {
    this.theme = theme;
    this.views.forEach((view) => view.setTheme?.(theme));
    this.draw(true);
  }

  resize() {
    this.views.forEach((view) => view.resize?.());
  }

  end() {
    this.views.forEach((view) => view.end());
  }
}
