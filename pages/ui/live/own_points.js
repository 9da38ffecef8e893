// Own data that the page has handed to the browser: the message to send before a run on it is opened.

const OWN_EVENT = "lossviz-own-points";

// The message, or undefined; then `later` is called once it has come.
function ownPoints(key, later) {
  const held = window.lossvizOwnPoints;
  if (held?.key === key) return held.message;
  window.addEventListener(OWN_EVENT, later, { once: true });
  return undefined;
}
