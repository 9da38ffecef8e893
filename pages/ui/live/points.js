// Points moved and added by hand: drawn here at once, kept by the server, which moves the model after them.

const REACH = 22; // pixels around a point in which a finger finds it
const MOUSE_REACH = 12;
const INSET = 6; // pixels from the axes beyond which no hand moves a point, so that it stays in sight
const EMPTY = 5; // pixels around a double click in which no point lies
const TWICE = 400; // milliseconds between the two
const PACE = 100; // milliseconds between two messages while a point is on its way
const REST = 600; // milliseconds after which a point that keys move has arrived
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

// The largest of 1, 2, 5, 10, … times a power of ten that is not above `size`.
function roundStep(size) {
  const power = 10 ** Math.floor(Math.log10(size));
  return [5, 2, 1].find((digit) => digit * power <= size * 1.0001) * power;
}

// A multiple of a round step, without the dirt of binary fractions.
const snap = (value, step) => Number((Math.round(value / step) * step).toFixed(Math.max(0, -Math.floor(Math.log10(step)))));

// `send(message)` hands a change to the server; `begin()` comes before the first change of one movement, `end()` when
// it is over; `playing()` says whether the run goes on.
class PointEditor {
  constructor(parts, handlers) {
    Object.assign(this, { parts, ...handlers, chosen: null, moving: false, begun: false, waiting: false, queue: [], sent: 0, adding: false });
    const { plot, edit } = parts;
    this.fields = new PointFields(edit);
    this.button = (name) => edit.querySelector(`[data-point="${name}"]`);
    this.handle = document.createElement("button");
    Object.assign(this.handle, { type: "button", className: "lv-handle", hidden: true });
    plot.addEventListener("pointerdown", (event) => this.grab(event));
    plot.addEventListener("pointermove", (event) => this.hover(event));
    plot.addEventListener("click", (event) => this.click(event));
    this.handle.addEventListener("pointermove", (event) => this.drag(event));
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) this.handle.addEventListener(type, () => this.drop());
    this.handle.addEventListener("keydown", (event) => this.key(event));
    edit.addEventListener("click", (event) => this.press(event.target.closest("[data-point]")?.dataset.point));
    for (const name of ["number", "part"]) this.fields.field(name).addEventListener("change", () => this.choose());
  }

  // Another model is on the screen.
  follow(model) {
    this.model = model;
    this.movable = ["curve", "chance", "plane"].includes(model.scene.kind);
    this.parts.edit.hidden = !this.movable;
    Object.assign(this, { chosen: null, moving: false, begun: false, awaited: null });
    this.handle.hidden = true;
    this.queue = [];
    this.connected();
    if (!this.movable) return;
    this.parts.plot.append(this.handle);
    this.fields.describe(model.scene);
    this.setAdding(false);
  }

  // A connection stands anew: nobody will answer what went over the one before.
  connected() {
    this.waiting = false;
    this.pass();
  }

  // The server's points. What the hand holds, or has just let go of, is ahead of them.
  arrange(scene, arrays) {
    const { model } = this;
    if (!this.moving && !this.waiting && !this.queue.length) model.moved = null;
    model.change(scene, arrays);
    if (!this.movable) return;
    this.fields.scene = scene;
    if (this.awaited !== null && this.find(this.awaited)) this.take(this.awaited);
    this.place();
  }

  // The server has answered: the change stands, or it does not.
  answered(stands) {
    this.waiting = false;
    if (stands) return this.pass();
    this.queue = [];
    if (this.movable && this.model.moved && !this.moving) {
      this.model.moved = null;
      this.model.redrawPoints();
      this.place();
    }
    return undefined;
  }

  // Where things are

  find(number) {
    const { moved } = this.model;
    if (moved?.number === number) return moved;
    return ["train", "validation"].flatMap((part) => this.model.drawn(part)).find((point) => point.number === number);
  }

  get axes() {
    const { xaxis, yaxis } = this.model.axes._fullLayout;
    return [xaxis, yaxis];
  }

  // Coordinates in the chart, and a point with other ones. Over one feature a class has a height.
  place2({ x, y }) {
    return x.length > 1 ? x : [x[0], this.model.scene.labels?.[y] ?? y];
  }

  moved(point, [first, second]) {
    const { labels } = this.model.scene;
    if (labels) return { ...point, x: [first], y: Number(Math.abs(second - labels[1]) < Math.abs(second - labels[0])) };
    return point.x.length > 1 ? { ...point, x: [first, second] } : { ...point, x: [first], y: second };
  }

  pixels(point) {
    return this.place2(point).map((value, at) => this.axes[at].l2p(value));
  }

  under({ clientX, clientY }) {
    const { left, top } = this.parts.plot.getBoundingClientRect();
    const [xaxis, yaxis] = this.axes;
    return [clientX - left - xaxis._offset, clientY - top - yaxis._offset];
  }

  nearest(event, reach) {
    const [x, y] = this.under(event);
    let [best, found] = [reach, undefined];
    for (const point of ["train", "validation"].flatMap((part) => this.model.drawn(part))) {
      const [px, py] = this.pixels(point);
      const far = Math.hypot(px - x, py - y);
      if (far <= best) [best, found] = [far, point];
    }
    return found;
  }

  // Coordinates of a place in the chart, in as many digits as a pixel is worth.
  read(pixels) {
    return pixels.map((pixel, at) => {
      const axis = this.axes[at];
      const value = axis.p2l(Math.min(axis._length - INSET, Math.max(INSET, pixel)));
      return snap(value, roundStep(Math.abs(axis.range[1] - axis.range[0]) / axis._length));
    });
  }

  // The hand

  grab(event) {
    if (event.button !== 0 || !event.isPrimary || !this.movable) return;
    const mouse = event.pointerType === "mouse";
    // Plotly keeps clicks of a mouse to itself, so that two of them are told by their times.
    const { timeStamp, clientX, clientY } = event;
    const before = this.pressed;
    this.pressed = { mouse, timeStamp, clientX, clientY };
    const near = before?.mouse && Math.hypot(clientX - before.clientX, clientY - before.clientY) <= EMPTY;
    const twice = near && timeStamp - before.timeStamp < TWICE && !this.nearest(event, EMPTY);
    if (mouse && (this.adding || twice)) {
      event.preventDefault();
      this.addAt(event);
      return;
    }
    // A finger that has not chosen a point before scrolls the page.
    if (this.adding || (!mouse && event.target !== this.handle)) return;
    const found = this.nearest(event, mouse ? MOUSE_REACH : REACH);
    if (!found) return;
    event.preventDefault();
    this.take(found.number);
    const here = this.under(event);
    this.offset = this.pixels(found).map((pixel, at) => pixel - here[at]);
    this.moving = true;
    Object.assign(this.model, { held: found.number, moved: found });
    this.model.redrawPoints();
    this.place();
    this.handle.setPointerCapture(event.pointerId);
    this.handle.focus({ preventScroll: true });
  }

  drag(event) {
    if (this.model.held !== null) this.goTo(this.read(this.under(event).map((pixel, at) => pixel + this.offset[at])));
  }

  drop() {
    if (this.model.held === null) return;
    this.model.held = null;
    this.finish();
  }

  goTo(place) {
    const before = this.find(this.chosen);
    const after = this.moved(before, place);
    if (this.place2(before).every((value, at) => value === this.place2(after)[at])) return;
    this.change(after);
  }

  // Moves the chosen point on the screen, and tells the server.
  change(point) {
    if (!this.begun) this.begin();
    this.begun = true;
    this.model.moved = point;
    if (this.model.held === null) this.model.redrawPoints();
    this.place();
    this.fields.fill(point);
    this.offer({ type: "point", row: point.number, x: point.x, y: point.y });
  }

  finish() {
    clearTimeout(this.resting);
    this.moving = false;
    this.pass(true);
    this.model.redrawPoints();
    this.place();
    if (!this.begun) return;
    this.begun = false;
    this.say(`${capital(pointName(this.chosen, this.model.scene))} moved to ${pointWords(this.find(this.chosen), this.model.scene)}.${this.hint()}`);
    this.end();
  }

  key(event) {
    const way = ARROWS[event.key];
    const point = this.find(this.chosen);
    if (!way || !point) return;
    event.preventDefault();
    this.moving = true;
    const { labels } = this.model.scene;
    this.goTo(this.place2(point).map((value, at) => {
      if (at && labels) return way[1] ? labels[Number(way[1] > 0)] : value;
      const [low, high] = this.axes[at].range;
      const step = roundStep(Math.abs(high - low) / 100);
      return way[at] ? snap(value + way[at] * step * (event.shiftKey ? 10 : 1), step) : value;
    }));
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.finish(), REST);
  }

  hover(event) {
    if (this.movable && event.pointerType === "mouse") {
      this.parts.plot.classList.toggle("lv-near", !this.adding && Boolean(this.nearest(event, MOUSE_REACH)));
    }
  }

  // A finger that taps.
  click(event) {
    if (!this.movable || this.pressed?.mouse) return;
    if (this.adding) this.addAt(event);
    else if (event.target !== this.handle) {
      const found = this.nearest(event, REACH);
      if (found) this.take(found.number);
    }
  }

  addAt(event) {
    const here = this.under(event);
    if (!here.every((pixel, at) => pixel >= 0 && pixel <= this.axes[at]._length)) return;
    this.setAdding(false);
    const blank = { x: this.model.scene.features.map(() => 0), y: Number(this.fields.field("class").value) };
    this.add(this.moved(blank, this.read(here)));
  }

  add({ x, y }) {
    const { scene } = this.model;
    this.begin();
    this.offer({ type: "add", x, y });
    this.awaited = scene.untouched + scene.samples.train - scene.training;
    this.say(`A point added at ${pointWords({ x, y }, scene)}.${this.hint()}`);
    this.end();
  }

  // The fields

  press(what) {
    if (what === "adding") this.setAdding(!this.adding);
    else if (what === "fold") this.fold();
    else if (what === "move" || what === "add") {
      const { missing, point } = this.fields.typed;
      if (missing) this.say(`Type a number for ${missing}.`);
      else if (what === "add") this.add(point);
      else if (this.choose()) {
        this.change({ number: this.chosen, ...point });
        this.finish();
      }
    }
  }

  fold() {
    const { fold } = this.parts;
    fold.hidden = !fold.hidden;
    this.button("fold").setAttribute("aria-expanded", String(!fold.hidden));
    if (!fold.hidden && this.chosen === null) this.choose();
  }

  setAdding(on) {
    this.adding = on;
    this.parts.plot.classList.toggle("lv-adding", on);
    this.button("adding").setAttribute("aria-pressed", String(on));
    this.say(on ? "Click in the chart where the new point should be." : "");
  }

  // Takes the point whose number stands in the fields; says whether there is one.
  choose() {
    const { number, asked } = this.fields;
    if (number === this.chosen) return true;
    const found = this.find(number);
    this.say(found ? "" : `There is no ${asked} in the chart.`);
    if (found) this.take(number);
    return Boolean(found);
  }

  take(number) {
    Object.assign(this, { chosen: number, awaited: null });
    this.fields.fill(this.find(number));
    this.place();
  }

  // Puts the ring around the chosen point; one that is in hand is drawn inside of it.
  place() {
    const { handle, model } = this;
    const point = this.movable && this.chosen !== null ? this.find(this.chosen) : undefined;
    if (!point) {
      this.chosen = null;
      handle.hidden = true;
      return;
    }
    const [x, y] = this.pixels(point);
    const [xaxis, yaxis] = this.axes;
    handle.hidden = !(x >= -1 && y >= -1 && x <= xaxis._length + 1 && y <= yaxis._length + 1);
    handle.style.transform = `translate(${xaxis._offset + x}px, ${yaxis._offset + y}px)`;
    const label = `${capital(pointName(point.number, model.scene))}: ${pointWords(point, model.scene)}. Arrow keys move it.`;
    if (handle.getAttribute("aria-label") !== label) handle.setAttribute("aria-label", label);
    const inside = model.held === point.number ? model.sample(point) : "";
    if (this.inside !== inside) handle.innerHTML = this.inside = inside;
  }

  hint() {
    return this.playing() ? "" : " Press Play to see what the model makes of it.";
  }

  say(text) {
    const shown = text || (COARSE ? "Tap a point, then drag it." : "Drag a point to move it; double-click to add one.");
    if (this.parts.status.textContent !== shown) this.parts.status.textContent = shown;
  }

  // Messages: one on its way at a time; while it is, only the latest place of a point waits.

  offer(message) {
    const { queue } = this;
    const latest = queue[queue.length - 1];
    if (latest && latest.type === "point" && latest.row === message.row) queue.pop();
    queue.push(message);
    this.pass();
  }

  pass(now) {
    clearTimeout(this.timer);
    if (this.waiting || !this.queue.length) return;
    const wait = this.sent + PACE - performance.now();
    if (wait > 0 && !now) {
      this.timer = setTimeout(() => this.pass(), wait);
      return;
    }
    this.sent = performance.now();
    this.waiting = true;
    this.send(this.queue.shift());
  }

  gone() {
    clearTimeout(this.timer);
    clearTimeout(this.resting);
  }
}
