import { ask, button, calm, frame, keep, node, shape, watch } from "./bench.js";
import { chart } from "./chart.js";
import { bars, linear, logarithmic, percent, probit, stairs } from "./scales.js";

// After so many ms without a change the threshold rests, and what takes longer is computed.
const REST = 250;
const STEPS = 1000;
const POINTS = [0.1, 0.01, 0.001, 0.0001];

function render({ model, el, signal }) {
  const { root, body, say, fail } = frame(model, el, signal);
  root.classList.add("fw-curves");
  const facts = () => model.get("facts");
  const chosen = () => facts()[model.get("arm")];

  let quiet = 0;
  signal.addEventListener("abort", () => clearTimeout(quiet));
  const resting = () => {
    clearTimeout(quiet);
    if (!rested(model)) quiet = setTimeout(() => ask(model, "intervals").catch(fail), REST);
  };
  const send = calm((value) => { model.set("threshold", value); model.save_changes(); }, 16, signal);
  const move = (value) => { if (Number.isFinite(value)) send(value); };
  const byRate = calm((fmr) => ask(model, "choose_fmr", { fmr }).catch(fail), 30, signal);

  const about = table(model);
  const beside = pairs(model, fail);
  const pick = (take) => (x, y, phase) => { take(x); if (phase === "click") beside.show(); };
  const charts = node("div", { class: "fw-row fw-charts" });
  const drawn = views(model, charts, { score: pick(move), rate: pick((x) => byRate(Math.min(1, x))) });
  body.append(controls(model, { move, byRate, signal, fail, show: () => beside.show() }), about.element, charts, beside.element);

  ask(model, "curves").then(({ buffers }) => drawn.take(buffers.map(floats)), (reason) => { if (!signal.aborted) fail(reason); });
  watch(model, ["threshold", "arm", "common"], resting, signal);
  watch(model, ["reading", "arm"], () => { drawn.mark(); about.show(); }, signal);
  watch(model, ["arm"], () => drawn.histogram(), signal);
  watch(model, ["rest"], async () => {
    about.show();
    // Pairs that are open are those beside this threshold, not beside the one before.
    if (rested(model) && beside.element.childElementCount) beside.show();
    if (rested(model)) say(sentence(model, chosen()));
    if (!model.get("discards") || !model.get("rest").rule) return;
    try {
      const { why, buffers } = await ask(model, "discard");
      drawn.discard(why, buffers.map(floats));
    } catch (reason) { if (!signal.aborted) fail(reason); }
  }, signal);
}

const floats = (part) => new Float32Array(part.buffer.slice(part.byteOffset, part.byteOffset + part.byteLength));
const short = (value) => String(Number(value.toPrecision(6)));

/** Whether the intervals are those of what is shown. */
function rested(model) {
  return ["threshold", "arm", "common"].every((name) => model.get("rest")[name] === model.get(name));
}

function interval(model, index, key) {
  const ends = rested(model) ? model.get("rest").arms[index]?.[key] : null;
  return ends ? ` [${ends.map(percent).join(", ")}]` : "";
}

function sentence(model, fact) {
  const index = model.get("arm");
  const now = model.get("reading")[index];
  const rate = (name, key) => `${name} ${now[key] === null ? "undefined" : percent(now[key]) + interval(model, index, key)}`;
  return `${fact.name} at threshold ${short(now.threshold)}: ${rate("FMR", "fmr")}, ${rate("FNMR", "fnmr")}.`;
}

