// A point in words and in fields: its name, its coordinates and class to be read and typed, and changes as a sentence.

function pointName(number, { training, untouched }) {
  if (number < training) return `point ${number + 1}`;
  return number < untouched ? `validation point ${number - training + 1}` : `point ${number - untouched + training + 1}`;
}

function pointWords({ x, y }, { features, target, classes }) {
  const parts = features.map((name, at) => `${name} ${plain(x[at])}`);
  return [...parts, classes.length ? classes[y] : `${target} ${plain(y)}`].join(", ").replaceAll("-", "−");
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

// What has been changed on the way: the last three changes, a point that moved several times in a row as one of them.
function changesInWords(interventions, scene) {
  const found = [];
  for (const { update, kind, value } of interventions) {
    const row = kind === "move" ? value[0] : undefined;
    const latest = found[found.length - 1];
    if (row !== undefined && latest?.row === row) Object.assign(latest, { times: latest.times + 1, update });
    else found.push({ update, kind, value, row, times: 1 });
  }
  const words = ({ update, kind, value, row, times }) => {
    const from = update ? `from update ${(update + 1).toLocaleString("en-GB")}` : "from the start";
    if (kind === "learning_rate") return `learning rate ${plain(value)} ${from}`;
    if (kind === "add") return `a point added ${from}`;
    const name = scene ? pointName(row, scene) : "a point";
    return times > 1 ? `${name} moved ${times} times, the last ${from}` : `${name} moved ${from}`;
  };
  const more = found.length > 3 ? `${found.length - 3} earlier changes, then ` : "";
  return `Changed: ${more}${found.slice(-3).map(words).join("; ")}. Reset keeps this.`;
}

class PointFields {
  constructor(edit) {
    this.field = (name) => edit.querySelector(`[data-field="${name}"]`);
  }

  // What the fields are called in this data.
  describe(scene) {
    this.scene = scene;
    const { features, target, classes, samples } = scene;
    ["x1", "x2"].forEach((name, at) => this.name(name, features[at]));
    this.name("y", classes.length ? undefined : target);
    this.field("part").parentElement.hidden = !samples.validation;
    const choice = this.field("class");
    choice.parentElement.hidden = !classes.length;
    const chosen = choice.value;
    choice.replaceChildren(...classes.map((name, value) => new Option(name, value)));
    if (classes[chosen]) choice.value = chosen;
  }

  name(field, name) {
    this.field(field).parentElement.hidden = name === undefined;
    this.field(field).previousElementSibling.textContent = name ?? "";
    this.field(field).setAttribute("aria-label", name ?? "");
  }

  fill({ number, x, y }) {
    const { training, untouched, classes } = this.scene;
    this.field("part").value = number >= training && number < untouched ? "validation" : "train";
    this.field("number").value = pointName(number, this.scene).match(/[0-9]+/)[0];
    x.forEach((value, at) => this.show(`x${at + 1}`, value));
    if (classes.length) this.field("class").value = y;
    else this.show("y", y);
  }

  // What is shown has fewer digits than what is meant; as long as nobody types, all of them count.
  show(name, value) {
    const field = this.field(name);
    field.value = plain(value);
    Object.assign(field.dataset, { shown: field.value, meant: value });
  }

  read(name) {
    const { value, dataset } = this.field(name);
    return Number(value === dataset.shown ? dataset.meant : value);
  }

  // The number of the point that is asked for; it may be that there is none.
  get number() {
    const { training, untouched } = this.scene;
    const place = Number(this.field("number").value) - 1;
    if (this.field("part").value === "validation") return place < untouched - training ? place + training : undefined;
    return place < training ? place : place - training + untouched;
  }

  get asked() {
    return `${this.field("part").value === "validation" ? "validation " : ""}point ${this.field("number").value}`;
  }

  // Features and target as typed, or what is missing.
  get typed() {
    const { features, classes, target } = this.scene;
    const names = [...features.map((name, at) => [`x${at + 1}`, name]), ...(classes.length ? [] : [["y", target]])];
    const missing = names.find(([field]) => this.field(field).value === "");
    if (missing) return { missing: missing[1] };
    return { point: { x: features.map((_, at) => this.read(`x${at + 1}`)), y: this.read(classes.length ? "class" : "y") } };
  }
}
