import { node, shape } from "./bench.js";

// Numbers with their intervals as rows of dots on one axis.

const WIDTH = 420;
const EDGE = { left: 110, right: 24, top: 8, bottom: 40 };
const ROW = 22;

/**
 * A figure of rows `{ name, value, ends, note }`: a dot at the value, a line from end to end, or the note where there is
 * no value. `limit` draws a line across, `favour` ("less" or "greater") shades the side of it that is hoped for.
 */
export function dots({ title, across, x, rows, limit = null, favour = "", words = "", names = true }) {
  const [left, right] = [names ? EDGE.left : 12, WIDTH - EDGE.right];
  const bottom = EDGE.top + ROW * rows.length;
  const X = (v) => left + Math.min(1, Math.max(0, x.place(v))) * (right - left);
  const parts = [shape("rect", { x: left, y: EDGE.top, width: right - left, height: bottom - EDGE.top, class: "fw-field" })];
  let last = -Infinity;
  for (const { value, text } of x.ticks(5)) {
    parts.push(shape("line", { x1: X(value), x2: X(value), y1: EDGE.top, y2: bottom, class: "fw-grid" }));
    if (X(value) - last < 7 * text.length + 4) continue;
    parts.push(shape("text", { x: X(value), y: bottom + 15, "text-anchor": "middle", class: "fw-tick" }, text));
    last = X(value);
  }
  if (limit !== null) {
    const from = favour === "less" ? left : X(limit);
    const to = favour === "less" ? X(limit) : right;
    if (favour) parts.push(shape("rect", { x: from, y: EDGE.top, width: to - from, height: bottom - EDGE.top, class: "fw-favour" }));
    parts.push(shape("line", { x1: X(limit), x2: X(limit), y1: EDGE.top, y2: bottom, class: "fw-limit" }));
  }
  rows.forEach(({ name, value, ends, note }, i) => {
    const y = EDGE.top + ROW * (i + 0.5);
    if (names) parts.push(shape("text", { x: left - 8, y: y + 4, "text-anchor": "end", class: "fw-tick" }, shortened(name)));
    if (value === null) parts.push(shape("text", { x: left + 6, y: y + 4, class: "fw-tick" }, note));
    else {
      if (ends) parts.push(shape("line", { x1: X(ends[0]), x2: X(ends[1]), y1: y, y2: y, class: "fw-spread fw-look-0" }));
      parts.push(shape("circle", { cx: X(value), cy: y, r: 4.5, class: "fw-point fw-look-0" }));
    }
  });
  parts.push(shape("text", { x: (left + right) / 2, y: bottom + 33, "text-anchor": "middle", class: "fw-axis" }, across));
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${bottom + EDGE.bottom}`, role: "img", "aria-label": `${title}. ${words}`, class: "fw-plot" }, ...parts);
  return node("figure", { class: "fw-chart fw-dots" }, title ? node("figcaption", {}, title) : null, svg);
}

const shortened = (name) => (name.length > 16 ? `${name.slice(0, 15)}…` : name);
