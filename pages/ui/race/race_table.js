// The table of racers, sorted by rank; a row that is pointed at or focused marks its line.

const RACE_STATES = { done: "Done", "stopped early": "Stopped early", overflowed: "Overflowed" };
const RACE_SORT = 1000; // milliseconds between two orders while a race is under way

class RaceTable {
  constructor(table, onMark) {
    this.table = table;
    this.body = table.querySelector("tbody");
    this.sorted = 0;
    const racerOf = (event) => {
      const row = event.target.closest?.("tr[data-racer]");
      return row ? Number(row.dataset.racer) : null;
    };
    this.body.addEventListener("pointerover", (event) => { this.hovered = true; onMark(racerOf(event)); });
    this.body.addEventListener("pointerleave", () => { this.hovered = false; onMark(null); });
    this.body.addEventListener("focusin", (event) => onMark(racerOf(event)));
    this.body.addEventListener("focusout", () => onMark(null));
  }

  begin({ racers, metric, part, measure, mixed }, theme) {
    Object.assign(this, { racers, metric, part });
    this.heads(measure, mixed);
    this.body.innerHTML = racers.map(({ name, link }, racer) => `<tr data-racer="${racer}"><td data-cell="rank">–</td>
      <th scope="row"><span class="rc-racer"><span data-cell="sample">${raceSample(theme, racer)}</span>${raceEscape(name)}</span></th>
      <td data-cell="metric">–</td><td data-cell="loss">–</td><td data-cell="best">–</td><td data-cell="epoch">–</td><td data-cell="seconds">–</td><td data-cell="state">Ready</td>
      <td><a href="${raceEscape(link)}" target="_self" aria-label="Open ${raceEscape(name)} on the Train page">Open</a></td></tr>`).join("");
    this.rows = [...this.body.children];
  }

  heads(measure, mixed) {
    this.measure = measure;
    const metric = this.metric === "accuracy" ? "accuracy" : "R²";
    const part = this.part === "validation" ? "Validation" : "Training";
    const text = { metric: `${part} ${metric}`, loss: mixed ? "Own loss, not comparable" : `${part} loss`, best: `Best ${measure === "loss" ? "loss" : metric}` };
    for (const [name, value] of Object.entries(text)) this.table.querySelector(`[data-head="${name}"]`).textContent = value;
  }

  setTheme(theme) {
    this.rows?.forEach((row, racer) => { row.querySelector('[data-cell="sample"]').innerHTML = raceSample(theme, racer); });
  }

  draw({ standings, seconds, state, epoch }) {
    const own = standings[this.measure] ?? standings.metric;
    this.rows.forEach((row, racer) => {
      const [rank, , best, bestEpoch, loss, fate] = own[racer];
      const set = (name, text) => {
        const cell = row.querySelector(`[data-cell="${name}"]`);
        if (cell.textContent !== text) cell.textContent = text;
      };
      const begun = epoch > 0;
      set("rank", begun ? String(rank) : "–");
      set("metric", shownMetric(standings.metric[racer][1], this.metric));
      set("loss", raceNumber(loss));
      set("best", raceShown(best, this.measure, this.metric));
      set("epoch", bestEpoch === null ? "–" : bestEpoch.toLocaleString("en-GB"));
      set("seconds", begun ? `${seconds[racer].toFixed(2)} s` : "–");
      set("state", RACE_STATES[fate] ?? (!begun && state === "paused" ? "Ready" : state === "paused" ? "Paused" : "Running"));
      row.toggleAttribute("data-leads", begun && rank === 1);
    });
    this.sort(own, state === "paused" || state === "finished");
  }

  // The row that has the focus stays where it is in the document, the others move around it.
  sort(standings, rest) {
    const now = performance.now();
    if (!rest && (this.hovered || now - this.sorted < RACE_SORT)) return;
    this.sorted = now;
    const order = this.rows.map((_, racer) => racer).sort((a, b) => standings[a][0] - standings[b][0] || a - b).map((racer) => this.rows[racer]);
    if (order.every((row, at) => row === this.body.children[at])) return;
    const kept = order.find((row) => row.contains(document.activeElement));
    const at = order.indexOf(kept);
    order.forEach((row, place) => {
      if (row === kept) return;
      if (place < at) this.body.insertBefore(row, kept);
      else this.body.append(row);
    });
  }

  mark(racer) {
    this.rows?.forEach((row, at) => row.toggleAttribute("data-marked", at === racer));
  }
}
