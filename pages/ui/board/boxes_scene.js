// The boxes scene.

class BoxesScene {
  constructor(board, tables) {
    this.board = board;
    this.element = make("div.samples.boxes");
    this.parts = [];
    this.surfaces = [];
    this.sliders = [];
  }

  measure() {}

  update(frame) {
    for (const part of this.parts) part.update(frame);
  }
}
