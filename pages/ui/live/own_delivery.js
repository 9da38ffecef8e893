// Takes own data from the page and keeps it in the window, for the live charts or the race beside it.

export default function take({ data, parentElement }) {
  const length = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
  const { key } = JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + length)));
  // Streamlit may put a new element in place of this one: the data belongs to the latest.
  if (window.lossvizOwnPoints?.key === key) window.lossvizOwnPoints.owner = parentElement;
  else {
    window.lossvizOwnPoints = { key, message: data.slice(), owner: parentElement };
    window.dispatchEvent(new Event("lossviz-own-points"));
  }
  return () => setTimeout(() => {
    if (!parentElement.isConnected && window.lossvizOwnPoints?.owner === parentElement) delete window.lossvizOwnPoints;
  });
}