function controls(model, { move, byRate, signal, fail, show }) {
  const arm = keep(node("select", { "aria-label": "Arm whose threshold moves", onchange: () => set("arm", arm.selectedIndex) }));
  const common = keep(node("select", { "aria-label": "What the other arms share with it", onchange: () => set("common", common.value) },
    node("option", { value: "fmr" }, "others at the same FMR"), node("option", { value: "threshold" }, "others at the same threshold")));
  const set = (name, value) => { model.set(name, value); model.save_changes(); };
  const slide = keep(node("input", { type: "range", min: 0, max: STEPS, step: 1, "aria-label": "Threshold", class: "fw-slide" }));
  const typed = keep(node("input", { type: "number", step: "any", "aria-label": "Threshold as a number", class: "fw-typed" }));
  const ends = () => {
    const { low, high } = model.get("facts")[model.get("arm")];
    // A little further than the highest score, so that nothing may be accepted, too.
    return [low, high + (high - low || 1) / STEPS];
  };
  slide.addEventListener("input", () => { const [low, high] = ends(); move(low + (high - low) * slide.value / STEPS); });
  typed.addEventListener("change", () => move(typed.valueAsNumber));
  const choices = POINTS.map((fmr) => ({ fmr, press: button(percent(fmr), () => byRate(fmr), { "aria-label": `FMR at most ${percent(fmr)}` }) }));
  const one = model.get("facts").length < 2;
  watch(model, ["threshold", "arm"], () => {
    const [low, high] = ends();
    slide.value = String(Math.round(STEPS * (model.get("threshold") - low) / (high - low)));
    slide.setAttribute("aria-valuetext", `threshold ${short(model.get("threshold"))}`);
    if (typed.getRootNode().activeElement !== typed) typed.value = short(model.get("threshold"));
  }, signal);
  watch(model, ["facts", "arm", "common"], () => {
    arm.replaceChildren(...model.get("facts").map(({ name }, i) => node("option", { selected: i === model.get("arm") }, name)));
    common.value = model.get("common");
    for (const { fmr, press } of choices) {
      press.title = fmr * model.get("facts")[model.get("arm")].nonmated < 1 ? "below one false match: no false match at all" : "";
    }
  }, signal);
  return node("div", {},
    one ? null : node("div", { class: "fw-row" }, arm, common),
    node("div", { class: "fw-row" }, node("span", {}, "Threshold"), slide, typed,
      node("span", { class: "fw-soft" }, "accept when score ≥ threshold")),
    node("div", { class: "fw-row", role: "group", "aria-label": "Operating points" }, node("span", {}, "FMR at most"),
      ...choices.map(({ press }) => press), button("EER", () => ask(model, "choose_eer").catch(fail), { "aria-label": "Equal error rate" }),
      button("Pairs beside the threshold", show)));
}

/** The numbers of every arm. */
function table(model) {
  const head = ["Arm", "Threshold", "FMR", "FNMR", "EER", "AUC"];
  const rows = node("tbody");
  const rule = node("div", { class: "fw-soft" });
  const rate = (row, index, key, wrong, all) => (row[key] === null ? "undefined"
    : `${percent(row[key])}${interval(model, index, key)} (${row[wrong].toLocaleString("en")} of ${row[all].toLocaleString("en")})`);
  const element = node("div", { class: "fw-scroll" },
    node("table", { class: "fw-number" }, node("thead", {}, node("tr", {}, ...head.map((h) => node("th", { scope: "col" }, h)))), rows), rule);
  const show = () => {
    const facts = model.get("facts");
    rows.replaceChildren(...model.get("reading").map((row, i) => node("tr", i === model.get("arm") ? { class: "fw-chosen" } : {},
      node("th", { scope: "row" }, swatch(i), facts[i].name),
      ...[short(row.threshold), rate(row, i, "fmr", "false_matches", "nonmated"), rate(row, i, "fnmr", "false_nonmatches", "mated"),
        facts[i].eer === null ? facts[i].why : percent(facts[i].eer), facts[i].auc === null ? "undefined" : facts[i].auc.toFixed(4)].map((text) => node("td", {}, text)))));
    const lost = facts.filter((f) => f.failures).map((f) => `${f.name}: ${f.failures} failures to acquire, counted as rejections`);
    rule.textContent = [rested(model) ? model.get("rest").rule : "intervals follow when the threshold rests", ...lost].join("; ");
  };
  return { element, show };
}

function swatch(look) {
  return shape("svg", { class: "fw-swatch", "aria-hidden": "true", viewBox: "0 0 28 10" },
    shape("path", { d: "M0 5H28", class: `fw-line-of fw-look-${look % 6}` }));
}

