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

/** A letter for each variable that shares its role with another one: as much of its label as tells them apart. */
function lettersOf(variables) {
  const letters = new Map();
  for (const { name, label, role } of variables) {
    const others = variables.filter((other) => other.role === role && other.name !== name);
    const clash = others.some((other) => other.label[0].toLowerCase() === label[0].toLowerCase());
    const number = 1 + variables.filter((other) => other.role === role).findIndex((other) => other.name === name);
    letters.set(name, !others.length ? "" : clash ? String(number) : label[0].toUpperCase());
  }
  return letters;
}
