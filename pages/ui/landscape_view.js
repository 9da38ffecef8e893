// A loss surface that Python drew, with paths that can be played and a start that follows a click.

const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const COARSE = matchMedia("(pointer: coarse)").matches;
const OPTIONS = { displayModeBar: false, displaylogo: false, responsive: false, scrollZoom: false, doubleClick: false, showTips: false };
const WIDEST = 660;
const TURN = Math.PI / 12;
const DASHES = { solid: "", dash: "7 4", dot: "2 3", dashdot: "7 3 2 3", longdash: "10 4", longdashdot: "10 3 2 3" };
const SHAPES = {
  circle: '<circle cx="16" cy="7" r="4.5"/>',
  square: '<path d="M11.5 2.5h9v9h-9z"/>',
  diamond: '<path d="M16 1.5l5.5 5.5-5.5 5.5L10.5 7z"/>',
  cross: '<path d="M14 1.5h4V5h3.5v4H18v3.5h-4V9h-3.5V5H14z"/>',
  x: '<path d="M12.6 1.6L16 5l3.4-3.4 2 2L18 7l3.4 3.4-2 2L16 9l-3.4 3.4-2-2L14 7l-3.4-3.4z"/>',
  "cross-thin": '<path d="M16 0v14M9 7h14" stroke-width="2"/>',
  star: '<path d="M16 .8l1.7 4.2 4.5.3-3.5 2.9 1.1 4.4L16 10.2l-3.8 2.4 1.1-4.4L9.8 5.3l4.5-.3z"/>',
};

const shown = (value) => (value === null || value === undefined ? "overflow" : shownNumber(value, 4));

function painted({ colour, symbol }, edge = "") {
  const open = symbol.endsWith("-open");
  const thin = open || symbol === "cross-thin";
  return `<g ${thin ? `fill="none" stroke="${colour}" stroke-width="2"` : `fill="${colour}" ${edge}`}>${SHAPES[symbol.replace("-open", "")]}</g>`;
}

function sign(track) {
  const { colour, dash } = track;
  return `<g><path fill="none" stroke="${colour}" stroke-width="2.5" stroke-linejoin="round" stroke-dasharray="${DASHES[dash]}"/>${painted(track, 'stroke="currentColor" stroke-width="0.8"')}</g>`;
}

function sample({ colour, dash, symbol }) {
  const line = dash === undefined ? "" : `<path d="M0 7h32" stroke="${colour}" stroke-width="2.5" stroke-dasharray="${DASHES[dash]}"/>`;
  return `<svg aria-hidden="true" width="32" height="14" viewBox="0 0 32 14" fill="none">${line}${painted({ colour, symbol })}</svg>`;
}

class Picture {
  constructor(root) {
    this.root = root;
    this.part = (name) => root.querySelector(`[data-part="${name}"]`);
    this.plot = this.part("plot");
    this.slider = this.part("slider");
    this.at = Infinity;
    this.part("play").addEventListener("click", () => (this.playing ? this.pause() : this.play()));
    this.slider.addEventListener("input", () => { this.pause(); this.show(Number(this.slider.value)); });
    this.part("turn").addEventListener("click", (event) => this.turn(event.target.closest("[data-turn]")?.dataset.turn));
    // Plotly lays a cover over the page while a button is down, so the release is caught at the window.
    this.plot.addEventListener("pointerdown", (down) => {
      addEventListener("pointerup", (up) => this.released(down, up), { once: true, capture: true });
    });
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(root);
  }

