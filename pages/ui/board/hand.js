// The hand: one pointer that drags what the scene's surfaces offer, and the keys that move it.

const HOVER = 80;

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
    clearTimeout(this.hoverTimer);
    document.removeEventListener("keydown", this.onEscape, true);
  }

  onFocus(event) {
    const { board } = this;
    board.memory.focus = board.focusKey(event.target);
    const { handle, field } = event.target.dataset;
    const found = board.tables.byName.get(handle ?? field);
    if (!found || this.drag) return;
    if (found !== board.active) board.activate(found);
    board.want(found);
  }

  surfaceOf(target) {
    return this.board.scene.surfaces.find(({ element }) => element.contains(target));
  }

  onDown(event) {
    clearTimeout(this.hoverTimer);
    if (this.drag || event.button !== 0) return;
    const surface = this.surfaceOf(event.target);
    const grabbed = surface?.grab(event.clientX, event.clientY, event.target);
    if (!grabbed) return;
    event.preventDefault();
    const [x, y] = [event.clientX, event.clientY];
    const drag = { pointer: event.pointerId, x, y, start: [x, y], surface, moving: false, released: false };
    drag.handle = grabbed.handle;
    this.board.root.setPointerCapture(event.pointerId);
    grabbed.focus?.focus({ preventScroll: true });
    this.drag = drag;
    this.board.whenReady(grabbed.handle, (ready) => this.begin(drag, ready));
  }

  begin(drag, handle) {
    if (this.drag !== drag && !drag.released) return;
    const { board } = this;
    board.stopResting();
    drag.handle = handle;
    // New tables may have brought new elements.
    if (!board.scene.surfaces.includes(drag.surface)) {
      const slider = board.scene.sliders.find((other) => other.handle === handle);
      drag.surface = slider && this.surfaceOf(slider.element);
      if (!drag.surface) {
        if (this.drag === drag) this.drag = null;
        return;
      }
    }
    drag.moving = true;
    drag.before = board.overlay;
    drag.surface.start(handle, ...drag.start);
    if (drag.x !== drag.start[0] || drag.y !== drag.start[1]) this.follow(drag);
    if (drag.released) this.finish(drag);
  }

  follow(drag) {
    this.board.moveTo(drag.handle, drag.surface.positionAt(drag.handle, drag.x, drag.y));
  }

  onMove(event) {
    const { drag } = this;
    if (!drag) {
      this.hover(event);
      return;
    }
    if (event.pointerId !== drag.pointer) return;
    drag.x = event.clientX;
    drag.y = event.clientY;
    if (drag.moving) this.follow(drag);
  }

  /** A mouse that rests over a handle fetches its tables, so that they are there when it is grabbed. */
  hover(event) {
    clearTimeout(this.hoverTimer);
    if (event.pointerType !== "mouse") return;
    const { clientX, clientY, target } = event;
    this.hoverTimer = setTimeout(() => {
      const grabbed = this.drag ? null : this.surfaceOf(target)?.grab(clientX, clientY, target);
      if (grabbed) this.board.want(grabbed.handle);
    }, HOVER);
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
    const [dx, dy] = this.steps(event, handle, Number(slider.dataset.axis ?? 0));
    if (!dx && !dy) return;
    event.preventDefault();
    this.board.nudge(handle, dx, dy);
  }

  /** The steps that a key means; arrows move a plane's handle as they point, the other keys along the slider's axis. */
  steps({ key, shiftKey }, handle, axis) {
    const fast = shiftKey ? 10 : 1;
    const far = { PageUp: 10, PageDown: -10, Home: -handle.counts[axis], End: handle.counts[axis] }[key];
    if (far !== undefined) return axis === 0 ? [far, 0] : [0, far];
    const [right, up] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[key] ?? [0, 0];
    if (handle.kind !== "plane") return [(right + up) * fast, 0];
    return [right * fast, up * fast * (this.board.scene.down ? -1 : 1)];
  }
}
