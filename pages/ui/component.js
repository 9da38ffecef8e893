// What our components share: Plotly, loaded once a page, one view an element, and how numbers are written.

function loadPlotly(url) {
  window.lossvizPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error("plotly.js could not be loaded"));
    document.head.append(script);
  });
  return window.lossvizPlotly;
}

// Gives a component's data to the view of its element, which is made when the element is new and ended with it.
function mounted(component, selector, View) {
  const { parentElement } = component;
  const root = parentElement.querySelector(selector);
  if (parentElement.lossvizView?.root !== root) {
    parentElement.lossvizView?.end();
    parentElement.lossvizView = new View(root);
  }
  const instance = parentElement.lossvizView;
  instance.take(component);
  // Streamlit may call the cleanup of an earlier call while the element lives on.
  return () => setTimeout(() => {
    if (root.isConnected || instance.gone) return;
    instance.end();
    if (parentElement.lossvizView === instance) delete parentElement.lossvizView;
  });
}

// A number with so many digits that count; powers of ten for the very small and the very large.
function shownNumber(value, digits = 5) {
  if (value === null || value === undefined) return "–";
  const number = Number(value); // "Infinity" and "NaN" come as texts
  if (Number.isNaN(number)) return "not a number";
  if (!Number.isFinite(number)) return number > 0 ? "infinite" : "minus infinite";
  const size = Math.abs(number);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) {
    const [mantissa, power] = number.toExponential(digits - 2).split("e");
    const raised = String(Number(power)).replace(/./g, (sign) => (sign === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign]));
    return `${mantissa.replace("-", "−")}×10${raised}`;
  }
  return (size === 0 ? "0" : number.toPrecision(size >= 1e4 ? 6 : digits)).replace("-", "−");
}

function shownMetric(value, metric) {
  if (value === null || value === undefined) return "–";
  const number = Number(value);
  if (!Number.isFinite(number)) return "–";
  if (metric === "accuracy") return `${(100 * number).toFixed(1)} %`;
  return Math.abs(number) >= 100 ? shownNumber(number) : number.toFixed(3).replace("-", "−");
}
