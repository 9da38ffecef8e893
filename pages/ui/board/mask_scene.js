// The mask scene.

class MaskScene {
  constructor(board, tables) {
    this.board = board;
    this.element = make("div.samples.mask");
    this.parts = [];
    this.surfaces = [];
    this.sliders = [];
  }

  measure() {}

  update(frame) {
    for (const part of this.parts) part.update(frame);
  }
}
