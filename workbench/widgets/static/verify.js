import { ask, decoded, digits, frame, keep, node, shape, watch } from "./bench.js";
import { floats, outline, scale, span, ticks } from "./densities.js";

const SIGNS = { accepted: "✓", rejected: "✗", "failure to acquire": "∅" };
const [WIDTH, HEIGHT] = [420, 150];

function render({ model, el, signal }) {
  const { root, body, say, fail } = frame(model, el, signal);
  root.classList.add("fw-verify");
  const fmr = keep(node("select", {
    "aria-label": "Decide at FMR",
    onchange: () => { model.set("fmr", model.get("choices")[fmr.selectedIndex]); model.save_changes(); },
  }));
  const overlay = keep(node("select", {
    "aria-label": "Saliency",
    onchange: () => { wished = -1; explain(); refresh(); },
  }, ...[["none", "not shown"], ["for", "what speaks for one person (green)"], ["against", "what speaks against (magenta)"]]
    .map(([value, text]) => node("option", { value }, text))));
  const empty = node("div", { class: "fw-soft" }, "Give a reference and a probe.");
  const list = node("div", { class: "fw-outcomes" });
  const waiting = node("div", { class: "fw-soft", role: "status" });
  body.append(
    node("div", { class: "fw-row" },
      node("label", {}, "Decide at FMR ", fmr), node("label", {}, "Saliency ", overlay)),
    empty, list, waiting);
  let shown = [];
  // What speaks for and against is wanted of every outcome as long as it is chosen, and asked for once of each.
  let wished = -1;
  const explain = () => {
    if (overlay.value === "none" || model.get("explained") || model.get("working") || !model.get("rows").length) return;
    if (wished === model.get("shown")) return;
    wished = model.get("shown");
    ask(model, "explain").catch(fail);
  };
  const refresh = () => shown.forEach((row) => row.draw(overlay.value));

  watch(model, ["choices", "fmr"], () => {
    fmr.replaceChildren(...model.get("choices").map((value) => node("option", { value }, String(value))));
    fmr.selectedIndex = model.get("choices").indexOf(model.get("fmr"));
  }, signal);
  watch(model, ["gathering"], () => {
    const share = model.get("gathering");
    const next = share < 0 ? "" : `computing other scores to compare with: ${Math.round(10 * share) * 10} %`;
    if (waiting.textContent !== next) waiting.textContent = next;
  }, signal);
  watch(model, ["shown"], () => {
    const rows = model.get("rows");
    empty.hidden = rows.length > 0;
    if (shown.length !== rows.length) {
      shown = rows.map((_, i) => outcome(model, i, fail, signal));
      list.replaceChildren(...shown.map((row) => row.element));
    }
    shown.forEach((row, i) => row.show(rows[i]));
    refresh();
    say(rows.map((row) => `${row.model}: ${row.words}`).join("\n"));
  }, signal);
  watch(model, ["shown", "explained", "working"], explain, signal);
}

