// What our components share: Plotly, loaded once a page, and one view an element.

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
