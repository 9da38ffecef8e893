// Reviews and what a recurrent model says about them: as a list, and the chosen one word by word.

const TEXTS_PAUSE = 100; // milliseconds between redraws while a run plays
const PLACES = 10; // words that a review may have

class Texts {
  constructor({ element, legend, words: holder }, scene, theme) {
    Object.assign(this, { scene, chosen: 0, last: 0 });
    const { texts, labels, classes, part, reads } = scene;
    this.score = reads === "score";
    this.asked = this.score ? `Score of ${classes[1]}` : `Probability of ${classes[1]}`;
    legend.innerHTML = `<span>Reviews of the ${part} part. The tint behind a word is what the model says once it has read it:</span><span><i class="lv-tint" data-side="1"></i>${escaped(classes[1])}</span><span><i class="lv-tint" data-side="0"></i>${escaped(classes[0])}</span>`;
    this.samples = [...legend.querySelectorAll(".lv-tint")];
    element.innerHTML = `<table class="lv-list lv-texts"><thead><tr><th scope="col">Review</th><th scope="col">${escaped(this.asked)}</th><th scope="col">Truth</th></tr></thead><tbody>${
      texts.map((words, row) => `<tr><th scope="row"><button type="button" aria-pressed="false">${words.map((word) => `<span>${escaped(word)}</span>`).join(" ")}</button></th><td>${Texts.bar}</td><td><span class="lv-sign"></span> ${escaped(classes[labels[row]])}</td></tr>`).join("")}</tbody></table>`;
    holder.innerHTML = `<p class="lv-title">Word by word</p><p class="lv-note"></p><table class="lv-list lv-words"><thead><tr><th scope="col">Read so far</th><th scope="col">${escaped(this.asked)}, if the review ended here</th></tr></thead><tbody>${
        `<tr><th scope="row"></th><td>${Texts.bar}</td></tr>`.repeat(PLACES)}</tbody></table>`;
    const [list] = element.children;
    const [, note, words] = holder.children;
    this.note = note;
    this.rows = [...list.tBodies[0].rows].map((row) => ({ button: row.querySelector("button"), words: [...row.querySelectorAll("button span")], bar: Texts.parts(row), sign: row.querySelector(".lv-sign") }));
    this.steps = [...words.tBodies[0].rows].map((row) => ({ row, word: row.cells[0], bar: Texts.parts(row) }));
    this.rows.forEach(({ button }, row) => button.addEventListener("click", () => this.choose(row)));
    this.theme = theme;
    this.paint();
    // The first review with a negation shows best what the order of words does.
    this.choose(Math.max(0, texts.findIndex((words) => words.includes("not") || words.includes("never"))));
  }

  static bar = '<span class="lv-said"></span><span class="lv-scale" aria-hidden="true"><i></i></span>';

  static parts(row) {
    return { said: row.querySelector(".lv-said"), fill: row.querySelector(".lv-scale i") };
  }

  setTheme(theme) {
    this.theme = theme;
    this.paint();
    this.draw();
  }

  paint() {
    this.samples.forEach((sample) => { sample.style.backgroundColor = this.tint(sample.dataset.side === "1" ? 1 : 0); });
  }

  choose(row) {
    this.chosen = row;
    this.rows.forEach(({ button }, index) => button.setAttribute("aria-pressed", String(index === row)));
    const words = this.scene.texts[row] ?? [];
    this.steps.forEach(({ row: line, word }, place) => {
      line.classList.toggle("lv-empty", place >= words.length);
      word.textContent = words[place] ?? "";
    });
    this.draw();
  }

  take(arrays, now) {
    this.arrays = arrays;
    clearTimeout(this.timer);
    const wait = this.last + TEXTS_PAUSE - performance.now();
    if (wait > 0 && !now) this.timer = setTimeout(() => this.draw(), wait);
    else this.draw();
  }

  // From 0, all for the first class, to 1, all for the second.
  share(value) {
    return Math.min(1, Math.max(0, this.score ? (value + 1) / 2 : value));
  }

  tint(share) {
    return `rgba(${this.theme.rgb[share > 0.5 ? 1 : 0].join()}, ${(0.8 * Math.abs(share - 0.5)).toFixed(3)})`;
  }

  showBar({ said, fill }, value) {
    const known = Number.isFinite(value);
    said.textContent = known ? this.text(value) : "not a number";
    const share = known ? this.share(value) : 0.5;
    fill.style.left = `${100 * Math.min(share, 0.5)}%`;
    fill.style.width = `${100 * Math.abs(share - 0.5)}%`;
    fill.style.backgroundColor = this.theme.points[share > 0.5 ? 1 : 0];
  }

  text(value) {
    return value.toFixed(3).replace("-", "−");
  }

  draw() {
    if (!this.arrays) return;
    this.last = performance.now();
    const { readings, text_losses: losses } = this.arrays;
    const { texts, labels, classes } = this.scene;
    this.rows.forEach(({ words, bar, sign }, row) => {
      const own = readings.subarray(row * PLACES, (row + 1) * PLACES);
      const first = PLACES - words.length;
      words.forEach((word, place) => {
        const value = own[first + place];
        word.style.backgroundColor = Number.isFinite(value) ? this.tint(this.share(value)) : "transparent";
      });
      const last = own[PLACES - 1];
      this.showBar(bar, last);
      const right = (this.share(last) > 0.5 ? 1 : 0) === labels[row];
      sign.textContent = right ? "✓" : "✗";
      sign.setAttribute("aria-label", right ? "right," : "wrong,");
      sign.setAttribute("role", "img");
    });
    const own = readings.subarray(this.chosen * PLACES, (this.chosen + 1) * PLACES);
    const words = texts[this.chosen] ?? [];
    words.forEach((_, place) => this.showBar(this.steps[place].bar, own[PLACES - words.length + place]));
    const label = labels[this.chosen];
    this.note.textContent = `Predicted ${digits(own[PLACES - 1], 4)}, label ${label} (${classes[label]}): the loss of this review is ${digits(losses[this.chosen], 4)}. Training asks only for the answer after the last word.`;
  }

  end() {
    clearTimeout(this.timer);
  }
}
