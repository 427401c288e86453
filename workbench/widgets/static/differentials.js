import { ask, calm, frame, keep, node, watch } from "./bench.js";
import { dots } from "./dots.js";
import { logarithmic, percent } from "./scales.js";

const REST = 250;
const STEPS = 1000;
const ERRORS = [["FMR", "fmr", "false_matches", "nonmated"], ["FNMR", "fnmr", "false_nonmatches", "mated"]];

function render({ model, el, signal }) {
  const { body, say, fail } = frame(model, el, signal);
  const rested = () => model.get("rest").threshold === model.get("threshold");
  let quiet = 0;
  signal.addEventListener("abort", () => clearTimeout(quiet));

  const facts = node("div", { class: "fw-soft" });
  const plots = node("div", { class: "fw-row" });
  const groups = node("tbody");
  const sums = node("tbody");
  const rule = node("div", { class: "fw-soft" });
  body.append(slider(model, signal), facts, plots, table(["Group", "FMR", "FNMR", "People"], groups, "Rates of the groups"),
    table(["Summary", "Value", "If all were alike"], sums, "How far the groups lie apart"), rule);

  watch(model, ["facts"], () => {
    const { arm, by, origin, unknown, between } = model.get("facts");
    facts.textContent = [`${arm}; groups by ${by}: ${origin}`, unknown ? `${unknown} trials without a label are left out` : "",
      between ? `${between} trials between two groups are not counted` : ""].filter(Boolean).join("; ");
  }, signal);
  watch(model, ["threshold"], () => {
    clearTimeout(quiet);
    if (!rested()) quiet = setTimeout(() => ask(model, "intervals").catch(fail), REST);
  }, signal);
  watch(model, ["rows", "summaries", "rest"], () => {
    const rest = rested() ? model.get("rest") : { rows: [], summaries: [] };
    plots.replaceChildren(...ERRORS.map((error) => plot(model, error, rest)));
    groups.replaceChildren(...model.get("rows").map((row, i) => node("tr", {}, node("th", { scope: "row" }, row.group),
      ...ERRORS.map((error) => node("td", {}, rate(row, error, rest.rows[i]))),
      node("td", {}, row.subjects.toLocaleString("en")))));
    sums.replaceChildren(...model.get("summaries").map((sum, i) => node("tr", {},
      node("th", { scope: "row" }, sum.alpha === null ? sum.name : `${sum.name}, alpha ${sum.alpha}`),
      node("td", {}, sum.value === null ? `undefined: ${sum.why}` : sum.value.toPrecision(4) + spread(rest.summaries[i])),
      node("td", {}, String(sum.ideal)))));
    rule.textContent = `small: fewer than ${model.get("facts").few} errors, the rate says little; `
      + (rested() ? model.get("rest").rule : "intervals follow when the threshold rests");
    if (rested()) say(`At threshold ${Number(model.get("threshold").toPrecision(6))}: ${model.get("rows").map((row) => `${row.group} ${ERRORS.map((e) => `${e[0]} ${rate(row, e)}`).join(", ")}`).join("; ")}.`);
  }, signal);
}

function table(head, rows, caption) {
  return node("div", { class: "fw-scroll" }, node("table", { class: "fw-number" }, node("caption", { class: "fw-hidden" }, caption),
    node("thead", {}, node("tr", {}, ...head.map((h) => node("th", { scope: "col" }, h)))), rows));
}

/** An interval, or the reason why there is none. */
function spread(rest) {
  if (Array.isArray(rest)) return interval(rest, (v) => v.toPrecision(4));
  return rest ? ` (no interval: ${rest})` : "";
}

const interval = (ends, text) => (ends ? ` [${ends.map(text).join(", ")}]` : "");

function rate(row, [, key, wrong, all], rest) {
  if (row[key] === null) return `undefined: ${row.why}`;
  const small = row[`few_${key}`] ? ", small" : "";
  return `${percent(row[key])}${interval(rest?.[key], percent)} (${row[wrong].toLocaleString("en")} of ${row[all].toLocaleString("en")}${small})`;
}

function plot(model, error, rest) {
  const [name, key, , all] = error;
  const rows = model.get("rows");
  const most = Math.max(...rows.map((row) => row[all]), 10);
  const words = rows.map((row, i) => `${row.group}: ${rate(row, error, rest.rows[i])}`).join("; ");
  return dots({ title: `${name} by group`, across: `${name}, axis logarithmic; none lies at the left edge`, words,
    x: logarithmic(10 ** Math.floor(Math.log10(0.5 / most)), 1),
    rows: rows.map((row, i) => ({ name: row.group, value: row[key], ends: rest.rows[i]?.[key] ?? null, note: row.why })) });
}

function slider(model, signal) {
  const send = calm((value) => { model.set("threshold", value); model.save_changes(); }, 16, signal);
  const move = (value) => { if (Number.isFinite(value)) send(value); };
  const slide = keep(node("input", { type: "range", min: 0, max: STEPS, step: 1, "aria-label": "Threshold", class: "fw-slide" }));
  const typed = keep(node("input", { type: "number", step: "any", "aria-label": "Threshold as a number", class: "fw-typed" }));
  const ends = () => { const { low, high } = model.get("facts"); return [low, high + (high - low || 1) / STEPS]; };
  slide.addEventListener("input", () => { const [low, high] = ends(); move(low + (high - low) * slide.value / STEPS); });
  typed.addEventListener("change", () => move(typed.valueAsNumber));
  watch(model, ["threshold"], () => {
    const [low, high] = ends();
    slide.value = String(Math.round(STEPS * (model.get("threshold") - low) / (high - low)));
    const said = String(Number(model.get("threshold").toPrecision(6)));
    slide.setAttribute("aria-valuetext", `threshold ${said}`);
    if (typed.getRootNode().activeElement !== typed) typed.value = said;
  }, signal);
  return node("div", { class: "fw-row" }, node("span", {}, "Threshold for all groups"), slide, typed,
    node("span", { class: "fw-soft" }, "accept when score ≥ threshold"));
}

export default { render };
