// What the board says in words about the present state.

/** "mean over 4 samples", or over 2 lists */
function reductionNote(tables) {
  const title = tables.reduction.title.toLowerCase();
  if (title.includes(" over ")) return title;
  const { samples } = tables;
  const terms = tables.place.get("terms").size;
  const [count, word] = terms === samples ? [samples, (tables.scene.sample_label ?? "Sample").toLowerCase()] : [terms, "term"];
  return `${title} over ${count} ${word}${count === 1 ? "" : "s"}`;
}

/** The slope along the active handle, and which way is downhill; `down` says that the scene's y axis points down. */
function slopeSentence({ tables, active, position }, down) {
  const { name } = active;
  if (tables.constant(active)) return `The loss stays the same wherever ${name} stands.`;
  if (active.kind === "choice") return `${name} is a choice: it has no slope, only one loss for each value.`;
  if (!active.smooth) return `${name} moves by whole cells: no slope, only one loss for each place.`;
  if (active.kind === "plane") {
    const slopes = [0, 1].map((axis) => tables.along(active, "slope", position, axis));
    const ways = [slopes[0] > 0 ? "to the left" : "to the right", slopes[1] > 0 === !down ? "down" : "up"];
    const downhill = ways.filter((_, axis) => Math.abs(slopes[axis]) >= NOISE).join(" and ");
    const [x, y] = slopes.map(formatNumber);
    return `Slope of ${name}: ${x} horizontally, ${y} vertically. ${downhill ? `Move it ${downhill} to lower the loss.` : "Flat here."}`;
  }
  const [left, right] = Curves.sides(tables, active, position);
  if (left !== right) {
    return `Slope along ${name}: ${formatNumber(left)} on the left, ${formatNumber(right)} on the right. A kink.`;
  }
  const way = right > 0 ? "Decrease it to lower the loss." : right < 0 ? "Increase it to lower the loss." : "Flat here.";
  return `Slope along ${name}: ${formatNumber(right)}. ${way}`;
}

/** "Prediction 2 is 0.8. Loss 0.82." */
function summary(tables, row, active, position) {
  const at = () => active.grid.map((_, axis) => formatNumber(tables.coordinate(row, active, position, axis)));
  const place = { line: () => at()[0], plane: () => `at ${at().join(", ")}`, choice: () => active.choices[position] };
  return `${active.name} is ${place[active.kind]()}. Loss ${formatNumber(tables.column(row, "value")[0])}.`;
}