/** One model's row: faces, decision, chart. */
function outcome(model, index, fail, signal) {
  const title = node("h4", { class: "fw-model" });
  const verdict = node("div", { class: "fw-decision" });
  const numbers = node("dl", { class: "fw-numbers" });
  const faces = node("div", { class: "fw-faces-row" });
  const chart = node("div", { class: "fw-chart" });
  const note = node("div", { class: "fw-soft" });
  const element = node("section", { class: "fw-outcome" },
    title, node("div", { class: "fw-row fw-top" }, faces, node("div", {}, verdict, numbers), chart), note);
  let row = null;
  let asked = 0;
  let bins = null;

  function show(next) {
    row = next;
    title.textContent = row.model;
    element.setAttribute("aria-label", row.model);
    verdict.textContent = `${SIGNS[row.decision] ?? "–"} ${row.decision || "no decision"}`;
    verdict.dataset.decision = row.decision;
    const pair = (name, value) => [node("dt", {}, name), node("dd", { class: "fw-number" }, value)];
    numbers.replaceChildren(
      ...pair("score", digits(row.score, 4, "none")), ...pair("threshold", digits(row.threshold, 4)));
    note.textContent = row.unexplained ? `Saliency: ${row.unexplained}.` : "";
  }

  async function draw(overlay) {
    const number = ++asked;
    try {
      const [crops, known] = await Promise.all([
        ask(model, "crops", { model: index, overlay }),
        row.known && !bins ? ask(model, "distribution", { model: index }) : null,
      ]);
      if (known?.on) bins = { ...known, edges: floats(known.buffers[0]), mated_: floats(known.buffers[1]), nonmated_: floats(known.buffers[2]) };
      const images = await Promise.all(crops.buffers.map((bytes) => decoded(bytes, "image/png")));
      if (number !== asked || signal.aborted) return;
      const layer = model.get("explained") && !row.unexplained ? overlay : "none";
      faces.replaceChildren(...["reference", "probe"].map((side, k) => face(side, row.reasons[k], row.reasons[k] ? null : images.shift(), layer)));
      chart.replaceChildren(...picture(row, bins));
    } catch (reason) { if (!signal.aborted) fail(reason); }
  }

  return { element, show, draw };
}

function face(side, reason, image, overlay) {
  const caption = node("figcaption", {}, reason ? `${side}: ${reason}` : side);
  if (!image) return node("figure", { class: "fw-crop fw-none" }, caption);
  const canvas = node("canvas", { width: image.width, height: image.height, role: "img",
    "aria-label": `${side}, aligned${overlay === "none" ? "" : `, with what speaks ${overlay}`}` });
  canvas.getContext("2d").drawImage(image, 0, 0);
  return node("figure", { class: "fw-crop" }, canvas, caption);
}

/** The score among the data set's; the line of status says the same in words. */
function picture(row, bins) {
  if (!bins && row.score === null) return [];
  const marks = [row.score, row.threshold].filter((value) => value !== null);
  const range = span(bins?.edges ?? [], marks);
  const top = Math.max(1e-9, ...(bins?.mated_ ?? []), ...(bins?.nonmated_ ?? []));
  const x = scale(range, [8, WIDTH - 8]);
  const y = scale([0, top], [HEIGHT - 22, 30]);
  const parts = [];
  if (bins) {
    parts.push(
      shape("path", { d: outline(bins.edges, bins.nonmated_, x, y), class: "fw-nonmated" }),
      shape("path", { d: outline(bins.edges, bins.mated_, x, y), class: "fw-mated" }));
  }
  parts.push(shape("line", { x1: 8, x2: WIDTH - 8, y1: HEIGHT - 22, y2: HEIGHT - 22, class: "fw-axis" }));
  for (const [value, text] of ticks(range)) {
    parts.push(shape("text", { x: x(value), y: HEIGHT - 8, "text-anchor": "middle", class: "fw-tick" }, text));
  }
  const mark = (value, text, cls, height) => {
    if (value === null) return;
    const end = x(value) > WIDTH * 0.7;
    parts.push(
      shape("line", { x1: x(value), x2: x(value), y1: height - 8, y2: HEIGHT - 22, class: cls }),
      shape("text", { x: x(value) + (end ? -4 : 4), y: height, "text-anchor": end ? "end" : "start", class: "fw-tick" }, text));
  };
  mark(row.threshold, "threshold", "fw-threshold", 26);
  mark(row.score, "this score", "fw-score", 12);
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${row.model}: ${row.words}` }, ...parts);
  if (!bins) return [svg];
  const key = (cls, text) => node("span", {}, node("span", { class: `fw-key ${cls}` }), text);
  const failed = bins.failures ? `, ${bins.failures} failures to acquire` : "";
  const synthetic = bins.real ? "" : "; synthetic faces: nothing follows for real people";
  return [svg, node("div", { class: "fw-soft" },
    key("fw-key-mated", `mated (${bins.mated}) `), key("fw-key-nonmated", `non-mated (${bins.nonmated}) `),
    `scores on ${bins.on}${failed}${synthetic}`)];
}

export default { render };
