import { ask, calm, digits, frame, keep, node, touched, watch } from "./bench.js";
import { lines, shortened } from "./lines.js";
import { plate } from "./pictures.js";

const COLOURS = ["var(--fw-one)", "var(--fw-two)", "var(--fw-three)", "#cc79a7"];

function render({ model, el, signal }) {
  const { body, fail } = frame(model, el, signal);
  const plates = [plate("first"), plate("morph"), plate("second")];
  const share = node("output", { class: "fw-number" });
  const slider = keep(node("input", { type: "range", min: 0, max: 1, step: 0.01, "aria-label": "Share of the second person in the morph" }));
  const set = calm(() => { model.set("share", Number(slider.value)); model.save_changes(); }, 30, signal);
  slider.addEventListener("input", set);
  const moving = touched(slider);
  const splice = node("input", { type: "checkbox", onchange: () => { model.set("splice", splice.checked); model.save_changes(); } });
  const chart = node("div");
  const verdict = node("div", { role: "status" });
  const shown = node("div", {},
    node("div", { class: "fw-plates" }, ...plates.map((p) => p.element)),
    node("div", { class: "fw-slider" }, node("span", {}, "first"), slider, node("span", {}, "second"), share,
      node("label", {}, splice, " inner face only")),
    verdict, chart,
    node("div", { class: "fw-soft" }, "Scores are against the very pictures that were morphed; with other pictures of the same people they are lower."));
  const none = node("div", { class: "fw-soft" }, "Show a face in both places above.");
  body.append(none, shown);

  watch(model, ["ready"], () => { shown.hidden = !model.get("ready"); none.hidden = model.get("ready"); }, signal);
  watch(model, ["splice"], () => { splice.checked = model.get("splice"); }, signal);
  watch(model, ["revision", "share", "splice"], calm(async () => {
    if (!moving()) slider.value = model.get("share");
    share.textContent = `${Math.round(100 * model.get("share"))} %`;
    if (!model.get("ready")) return;
    try {
      const answer = await ask(model, "view", { share: model.get("share") });
      await Promise.all(plates.map((p, i) => p.draw(answer.buffers[i])));
      plates[1].say(`morph, ${Math.round(100 * answer.share)} % of the second`);
    } catch (reason) { if (!signal.aborted) fail(reason); }
  }, 40, signal), signal);
  watch(model, ["scores", "share"], () => {
    const found = model.get("scores");
    const at = model.get("share");
    if (!found.length) return;
    const said = found.map(({ name, threshold, rows }) => {
      const [, one, other] = rows[Math.round(at * (rows.length - 1))];
      if (threshold === null) return `${name}: ${digits(one, 2)} and ${digits(other, 2)}, its card states no threshold`;
      const both = one >= threshold && other >= threshold;
      return `${name}: ${digits(one, 2)} and ${digits(other, 2)}, ${both ? "accepts the morph as both" : "does not accept it as both"}`;
    });
    verdict.textContent = said.join("; ");
    const values = found.flatMap(({ rows, threshold }) => [...rows.flatMap((r) => r.slice(1)), ...(threshold === null ? [] : [threshold])]);
    chart.replaceChildren(lines({
      x: ["share of the second person", 0, 1], y: ["comparison score", Math.min(...values), Math.max(...values)], at,
      lines: found.flatMap(({ name, rows }, i) => [1, 2].map((side) => ({
        name: `${shortened(name)}, ${side === 1 ? "first" : "second"}`, points: rows.map((r) => [r[0], r[side]]),
        colour: COLOURS[i % COLOURS.length], dash: side === 1 ? "" : "6 4",
      }))),
      levels: found.filter((f) => f.threshold !== null).map((f) => ({ name: `threshold of ${shortened(f.name)}`, y: f.threshold })),
      alt: `Scores of morphs against both contributors. ${said.join("; ")}`,
    }));
  }, signal);
}

export default { render };
