// Histograms as outlines: numbers in, numbers and path texts out.

/** The range that holds all bins and all marks, a little wider. */
export function span(edges, marks) {
  const all = [...edges, ...marks].filter(Number.isFinite);
  if (!all.length) return [0, 1];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const spare = (high - low || 1) * 0.03;
  return [low - spare, high + spare];
}

/** A function from `[low, high]` to `[from, to]`. */
export function scale([low, high], [from, to]) {
  return (value) => from + ((value - low) / (high - low)) * (to - from);
}

/** The outline of bins, from the base line up and back to it. */
export function outline(edges, heights, x, y) {
  if (!heights.length) return "";
  const at = (px, py) => `${px.toFixed(2)},${py.toFixed(2)}`;
  const parts = [`M${at(x(edges[0]), y(0))}`];
  heights.forEach((height, i) => parts.push(`L${at(x(edges[i]), y(height))}`, `L${at(x(edges[i + 1]), y(height))}`));
  parts.push(`L${at(x(edges.at(-1)), y(0))}`, "Z");
  return parts.join("");
}

/** Round numbers inside a range, some five of them. */
export function ticks([low, high]) {
  const raw = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= raw * 0.999);
  const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k += 1) found.push((k * step).toFixed(places));
  return found.map((text) => [Number(text), text]);
}

/** A little-endian float32 buffer as numbers. */
export function floats(view) {
  const found = new Array(view.byteLength / 4);
  for (let i = 0; i < found.length; i += 1) found[i] = view.getFloat32(4 * i, true);
  return found;
}