  async take({ data, setTriggerValue }) {
    this.send = (place) => setTriggerValue("start", place);
    const plotly = await loadPlotly(data.plotly).catch(() => null);
    if (this.gone) return;
    if (!plotly) {
      this.part("notice").textContent = "The picture could not be loaded. Reload the page to try again.";
      this.part("notice").hidden = false;
      return;
    }
    this.plotly = plotly;
    if (this.data?.figure === data.figure) return;
    const other = this.data?.race !== data.race;
    this.data = data;
    const { data: traces, layout } = JSON.parse(data.figure);
    this.deep = Boolean(layout.scene);
    this.layout = { ...layout, uirevision: this.deep ? "deep" : "flat" };
    if (this.deep && COARSE) this.layout.dragmode = false; // a finger on the picture scrolls the page
    this.tracks = [];
    traces.forEach((trace, index) => {
      const { track, part, losses } = trace.meta ?? {};
      if (part === "line") this.tracks[track] = { line: index, name: trace.name, x: trace.x, y: trace.y, z: trace.z, losses, colour: trace.line.color, dash: this.deep ? "solid" : trace.line.dash };
      if (part === "head") Object.assign(this.tracks[track], { head: index, symbol: trace.marker.symbol });
    });
    // On a map the paths lie in a layer of their own: Plotly would draw the whole map again for every step.
    const drawn = this.deep ? traces : traces.filter((trace) => !trace.meta);
    this.begin = drawn.findIndex((trace) => trace.name === "Start");
    this.last = Math.max(0, ...this.tracks.map((track) => track.x.length - 1));
    this.width = 0;
    this.plot.setAttribute("aria-label", data.alt);
    this.plot.toggleAttribute("data-click", data.clickable && !this.deep);
    this.part("turn").hidden = !this.deep;
    this.part("player").hidden = this.last === 0;
    this.slider.max = this.last;
    this.slider.setAttribute("aria-label", `${data.unit}s shown`);
    this.size();
    await this.plotly.react(this.plot, drawn, this.layout, OPTIONS);
    if (this.gone) return;
    this.lines();
    this.legend(traces);
    if (other) {
      this.pause();
      this.at = this.last;
      if (this.clicked && !STILL.matches && this.last) this.play();
      this.clicked = false;
    }
    this.show(Math.min(this.at, this.last));
    this.root.dataset.drawn = String(Number(this.root.dataset.drawn ?? 0) + 1);
  }

  // A square map, whatever the width; the perspective may be flatter.
  size() {
    const width = Math.min(WIDEST, Math.floor(this.root.clientWidth)) || 340;
    const changed = width !== this.width;
    this.width = width;
    const { l, r, t, b } = this.layout.margin;
    this.layout.width = width;
    this.layout.height = this.deep ? Math.round(Math.min(560, 0.92 * width)) : width - l - r + t + b;
    return changed;
  }

  fit() {
    if (!this.layout || !this.size()) return;
    this.plotly.relayout(this.plot, { width: this.layout.width, height: this.layout.height });
    this.lines();
    this.show(Math.min(this.at, this.last));
  }

  // The layer of the paths: a line and a sign for each, in pixels of the map.
  lines() {
    const layer = this.part("paths");
    layer.toggleAttribute("hidden", this.deep);
    if (this.deep) return layer.replaceChildren();
    const { margin, width, height, xaxis, yaxis } = this.layout;
    const [across, down] = [width - margin.l - margin.r, height - margin.t - margin.b];
    Object.entries({ left: margin.l, top: margin.t, width: across, height: down }).forEach(([name, value]) => { layer.style[name] = `${value}px`; });
    const [left, right] = xaxis.range;
    const [low, high] = yaxis.range;
    layer.innerHTML = this.tracks.map((track) => sign(track)).join("");
    this.tracks.forEach((track, index) => {
      const group = layer.children[index];
      [track.path, track.sign] = [group.querySelector("path"), group.querySelector("g")];
      track.pixels = track.x.map((x, at) => [across * (x - left) / (right - left), down * (high - track.y[at]) / (high - low)]);
    });
    return undefined;
  }

  legend(traces) {
    const marks = traces.filter((trace) => !trace.meta && trace.mode?.startsWith("markers"));
    const rows = this.tracks.map((track) => [sample(track), track.name, true]);
    for (const mark of marks) rows.push([sample({ colour: mark.marker.color, symbol: mark.marker.symbol }), mark.name, false]);
    this.part("legend").replaceChildren(...rows.map(([picture, name, counts]) => {
      const row = document.createElement("li");
      row.innerHTML = `${picture}<span></span>${counts ? '<output aria-live="off"></output>' : ""}`;
      row.querySelector("span").textContent = name;
      return row;
    }));
    this.values = [...this.part("legend").querySelectorAll("output")];
  }

