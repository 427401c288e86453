import { ask, button, calm, decoded, digits, frame, keep, node, watch } from "./bench.js";
import { rateWords, scaleWords } from "./spoof_words.js";

function render({ model, el, signal }) {
  const { root, body, fail } = frame(model, el, signal);
  root.classList.add("fw-spoof");
  const verdict = node("div", { class: "fw-verdict", role: "status" });
  const detail = node("div", { class: "fw-soft" });
  const rate = node("div", { class: "fw-number", hidden: true });
  const fill = node("div", { class: "fw-fill" });
  const line = node("div", { class: "fw-limit" });
  const scale = node("div", { class: "fw-scale", role: "img" }, fill, line);
  const say = calm((value) => { model.set("threshold", value); model.save_changes(); }, 60, signal);
  const slider = keep(node("input", {
    type: "range", min: 0, max: 1, step: 0.005, "aria-label": "Threshold of the attack score",
    oninput: () => say(Number(slider.value)),
  }));
  const value = node("output", { class: "fw-number" });
  const note = node("div", { class: "fw-note" });
  const look = button("What it looked at", () => ask(model, "look").catch(fail));
  const bring = button("Bring phantom presentations", () => ask(model, "bring").catch(fail));
  const map = node("div");
  const extra = node("div", { class: "fw-row" });
  const facts = node("details", {}, node("summary", {}), node("dl", { class: "fw-facts" }));
  body.append(verdict, scale, node("label", { class: "fw-row" }, "threshold", slider, value), detail, rate, note,
    node("div", { class: "fw-row" }, look, bring), map, extra,
    node("div", { class: "fw-soft" }, "It looks at the colours (RGB) alone."), facts);

  watch(model, ["score", "decision", "threshold", "empty", "truth", "seconds"], () => {
    const [score, threshold] = [model.get("score"), model.get("threshold")];
    const judged = score !== null;
    const words = scaleWords(score, threshold, model.get("decision"));
    verdict.textContent = judged ? words.verdict : model.get("empty");
    verdict.dataset.decision = model.get("decision");
    scale.setAttribute("aria-label", judged ? words.scale : "no score");
    fill.style.width = judged ? `${100 * score}%` : "0";
    line.style.left = `${100 * threshold}%`;
    if (slider.getRootNode().activeElement !== slider) slider.value = threshold;
    value.textContent = digits(threshold, 3);
    slider.setAttribute("aria-valuetext", digits(threshold, 3));
    const truth = model.get("truth");
    detail.textContent = judged ? `${truth ? `In truth: ${truth}. ` : ""}Judged in ${(1000 * model.get("seconds")).toFixed(0)} ms.` : "";
    look.disabled = !judged;
  }, signal);
  let pausing = 0;
  watch(model, ["rate", "live", "score"], () => {
    rate.hidden = !model.get("live");
    rate.textContent = rateWords(model.get("rate"));
    // A rate of the last seconds is none when nothing has come in them.
    clearTimeout(pausing);
    pausing = setTimeout(() => { rate.textContent = rateWords(0); }, 6000);
  }, signal);
  signal.addEventListener("abort", () => clearTimeout(pausing));
  watch(model, ["note"], () => { note.textContent = model.get("note"); }, signal);
  watch(model, ["shelf"], () => { bring.hidden = model.get("shelf"); }, signal);
  watch(model, ["model", "facts"], () => {
    facts.firstChild.textContent = `${model.get("model")}: model card`;
    facts.lastChild.replaceChildren(...model.get("facts").flatMap(([what, words]) => [node("dt", {}, what), node("dd", {}, words)]));
  }, signal);
  watch(model, ["looked"], async () => {
    const number = model.get("looked");
    if (!number) { map.replaceChildren(); return; }
    const shown = await drawn("overlay", {}, `What it looked at: ${model.get("words")}`);
    if (shown && number === model.get("looked")) {
      map.replaceChildren(node("figure", { class: "fw-figure" }, shown, node("figcaption", { class: "fw-soft" },
        `Orange spoke for an attack, blue against: ${model.get("words")}. A covered patch is itself something that no camera shows.`)));
    }
  }, signal);
  watch(model, ["channels"], async () => {
    const channels = model.get("channels");
    const shown = await Promise.all(channels.map(({ name, words }) => drawn("channel", { name }, `${name}: ${words}`)));
    if (channels !== model.get("channels")) return;
    extra.replaceChildren(...shown.filter(Boolean).map((canvas, i) => node("figure", { class: "fw-figure" }, canvas,
      node("figcaption", { class: "fw-soft" }, `${channels[i].name}: ${channels[i].words}`))));
  }, signal);

  async function drawn(question, content, words) {
    try {
      const answer = await ask(model, question, { ...content, width: Math.round(240 * (window.devicePixelRatio || 1)) });
      const image = await decoded(answer.buffers[0]);
      const canvas = node("canvas", { class: "fw-shown", role: "img", "aria-label": words });
      canvas.width = image.width;
      canvas.height = image.height;
      canvas.getContext("2d").drawImage(image, 0, 0);
      return canvas;
    } catch (reason) {
      if (!signal.aborted) fail(reason);
      return null;
    }
  }
}

export default { render };
