// The learning rate as a number to type and a slider for round ones.

const RATES = [1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];

// `notice(text)` says what is wrong, or with "" that nothing is; `set(value)` gets a rate that the learner has chosen.
class RateControl {
  constructor(field, slider, notice, set) {
    Object.assign(this, { field, slider, notice, set });
    slider.min = 0;
    slider.max = RATES.length - 1;
    slider.addEventListener("input", () => {
      field.value = plain(RATES[slider.value]);
      slider.setAttribute("aria-valuetext", plain(RATES[slider.value]));
      clearTimeout(this.settling);
      this.settling = setTimeout(() => this.choose(RATES[slider.value]), 250);
    });
    field.addEventListener("change", () => this.choose(field.value === "" ? NaN : Number(field.value)));
  }

  choose(value) {
    clearTimeout(this.settling);
    if (!(value > 0 && value <= 100)) {
      this.show(this.rate, true);
      return this.notice("The learning rate is a number above 0, up to 100.");
    }
    this.notice("");
    return value === this.rate ? undefined : this.set(value);
  }

  show(rate, force) {
    const { field, slider } = this;
    this.rate = rate;
    // A schedule changes the rate all the time; what somebody types or drags stays.
    if (!rate) return; // no run has told its rate yet
    if (!force && (this.shown === rate || [field, slider].includes(document.activeElement))) return;
    this.shown = rate;
    field.value = plain(rate);
    slider.value = RATES.reduce((best, value, index) =>
      (Math.abs(Math.log(value / rate)) < Math.abs(Math.log(RATES[best] / rate)) ? index : best), 0);
    slider.setAttribute("aria-valuetext", plain(rate));
  }

  end() {
    clearTimeout(this.settling);
  }
}
