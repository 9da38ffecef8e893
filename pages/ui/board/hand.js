// The hand: one pointer that drags handles, and the keys that move them.

class Hand {
  constructor(board) {
    this.board = board;
    this.drag = null;
    const { root } = board;
    root.addEventListener("pointerdown", (event) => this.onDown(event));
    root.addEventListener("pointermove", (event) => this.onMove(event));
    root.addEventListener("pointerup", (event) => this.onUp(event));
    root.addEventListener("pointercancel", (event) => this.onCancel(event));
    root.addEventListener("keydown", (event) => this.onKey(event));
    root.addEventListener("focusin", (event) => this.onFocus(event));
    root.addEventListener("focusout", () => {
      const left = board.memory.focus;
      // Focus that a remount takes away is not given up: by then the root has left the page.
      setTimeout(() => {
        if (root.isConnected && board.memory.focus === left && !board.focusKey(root.getRootNode().activeElement)) {
          board.memory.focus = null;
        }
      });
    });
    this.onEscape = (event) => {
      if (event.key === "Escape" && this.drag) this.onCancel({ pointerId: this.drag.pointer });
    };
    document.addEventListener("keydown", this.onEscape, true);
  }

  destroy() {
    document.removeEventListener("keydown", this.onEscape, true);
  }

  onFocus(event) {
    const { board } = this;
    board.memory.focus = board.focusKey(event.target);
    const { handle, field } = event.target.dataset;
    const found = board.tables.byName.get(handle ?? field);
    if (found && !this.drag && found !== board.active) board.activate(found);
  }

  onDown(event) {
    const slider = event.target.closest("[role=slider]");
    if (!slider || this.drag || event.button !== 0) return;
    event.preventDefault();
    const track = this.board.samples.tracks.find(({ lane }) => lane.contains(slider));
    const handle = track.grab(event.clientX, event.clientY);
    const element = track.sliders.find((other) => other.handle === handle).element;
    const box = track.lane.getBoundingClientRect();
    const drag = { pointer: event.pointerId, x: event.clientX, start: event.clientX, track, box, handle, moving: false, released: false };
    // The mark stays under the finger where it was touched, rather than jumping to its middle.
    drag.grip = event.clientX - box.left - Number(element.style.getPropertyValue("--x")) * box.width;
    this.board.root.setPointerCapture(event.pointerId);
    element.focus({ preventScroll: true });
    this.drag = drag;
    this.board.whenReady(handle, (ready) => this.begin(drag, ready));
  }

  begin(drag, handle) {
    if (this.drag !== drag && !drag.released) return;
    this.board.stopResting();
    drag.handle = handle;
    drag.moving = true;
    drag.before = this.board.overlay;
    if (drag.x !== drag.start) this.follow(drag);
    if (drag.released) this.finish(drag);
  }

  follow(drag) {
    const { box, grip } = drag;
    const { low, high } = drag.track.axis;
    const t = low + ((drag.x - grip - box.left) / box.width) * (high - low);
    this.board.moveTo(drag.handle, this.board.tables.nearest(drag.handle, t));
  }

  onMove(event) {
    const { drag } = this;
    if (!drag || event.pointerId !== drag.pointer) return;
    drag.x = event.clientX;
    if (drag.moving) this.follow(drag);
  }

  onUp(event) {
    const { drag } = this;
    if (!drag || event.pointerId !== drag.pointer) return;
    drag.released = true;
    if (drag.moving) this.finish(drag);
    else this.drag = null;
  }

  finish(drag) {
    if (this.drag === drag) this.drag = null;
    drag.moving = false;
    this.board.commit();
    this.board.schedule();
  }

  onCancel(event) {
    const { drag } = this;
    if (!drag || event.pointerId !== drag.pointer) return;
    this.drag = null;
    if (!drag.moving) return;
    this.board.restore(drag.before);
  }

  onKey(event) {
    const slider = event.target.closest("[role=slider]");
    if (!slider || event.altKey || event.ctrlKey || event.metaKey) return;
    const handle = this.board.tables.byName.get(slider.dataset.handle);
    const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
    const ends = { Home: -handle.count, End: handle.count };
    const by = ends[event.key] ?? (steps[event.key] ?? 0) * (event.shiftKey ? 10 : 1);
    if (!by) return;
    event.preventDefault();
    this.board.nudge(handle, by);
  }
}
