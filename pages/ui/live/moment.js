// The slider over the moments of a run: it winds the run back to the end of an epoch that was reached before.

const FOLLOW = 200; // milliseconds between two places of the slider while a run plays

class Moment {
  // `go(epoch)` asks the server. One at a time: while the hand moves on, only the latest counts.
  constructor(slider, text, go) {
    Object.assign(this, { slider, text, go });
    this.drawn = 0;
    this.begin();
    slider.addEventListener("input", () => this.wind(Number(slider.value)));
  }

  begin() {
    this.seeking = false;
    this.wanted = undefined;
  }

  wind(epoch) {
    if (this.seeking && this.shown.state !== "replaying") {
      this.wanted = epoch;
      return;
    }
    this.wanted = undefined;
    this.seeking = true;
    this.go(epoch);
  }

  // The run rests. Says whether the hand has moved on meanwhile.
  arrived() {
    this.seeking = false;
    if (this.wanted === undefined) {
      this.draw();
      return false;
    }
    this.wind(this.wanted);
    return true;
  }

  show(frame) {
    this.shown = frame;
    if (frame.state !== "playing" || performance.now() - this.drawn >= FOLLOW) this.draw();
  }

  draw() {
    this.drawn = performance.now();
    const { epoch, known, state } = this.shown;
    const words = (count) => count.toLocaleString("en-GB");
    this.slider.max = known;
    this.text.textContent = known ? `epoch ${words(epoch)} of ${words(known)} run` : "nothing run yet";
    if (this.seeking || state === "replaying") return; // the hand leads
    this.slider.value = epoch;
    this.slider.setAttribute("aria-valuetext", `Epoch ${words(epoch)} of ${words(known)} run`);
  }

  // What is said while a moment is computed again that no snapshot holds.
  replaying(progress) {
    const share = `${Math.floor(100 * progress)} % of the way to`;
    return this.seeking ? `Computing this moment again: ${share} it.` : `Catching up: ${share} where the run was.`;
  }
}
