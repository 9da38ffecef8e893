// Images among the data: the ones that the model gets wrong, and before it has learnt anything an example of each class.

const PICTURES = 10; // at once, in two rows; the server sends no more

// Grey values from 0 (white) to 255 (black) as they are: paper is white in a dark theme too.
function drawPixels(canvas, ink) {
  const brush = canvas.getContext("2d");
  const image = new ImageData(canvas.width, canvas.height);
  ink.forEach((value, at) => image.data.set([255 - value, 255 - value, 255 - value, 255], 4 * at));
  brush.putImageData(image, 0, 0);
}

// What a picture is, for those who do not see it.
function pictureName({ target, prediction, loss }) {
  return `true ${target}, predicted ${prediction.class ?? "not a number"}, loss ${digits(loss, 3)}, probability ${digits(prediction.probability, 2)}`;
}

function pictureCanvas({ rows, columns }) {
  return `<canvas class="lv-pixels" width="${columns}" height="${rows}" role="img" aria-label=""></canvas>`;
}

class Images {
  constructor(element, { image, samples, target }, examples) {
    Object.assign(this, { element, image, examples, target, due: true });
    this.part = samples.validation ? "validation" : "training";
    element.innerHTML = `<p class="lv-title"></p><p class="lv-note"></p><ul>${
      `<li><span class="lv-paper">${pictureCanvas(image)}<span class="lv-cross" aria-hidden="true">✗</span></span><span class="lv-caption" aria-hidden="true"><span></span><span></span><span></span></span></li>`.repeat(PICTURES)}</ul>`;
    const [title, note, list] = element.children;
    Object.assign(this, { title, note, list });
    this.cards = [...list.children].map((card) => ({
      card, canvas: card.querySelector("canvas"), cross: card.querySelector(".lv-cross"), lines: [...card.querySelector(".lv-caption").children],
    }));
    this.take(null);
    this.draw();
  }

  take(data, pixels) {
    Object.assign(this, { data, pixels, due: true });
  }

  draw() {
    if (!this.due) return;
    this.due = false;
    if (this.data) this.drawWrong(this.data);
    else this.drawExamples();
  }

  drawExamples() {
    const { examples } = this.image;
    this.title.textContent = "What the images look like";
    this.note.textContent = `The first ${this.target} of each class in the training part. Once the run has begun: the images it gets wrong.`;
    this.fill(examples.length, this.examples, (row, { canvas, cross, lines }) => {
      const { true: name } = examples[row];
      cross.hidden = true;
      canvas.setAttribute("aria-label", `an example of ${name}`);
      lines[0].textContent = `a ${name}`;
      lines[1].textContent = lines[2].textContent = "";
    });
  }

  drawWrong({ samples, wrong, worst }) {
    this.title.textContent = `Predicted wrong: ${count(wrong)} of ${count(samples)}`;
    this.note.textContent = wrong === 0 ? `Every image of the ${this.part} part is right.`
      : `Images of the ${this.part} part${wrong > worst.length ? `, the ${worst.length} with the largest loss` : ""}, the largest loss first.`;
    this.fill(worst.length, this.pixels, (row, { canvas, cross, lines }) => {
      const sample = worst[row];
      cross.hidden = false;
      canvas.setAttribute("aria-label", pictureName(sample));
      const { class: said, probability } = sample.prediction;
      canvas.title = `Image ${count(sample.number)} of the ${this.part} part, probability ${digits(probability, 2)}`;
      lines[0].textContent = `true ${sample.target}`;
      lines[1].textContent = `read as ${said ?? "–"}`;
      lines[2].textContent = `loss ${digits(sample.loss, 3)}`;
    });
  }

  fill(filled, pixels, describe) {
    const size = this.image.rows * this.image.columns;
    this.cards.forEach((card, row) => {
      // An empty place keeps its size, so that nothing moves when images come and go.
      card.card.classList.toggle("lv-empty", row >= filled);
      if (row >= filled) return;
      drawPixels(card.canvas, pixels.subarray(row * size, (row + 1) * size));
      describe(row, card);
    });
  }
}