/** The charts, and how they follow the threshold. */
function views(model, place, picks) {
  const axes = model.get("axes");
  const det = chart({ title: "DET", across: "FMR, axis in normal deviates", up: "FNMR", x: probit(...axes.fmr), y: probit(...axes.fnmr), pick: picks.rate });
  const roc = chart({ title: "ROC", across: "FMR, axis logarithmic", up: "1 − FNMR", x: logarithmic(axes.fmr[0], 1), y: linear(...axes.tmr, { text: percent }), pick: picks.rate });
  const discards = (most) => chart({ title: "Error versus discard", across: "share discarded, lowest quality first",
    up: "FNMR of the rest", x: linear(0, 1, { text: percent }), y: linear(0, most, { text: percent }) });
  let scores = null;
  let parts = [];
  let drop = discards(1);
  const name = (i) => model.get("facts")[i].name;

  function histogram() {
    if (!parts.length) return;
    const i = model.get("arm");
    const { low, high } = model.get("facts")[i];
    const [mated, nonmated] = parts.slice(6 * i + 4, 6 * i + 6);
    const most = Math.max(...mated, ...nonmated, 1e-9) * 1.08;
    scores = chart({ title: `Scores of ${name(i)}`, across: "comparison score", up: "share of trials in a bin", x: linear(low, high, { text: short }), y: linear(0, most, { text: percent }), pick: picks.score });
    const surface = (heights, look, label) => {
      const top = heights.indexOf(Math.max(...heights));
      const centre = scores.X(low + (high - low) * (top + 0.5) / heights.length);
      return { path: bars(Array.from(heights, scores.Y), scores.X(low), scores.X(high), scores.Y(0)), look, label, fill: true,
        at: [centre, scores.Y(heights[top]) + 4], anchor: "middle" };
    };
    scores.draw([surface(nonmated, 1, "non-mated"), surface(mated, 0, "mated")]);
    place.replaceChildren(...[scores, det, roc].map((c) => c.element), ...(model.get("discards") ? [drop.element] : []));
    mark();
  }

  function take(buffers) {
    parts = buffers;
    const lines = (view, from, height) => view.draw(model.get("facts").flatMap((_, i) => {
      const [fmr, fnmr] = parts.slice(6 * i + from, 6 * i + from + 2);
      if (!fmr.length) return [];
      const [xs, ys] = [Array.from(fmr, view.X), Array.from(fnmr, (v) => view.Y(height(v)))];
      const at = named(xs, ys, view.inner, i);
      return [{ path: stairs(xs, ys), look: i, label: name(i), at, anchor: "start" }];
    }));
    lines(det, 0, (v) => v);
    lines(roc, 2, (v) => 1 - v);
    histogram();
  }

  function mark() {
    const points = model.get("reading").flatMap((row, i) => (row.fmr === null || row.fnmr === null ? [] : [{ row, look: i }]));
    det.mark({ points: points.map(({ row, look }) => ({ at: [row.fmr, row.fnmr], look })) });
    roc.mark({ points: points.map(({ row, look }) => ({ at: [row.fmr, 1 - row.fnmr], look })) });
    scores?.mark({ upright: model.get("threshold") });
    const words = sentence(model, model.get("facts")[model.get("arm")]);
    for (const view of [det, roc, scores]) view?.say(words);
  }

  function discard(why, [shares, errors] = []) {
    const made = discards(why ? 1 : Math.max(...errors, 1e-6) * 1.1);
    if (!why) {
      made.draw([{ path: stairs(Array.from(shares, made.X), Array.from(errors, made.Y)), look: model.get("arm") }]);
      made.say(`Errors at threshold ${short(model.get("rest").threshold)}: FNMR ${percent(errors[0])} with all comparisons, ${percent(at(shares, errors, 0.2))} without the 20 % of lowest quality.`);
    } else made.say(`Undefined: ${why}.`);
    drop.element.replaceWith(made.element);
    drop = made;
  }
  return { take, mark, histogram, discard };
}

/** The value of a step curve. */
function at(xs, ys, x) {
  let found = ys[0];
  for (let i = 0; i < xs.length && xs[i] <= x; i++) found = ys[i];
  return found;
}

/** Where a curve's name stands: right of it, further on for every further arm. */
function named(xs, ys, { left, right, top, bottom }, index) {
  const want = left + (right - left) * (0.25 + 0.12 * index);
  const i = Math.max(0, xs.findIndex((x) => x >= want));
  return [want + 8, Math.min(bottom - 8, Math.max(top + 14, ys[i] - 6))];
}

/** The trials beside the threshold. */
function pairs(model, fail) {
  const element = node("div", { class: "fw-pairs", "aria-live": "polite" });
  const groups = [["Mated, rejected: false non-matches", true, false], ["Mated, accepted", true, true],
    ["Non-mated, rejected", false, false], ["Non-mated, accepted: false matches", false, true]];
  const show = async () => {
    try {
      const { items, buffers } = await ask(model, "pairs", { most: 4 });
      element.replaceChildren(...groups.map(([title, mated, accepted]) => {
        const fit = items.map((item, i) => [item, i]).filter(([item]) => item.mated === mated && item.accepted === accepted);
        return node("section", { "aria-label": title }, node("div", { class: "fw-title" }, title),
          ...(fit.length ? fit.map(([item, i]) => pair(item, buffers.slice(2 * i, 2 * i + 2))) : [node("div", { class: "fw-soft" }, "none")]));
      }));
    } catch (reason) { fail(reason); }
  };
  return { element, show };
}

function pair(item, pictures) {
  const seen = pictures.map((bytes, i) => {
    if (!bytes.byteLength) return node("div", { class: "fw-soft" }, "no picture");
    const address = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
    return node("img", { src: address, alt: item.names[i], onload: () => URL.revokeObjectURL(address) });
  });
  return node("div", { class: "fw-pair" }, node("div", { class: "fw-row" }, ...seen),
    node("div", {}, `score ${short(item.score)}`), node("div", { class: "fw-soft" }, `trial ${item.trial}: ${item.names.join(" and ")}`));
}

export default { render };
