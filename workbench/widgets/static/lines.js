import { shape } from "./bench.js";
import { linear, steps } from "./scales.js";

const [WIDTH, HEIGHT, LEFT, TOP, BOTTOM] = [460, 240, 46, 12, 40];
// Of the texts, at 11 pixels: more than any letter of a name takes on average.
const LETTER = 6.6;
const DASHES = ["", "6 4", "2 3", "8 3 2 3"];

/** A name that fits beside its line; its end stays, by which versions of a model differ. */
export const shortened = (name) => (name.length > 14 ? `${name.slice(0, 7)}…${name.slice(-6)}` : name);

/**
 * Lines over one axis, named at their ends: `{x: [label, low, high], y: [label, low, high], lines: [{name, points,
 * colour, dash}], levels: [{name, y}], at}`. `alt` says in words what is drawn.
 */
export function lines({ x, y, lines: drawn, levels = [], at = null, alt }) {
  const right = 14 + LETTER * Math.max(8, ...drawn.map((line) => line.name.length));
  const [along, upwards] = [linear(x[1], x[2]), linear(y[1], y[2])];
  const across = (value) => LEFT + along.place(value) * (WIDTH - right - LEFT);
  const up = (value) => HEIGHT - BOTTOM - upwards.place(value) * (HEIGHT - BOTTOM - TOP);
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "fw-lines", role: "img", "aria-label": alt });
  const text = (content, properties) => shape("text", { class: "fw-lines-text", ...properties }, content);
  for (const value of steps(x[1], x[2])) {
    svg.append(
      shape("line", { x1: across(value), x2: across(value), y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM + 4, class: "fw-lines-axis" }),
      text(String(value), { x: across(value), y: HEIGHT - BOTTOM + 16, "text-anchor": "middle" }));
  }
  for (const value of steps(y[1], y[2])) {
    svg.append(
      shape("line", { x1: LEFT, x2: WIDTH - right, y1: up(value), y2: up(value), class: "fw-lines-grid" }),
      text(String(value), { x: LEFT - 6, y: up(value) + 4, "text-anchor": "end" }));
  }
  svg.append(
    text(x[0], { x: (LEFT + WIDTH - right) / 2, y: HEIGHT - 6, "text-anchor": "middle" }),
    text(y[0], { x: -(TOP + HEIGHT - BOTTOM) / 2, y: 12, "text-anchor": "middle", transform: "rotate(-90)" }));
  for (const level of levels) {
    svg.append(shape("line", { x1: LEFT, x2: WIDTH - right, y1: up(level.y), y2: up(level.y), class: "fw-lines-level" }),
      text(level.name, { x: LEFT + 4, y: up(level.y) - 4 }));
  }
  const ends = drawn.filter((line) => line.points.length).map((line) => ({ line, y: up(line.points.at(-1)[1]) }));
  ends.sort((a, b) => a.y - b.y);
  // Names at the ends keep a line's height between them.
  ends.forEach((end, i) => { if (i) end.y = Math.max(end.y, ends[i - 1].y + 13); });
  for (const { line, y: height } of ends) {
    const i = drawn.indexOf(line);
    const path = line.points.map(([px, py], k) => `${k ? "L" : "M"}${across(px).toFixed(1)},${up(py).toFixed(1)}`).join("");
    svg.append(shape("path", { d: path, class: "fw-lines-curve", style: `stroke: ${line.colour}`, "stroke-dasharray": line.dash ?? DASHES[i % DASHES.length] }));
    for (const [px, py] of line.points.length <= 12 ? line.points : []) svg.append(shape("circle", { cx: across(px), cy: up(py), r: 2.5, style: `fill: ${line.colour}` }));
    svg.append(text(line.name, { x: WIDTH - right + 6, y: height + 4, style: `fill: color-mix(in srgb, ${line.colour} 60%, var(--fw-ink))` }));
  }
  if (at !== null) svg.append(shape("line", { x1: across(at), x2: across(at), y1: TOP, y2: HEIGHT - BOTTOM, class: "fw-lines-now" }));
  return svg;
}
