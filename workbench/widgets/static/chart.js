import { node, shape } from "./bench.js";
import { apart } from "./scales.js";

// A chart of SVG: sharp at every resolution, and its colours follow the theme by themselves.

const WIDTH = 420;
const HEIGHT = 300;
const EDGE = { left: 58, right: 22, top: 12, bottom: 44 };
let count = 0;

/**
 * An empty chart with its axes.
 *
 * `x` and `y` are scales of scales.js; `title`, `across` and `up` are said beside them. `pick(x, y, phase)` is called with
 * values while a pointer is dragged ("move"), when it is lifted ("end") and where it was only pressed ("click").
 */
export function chart({ title, across, up, x, y, pick = null }) {
  const inner = { left: EDGE.left, right: WIDTH - EDGE.right, top: EDGE.top, bottom: HEIGHT - EDGE.bottom };
  const X = (v) => inner.left + x.place(v) * (inner.right - inner.left);
  const Y = (v) => inner.bottom - y.place(v) * (inner.bottom - inner.top);
  const clip = `fw-clip-${++count}`;
  const curves = shape("g", { "clip-path": `url(#${clip})` });
  const over = shape("g", { "clip-path": `url(#${clip})` });
  const labels = shape("g");
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": title, class: "fw-plot" },
    shape("clipPath", { id: clip }, shape("rect", box(inner))), axes(inner, X, Y, { x, y, across, up }), curves, over, labels);
  if (pick) {
    svg.classList.add("fw-picks");
    dragged(svg, (px, py, phase) => pick(
      x.back((px - inner.left) / (inner.right - inner.left)), y.back((inner.bottom - py) / (inner.bottom - inner.top)), phase));
  }
  return {
    element: node("figure", { class: "fw-chart" }, node("figcaption", {}, title), svg),
    X, Y, inner,
    /** What it shows, for those who do not see it. */
    say: (words) => svg.setAttribute("aria-label", `${title}. ${words}`),
    /** Lines `{ path, look, label, at }` and surfaces `{ path, look, fill: true, … }`; labels stand at their places. */
    draw: (lines) => {
      curves.replaceChildren(...lines.map((line) => shape("path", { d: line.path, class: looks(line) })));
      const named = lines.filter((line) => line.label);
      const heights = apart(named.map((line) => line.at[1]), 14, inner.top + 10, inner.bottom - 4);
      labels.replaceChildren(...named.map((line, i) => shape("text", {
        x: Math.min(Math.max(line.at[0], inner.left + 4), inner.right - 4), y: heights[i], class: `${looks(line)} fw-name`,
        "text-anchor": line.anchor ?? "end",
      }, line.label)));
    },
    /** A line across at a value, and points `{ at: [x, y], look }`, which move with the threshold. */
    mark: ({ upright = null, points = [] }) => over.replaceChildren(
      ...(upright === null ? [] : [shape("line", { x1: X(upright), x2: X(upright), y1: inner.top, y2: inner.bottom, class: "fw-threshold" })]),
      ...points.map(({ at, look }) => shape("circle", { cx: X(at[0]), cy: Y(at[1]), r: 5, class: `fw-point fw-look-${look % 6}` }))),
  };
}

const looks = (line) => `${line.fill ? "fw-fill" : "fw-line-of"} fw-look-${line.look % 6}`;
const box = ({ left, right, top, bottom }) => ({ x: left, y: top, width: right - left, height: bottom - top });

function axes(inner, X, Y, { x, y, across, up }) {
  const made = [shape("rect", { ...box(inner), class: "fw-field" })];
  let last = -Infinity;
  for (const { value, text } of x.ticks(6)) {
    const at = X(value);
    made.push(shape("line", { x1: at, x2: at, y1: inner.top, y2: inner.bottom, class: "fw-grid" }));
    // A text that would run into the one before it is left out; its line stays.
    if (at - last < 7 * text.length + 4) continue;
    made.push(shape("text", { x: at, y: inner.bottom + 15, "text-anchor": "middle", class: "fw-tick" }, text));
    last = at;
  }
  last = Infinity;
  for (const { value, text } of y.ticks(5)) {
    const at = Y(value);
    made.push(shape("line", { x1: inner.left, x2: inner.right, y1: at, y2: at, class: "fw-grid" }));
    if (last - at < 13) continue;
    made.push(shape("text", { x: inner.left - 5, y: at + 4, "text-anchor": "end", class: "fw-tick" }, text));
    last = at;
  }
  const [middle, centre] = [(inner.left + inner.right) / 2, (inner.top + inner.bottom) / 2];
  made.push(shape("text", { x: middle, y: HEIGHT - 10, "text-anchor": "middle", class: "fw-axis" }, across));
  made.push(shape("text", { transform: `translate(12 ${centre}) rotate(-90)`, "text-anchor": "middle", class: "fw-axis" }, up));
  return shape("g", { "aria-hidden": "true" }, ...made);
}

/** Follow a pointer over an SVG; places are in its own units. */
function dragged(svg, tell) {
  let from = null;
  let moved = false;
  const place = (event) => {
    const area = svg.getBoundingClientRect();
    return [(event.clientX - area.left) * WIDTH / area.width, (event.clientY - area.top) * HEIGHT / area.height];
  };
  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || svg.closest("fieldset")?.disabled) return;
    event.preventDefault();
    svg.setPointerCapture(event.pointerId);
    from = [event.clientX, event.clientY];
    moved = false;
  });
  svg.addEventListener("pointermove", (event) => {
    if (!from) return;
    moved ||= Math.hypot(event.clientX - from[0], event.clientY - from[1]) > 3;
    if (moved) tell(...place(event), "move");
  });
  svg.addEventListener("pointerup", (event) => {
    if (!from) return;
    from = null;
    tell(...place(event), moved ? "end" : "click");
  });
  svg.addEventListener("pointercancel", () => { from = null; });
}
