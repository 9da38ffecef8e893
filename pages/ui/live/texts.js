// Reviews and what a recurrent model says about them: as a list, and the chosen one, or the learner's own, word by word.

const TEXTS_PAUSE = 100; // milliseconds between redraws while a run plays
const PLACES = 10; // words that a review may have
const OWN = -1; // what is chosen where the learner's sentence is

class Texts {
  constructor({ element, legend, words: holder, sentence, ask }, scene, theme) {
    Object.assign(this, { scene, ask, chosen: 0, last: 0 });
    const { texts, labels, classes, part, reads, vocabulary } = scene;
    this.score = reads === "score";
    this.asked = this.score ? `Score of ${classes[1]}` : `Probability of ${classes[1]}`;
    legend.innerHTML = `<span>Reviews of the ${part} part. The tint behind a word is what the model says once it has read it:</span><span><i class="lv-tint" data-side="1"></i>${escaped(classes[1])}</span><span><i class="lv-tint" data-side="0"></i>${escaped(classes[0])}</span>`;
    this.samples = [...legend.querySelectorAll(".lv-tint")];
    element.innerHTML = `<table class="lv-list lv-texts"><thead><tr><th scope="col">Review</th><th scope="col">${escaped(this.asked)}</th><th scope="col">Truth</th></tr></thead><tbody>${
      texts.map((words, row) => `<tr><th scope="row"><button type="button" aria-pressed="false">${words.map((word) => `<span>${escaped(word)}</span>`).join(" ")}</button></th><td>${Texts.bar}</td><td><span class="lv-sign"></span> ${escaped(classes[labels[row]])}</td></tr>`).join("")}</tbody></table>`;
    holder.innerHTML = `<p class="lv-title">Word by word</p>
      <form class="lv-field lv-try"><label for="lv-sentence">A sentence of your own</label><input id="lv-sentence" type="text" maxlength="200" autocomplete="off" spellcheck="false" placeholder="it was not good"><button type="submit" class="lv-button">Read</button></form>
      <p class="lv-note lv-refused" role="alert"></p>
      <details class="lv-note"><summary>The ${vocabulary.length - 1} words that the reviews use</summary>${vocabulary.slice(1).map(escaped).join(", ")}</details>
      <p class="lv-note"></p><table class="lv-list lv-words"><thead><tr><th scope="col">Read so far</th><th scope="col">${escaped(this.asked)}, if the review ended here</th></tr></thead><tbody>${
        `<tr><th scope="row"></th><td>${Texts.bar}</td></tr>`.repeat(PLACES)}</tbody></table>`;
    const [list] = element.children;
    const [, form, refused, , note, words] = holder.children;
    Object.assign(this, { refused, field: form.querySelector("input") });
    this.field.value = sentence ?? "";
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask(this.field.value);
    });
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
    this.line(this.scene.texts[row] ?? []);
    this.draw();
  }

  // The words that are read one by one.
  line(words) {
    this.words = words;
    this.steps.forEach(({ row: line, word }, place) => {
      line.classList.toggle("lv-empty", place >= words.length);
      word.textContent = words[place] ?? "";
    });
  }

  // What the server says of the learner's sentence: what is wrong with it, or nothing.
  answer(problem) {
    this.refused.textContent = problem;
    if (problem || !this.field.value.trim()) {
      if (this.chosen === OWN) this.choose(0);
    } else {
      this.choose(OWN);
    }
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
    const { labels, classes } = this.scene;
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
    if (this.chosen === OWN) this.drawOwn();
    else this.drawSteps(readings.subarray(this.chosen * PLACES, (this.chosen + 1) * PLACES));
    if (this.chosen === OWN) return;
    const label = labels[this.chosen];
    const last = readings[(this.chosen + 1) * PLACES - 1];
    this.note.textContent = `Predicted ${digits(last, 4)}, label ${label} (${classes[label]}): the loss of this review is ${digits(losses[this.chosen], 4)}. Training asks only for the answer after the last word.`;
  }

  drawSteps(own) {
    this.words.forEach((_, place) => this.showBar(this.steps[place].bar, own[PLACES - this.words.length + place]));
  }

  drawOwn() {
    const { own_words: numbers, own_reading: own } = this.arrays;
    if (!numbers) return;
    const words = [...numbers].filter((number) => number).map((number) => this.scene.vocabulary[number]);
    if (words.join(" ") !== this.words.join(" ")) this.line(words);
    this.drawSteps(own);
    const last = own[PLACES - 1];
    this.note.textContent = `Your sentence: predicted ${digits(last, 4)}, ${this.scene.classes[this.share(last) > 0.5 ? 1 : 0]}. Training asks only for the answer after the last word.`;
  }

  end() {
    clearTimeout(this.timer);
  }
}