  // Draws the paths up to a step; between two steps the ends are between their places.
  show(at) {
    this.at = at;
    const whole = Math.floor(at);
    if (this.deep) this.showDeep(at, whole);
    else this.showFlat(at, whole);
    this.tracks.forEach((track, index) => {
      const value = shown(track.losses[Math.min(whole, track.losses.length - 1)]);
      if (this.values[index].textContent !== value) this.values[index].textContent = value;
    });
    const { unit, moments } = this.data;
    const label = (step) => (moments ? moments[step] : step).toLocaleString("en-GB");
    const text = `${unit} ${label(whole)} of ${label(this.last)}`;
    if (this.part("position").textContent !== text) this.part("position").textContent = text;
    if (Number(this.slider.value) !== whole) this.slider.value = whole;
    this.slider.setAttribute("aria-valuetext", text);
    this.root.dataset.at = whole;
  }

  showFlat(at, whole) {
    for (const { pixels, path, sign: end } of this.tracks) {
      const last = Math.min(whole, pixels.length - 1);
      const part = pixels.slice(0, last + 1);
      if (last < pixels.length - 1 && at > whole) {
        part.push([0, 1].map((axis) => pixels[last][axis] + (at - whole) * (pixels[last + 1][axis] - pixels[last][axis])));
      }
      path.setAttribute("d", `M${part.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")}`);
      const [x, y] = part[part.length - 1];
      end.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(1.25) translate(-16 -7)`);
    }
  }

  showDeep(at, whole) {
    const names = ["x", "y", "z"];
    const change = Object.fromEntries(names.map((name) => [name, []]));
    const indices = [];
    for (const track of this.tracks) {
      const end = Math.min(whole, track.x.length - 1);
      const between = end < track.x.length - 1 ? at - whole : 0;
      for (const name of names) {
        const part = track[name].slice(0, end + 1);
        const [from, to] = [track[name][end], track[name][end + 1]];
        const tip = between && from !== null && to !== null ? from + between * (to - from) : from;
        if (between) part.push(tip);
        change[name].push(part, [tip]);
      }
      indices.push(track.line, track.head);
    }
    if (indices.length) this.plotly.restyle(this.plot, change, indices);
  }

  play() {
    if (this.at >= this.last) this.at = 0;
    this.setPlaying(true);
    const pace = this.last / Math.min(9000, Math.max(2500, 110 * this.last)); // steps a millisecond
    let before = performance.now();
    const frame = (now) => {
      if (!this.playing || this.gone) return;
      const next = Math.min(this.last, this.at + pace * Math.min(100, Math.max(0, now - before)));
      before = now;
      this.show(next);
      if (next >= this.last) this.pause();
      else requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  pause() {
    this.setPlaying(false);
  }

  setPlaying(on) {
    this.playing = on;
    this.root.toggleAttribute("data-playing", on);
    this.part("play-label").textContent = on ? "Pause" : "Play";
  }

  turn(way) {
    const camera = this.plot.layout.scene?.camera;
    if (!way || !camera) return;
    const { x, y, z } = camera.eye;
    const [radius, distance] = [Math.hypot(x, y), Math.hypot(x, y, z)];
    const angle = Math.atan2(y, x) + ({ left: TURN, right: -TURN }[way] ?? 0);
    const height = Math.min(1.5, Math.max(0.05, Math.atan2(z, radius) + ({ up: TURN, down: -TURN }[way] ?? 0)));
    const flat = distance * Math.cos(height);
    const eye = { x: flat * Math.cos(angle), y: flat * Math.sin(angle), z: distance * Math.sin(height) };
    this.plotly.relayout(this.plot, { "scene.camera": { ...camera, eye } });
  }

  released(down, event) {
    const moved = Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY);
    if (!this.plot.hasAttribute("data-click") || event.button || moved > 8) return;
    const { left, top } = this.plot.getBoundingClientRect();
    const place = [["xaxis", event.clientX - left], ["yaxis", event.clientY - top]].map(([name, pixel]) => {
      const axis = this.plot._fullLayout[name];
      const inside = pixel - axis._offset;
      return inside >= 0 && inside <= axis._length ? axis.p2d(inside) : NaN;
    });
    if (place.some(Number.isNaN)) return;
    this.pause();
    this.clicked = true;
    this.plotly.restyle(this.plot, { x: [[place[0]]], y: [[place[1]]] }, [this.begin]);
    this.send(place);
  }

  end() {
    this.gone = true;
    this.pause();
    this.observer.disconnect();
    this.plotly?.purge(this.plot);
  }
}

export default function picture(component) {
  return mounted(component, ".ls-picture", Picture);
}
