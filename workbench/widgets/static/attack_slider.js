import { ask, digits, frame, keep, node, watch } from "./bench.js";
import { lines, shortened } from "./lines.js";
import { plate } from "./pictures.js";

const COLOURS = ["var(--fw-one)", "var(--fw-two)", "var(--fw-three)", "#cc79a7"];

function render({ model, el, signal }) {
  const { body, fail } = frame(model, el, signal);
  const plates = [plate("reference"), plate("before"), plate("after"), plate("difference")];
  const budget = node("output", { class: "fw-number" });
  const slider = keep(node("input", { type: "range", min: 0, max: model.get("budgets").length - 1, step: 1 }));
  // A step may take seconds: it begins when the slider is let go, not on the way.
  slider.addEventListener("change", () => { model.set("step", Number(slider.value)); model.save_changes(); });
  slider.addEventListener("input", () => say(Number(slider.value)));
  const goal = keep(node("select", { "aria-label": "Goal", onchange: () => { model.set("goal", goal.value); model.save_changes(); } },
    node("option", { value: "evade" }, "evade: not to be recognised"),
    node("option", { value: "impersonate" }, "impersonate: to be taken for the reference")));
  const chart = node("div");
  const verdict = node("div", { role: "status" });
  const shown = node("div", {},
    node("div", { class: "fw-plates" }, ...plates.map((p) => p.element)), verdict, chart);
  const none = node("div", { class: "fw-soft" }, "Show a face in both places above.");
  body.append(
    node("div", { class: "fw-slider" }, goal, node("span", {}, "budget"), slider, budget), none, shown);

  function say(step) {
    const levels = model.get("budgets")[step];
    budget.textContent = `${levels} of 255`;
    slider.setAttribute("aria-label", "Budget: most levels by which a value may change");
    slider.setAttribute("aria-valuetext", `${levels} of 255 levels`);
  }
  watch(model, ["step"], () => { slider.value = model.get("step"); say(model.get("step")); }, signal);
  watch(model, ["goal"], () => { goal.value = model.get("goal"); }, signal);
  watch(model, ["ready", "rows"], () => {
    shown.hidden = !model.get("rows").length;
    none.hidden = Boolean(model.get("rows").length);
  }, signal);
  watch(model, ["revision"], async () => {
    if (!model.get("ready")) return;
    try {
      const answer = await ask(model, "view");
      await Promise.all(plates.map((p, i) => p.draw(answer.buffers[i])));
      plates[3].say(`difference, ${answer.amplified} times`);
    } catch (reason) { if (!signal.aborted) fail(reason); }
  }, signal);
  watch(model, ["rows", "thresholds", "step"], () => {
    const rows = model.get("rows");
    const names = model.get("names");
    const thresholds = model.get("thresholds");
    const now = rows.find((row) => row[0] === model.get("budgets")[model.get("step")]);
    if (!now) { verdict.textContent = ""; return; }
    const said = names.map((name, i) => {
      const decision = thresholds[i] === null ? "its card states no threshold" : now[2][i] >= thresholds[i] ? "accepted" : "rejected";
      return `${name}${i === 0 ? " (attacked)" : ""} ${digits(now[2][i])}, ${decision}`;
    });
    const noise = now[1] === null ? "nothing changed" : `PSNR ${digits(now[1], 1)} dB`;
    verdict.textContent = `${noise}. ${said.join("; ")}`;
    const values = [...rows.flatMap((row) => row[2]), ...thresholds.filter((v) => v !== null)];
    chart.replaceChildren(lines({
      x: ["budget, levels of 255", 0, Math.max(1, ...rows.map((row) => row[0]))],
      y: ["comparison score", Math.min(...values), Math.max(...values)], at: now[0],
      lines: names.map((name, i) => ({
        name: shortened(name), points: rows.map((row) => [row[0], row[2][i]]),
        colour: COLOURS[i % COLOURS.length],
      })),
      levels: thresholds[0] === null ? [] : [{ name: "threshold of the attacked", y: thresholds[0] }],
      alt: `Scores over the budget. ${verdict.textContent}`,
    }));
  }, signal);
}

export default { render };
