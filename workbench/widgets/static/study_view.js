import { ask, button, frame, node, watch } from "./bench.js";
import { dots } from "./dots.js";
import { linear } from "./scales.js";

function render({ model, el, signal }) {
  const { root, body, say, fail } = frame(model, el, signal);
  root.classList.add("fw-study");
  const head = node("div");
  const progress = node("div");
  const verdicts = node("div", { class: "fw-verdicts" });
  const paper = node("div", { class: "fw-scroll" });
  const drawn = node("div");
  const facts = node("div");
  const again = button("Refresh", async () => {
    try {
      await ask(model, "refresh");
      say(`looked again: ${model.get("status")}`);
    } catch (reason) { fail(reason); }
  });
  body.append(node("div", { class: "fw-row" }, head, again), progress, verdicts, paper, drawn, facts);

  watch(model, ["status", "advice", "found"], () => {
    const { title, version, when, data, notes = [] } = model.get("found");
    const what = [title, version ? `version ${version}` : "", data ? `measured on ${data}` : "", when].filter(Boolean).join(" · ");
    head.replaceChildren(node("div", {}, what), node("div", {}, node("b", {}, model.get("status")), ` ${model.get("advice")}`),
      ...notes.map((note) => node("div", {}, note)));
  }, signal);
  watch(model, ["steps", "status"], () => {
    const steps = model.get("steps");
    const going = model.get("status") !== "done" && model.get("status") !== "stale";
    const rows = steps.map(({ name, status, seconds }) => node("li", {}, `${name}: ${status}${status === "going on" ? "" : `, ${seconds} s`}`));
    progress.replaceChildren(...(going && steps.length ? [node("ol", { "aria-label": "Steps of the run" }, ...rows)] : []));
  }, signal);
  watch(model, ["found"], () => {
    const found = model.get("found");
    verdicts.replaceChildren(...(found.verdicts ?? []).map(verdict));
    paper.replaceChildren(...(found.reported?.length ? [reported(found)] : []));
    facts.replaceChildren(...(found.numbers ? folds(found) : []));
  }, signal);
  watch(model, ["figures"], () => {
    const headings = model.get("figures");
    drawn.replaceChildren(...(headings.length ? [gallery(model, headings, signal, fail)] : []));
  }, signal);
}

function verdict(one) {
  const parts = one.parts.length ? one.parts : [one];
  return node("section", { class: "fw-verdict", "aria-label": `${one.claim}: ${one.answer}` },
    node("div", {}, node("b", {}, one.claim), " ", answer(one), " ", one.statement),
    ...parts.map((part) => node("div", { class: "fw-part" },
      node("div", {}, ...(parts.length > 1 ? [answer(part), " "] : []), part.statement), effect(part), node("div", { class: "fw-soft" }, part.reason))));
}

const answer = (one) => node("span", { class: `fw-answer fw-${one.answer.split(" ")[0]}` }, `${one.mark} ${one.answer}`);

/** The effect with its interval, against the limit that it must pass. */
function effect(part) {
  if (!part.effect) return null;
  const { value, ends, n, unit, level } = part.effect;
  const all = [value, ...(ends ?? []), ...(part.limit === null ? [] : [part.limit])];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const pad = (high - low || Math.abs(high) || 1) * 0.15;
  const short = (v) => String(Number(v.toPrecision(4)));
  const side = part.direction === "less" ? "below" : "above";
  const limit = part.limit === null ? "no limit is kept with this run" : `the claim needs all of it ${side} ${short(part.limit)}`;
  const words = `Effect ${short(value)}${ends ? `, ${Math.round(100 * level)} % interval ${ends.map(short).join(" to ")}` : ""}; ${n}; ${limit}.`;
  return node("div", {}, dots({ title: "", across: `effect${unit && unit !== "fraction" ? `, ${unit}` : ""}`, words, names: false,
    x: linear(low - pad, high + pad), limit: part.limit, favour: part.direction, rows: [{ name: "", value, ends, note: "" }] }),
  node("div", {}, words));
}

/** What the paper reports beside what this run found, each with its data. */
function reported(found) {
  const head = ["Measure", "In the paper", "on", "where", "Here", "on"];
  return node("table", {}, node("caption", {}, "Reported by the paper, and measured here"),
    node("thead", {}, node("tr", {}, ...head.map((h) => node("th", { scope: "col" }, h)))),
    node("tbody", {}, ...found.reported.map((row) => node("tr", {}, node("th", { scope: "row" }, row.metric),
      ...[row.said, row.dataset, row.place, row.ours === null ? "no number of this run answers to it" : `${row.ours} (${row.key}; ${row.ours_n})`,
        row.ours === null ? "" : row.ours_on].map((text) => node("td", {}, text))))));
}

function folds(found) {
  const listed = (rows) => node("div", { class: "fw-scroll" }, node("table", { class: "fw-number" }, node("tbody", {}, ...rows.map(([name, ...cells]) =>
    node("tr", {}, node("th", { scope: "row" }, name), ...cells.map((text) => node("td", {}, text)))))));
  const fold = (title, content) => node("details", {}, node("summary", {}, title), content);
  return [
    fold(`All numbers: ${found.numbers.length}`, listed(found.numbers.map((n) => [n.name, n.said, n.unit, n.n, n.rule]))),
    ...found.facts.map(([name, rows]) => fold(name, listed(rows))),
  ];
}

/** The run's figures, fetched when they are asked for. */
function gallery(model, headings, signal, fail) {
  const place = node("div");
  const open = async () => {
    if (!details.open || place.childElementCount) return;
    for (let i = 0; i < headings.length && !signal.aborted; i++) {
      try {
        const { buffers } = await ask(model, "figure", { index: i });
        const address = URL.createObjectURL(new Blob([buffers[0]], { type: "image/png" }));
        place.append(node("figure", { class: "fw-drawn" }, node("figcaption", {}, headings[i]),
          node("img", { src: address, alt: `Figure ${i + 1}: ${headings[i]}`, onload: () => URL.revokeObjectURL(address) })));
      } catch (reason) { if (!signal.aborted) fail(reason); return; }
    }
  };
  const details = node("details", { ontoggle: open }, node("summary", {}, `Figures of the run: ${headings.length}`), place);
  return details;
}

export default { render };
