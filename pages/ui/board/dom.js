// Small tools to make and change elements.

/** make("button.step", { type: "button", "aria-label": "…" }, child, "text", …) */
function make(kind, attributes = {}, ...children) {
  const [tag, ...classes] = kind.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("--")) element.style.setProperty(name, value);
    else if (value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

function makeSvg(kind, attributes = {}, ...children) {
  const [tag, ...classes] = kind.split(".");
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  if (classes.length) element.setAttribute("class", classes.join(" "));
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Writes only what differs: most numbers stand still from frame to frame. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function setAttribute(element, name, value) {
  const text = String(value);
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

function setProperty(element, name, value) {
  const text = String(value);
  if (element.style.getPropertyValue(name) !== text) element.style.setProperty(name, text);
}

/** The sign of a prediction or a target, the same everywhere; a letter in it tells two of a kind apart. */
function markOf(role, letter = "") {
  return make(`i.mark.${role}`, { "aria-hidden": "true" }, letter ? make("b", {}, letter) : null);
}

/** A letter for each variable that shares its role with another one: of the first word in which their labels differ. */
function lettersOf(variables) {
  const letters = new Map();
  for (const role of ["prediction", "target"]) {
    const alike = variables.filter((variable) => variable.role === role);
    if (alike.length === 1) letters.set(alike[0].name, "");
    if (alike.length < 2) continue;
    const words = alike.map(({ label }) => label.toUpperCase().split(" "));
    const word = words[0].findIndex((_, index) => new Set(words.map((own) => own[index]?.[0])).size === alike.length);
    alike.forEach(({ name }, index) => letters.set(name, word < 0 ? String(index + 1) : words[index][word][0]));
  }
  return letters;
}
