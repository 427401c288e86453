import { ask, button, frame, node, watch } from "./bench.js";

function render({ model, el, signal }) {
  const { root, body, fail } = frame(model, el, signal);
  root.classList.add("fw-attributes");
  const lead = node("div", { class: "fw-soft", role: "status" });
  const place = node("div", { class: "fw-scroll" });
  const cards = node("div");
  body.append(lead, place, cards);

  watch(model, ["table", "faces", "empty", "seconds"], () => {
    const faces = model.get("faces");
    lead.textContent = faces
      ? `${faces === 1 ? "1 face" : `${faces} faces`}, read in ${model.get("seconds").toFixed(2)} s. As the models see them.`
      : model.get("empty");
    place.replaceChildren(...(faces ? [table()] : []));
    mark();
  }, signal);
  watch(model, ["chosen"], mark, signal);
  watch(model, ["cards"], () => cards.replaceChildren(...model.get("cards").map(card)), signal);

  function table() {
    const heads = Array.from({ length: model.get("faces") }, (_, i) => node("th", { scope: "col" },
      button(`Face ${i + 1}`, () => ask(model, "choose", { face: i }).catch(fail), { "data-face": i })));
    const rows = model.get("table").map(({ what, values, error }) => node("tr", {},
      node("th", { scope: "row" }, what),
      ...values.map((value) => node("td", { class: "fw-number" }, value)),
      node("td", { class: "fw-soft fw-stated" }, error)));
    return node("table", {},
      node("caption", { class: "fw-hidden" }, "Readings of each face, and the error of each reading"),
      node("thead", {}, node("tr", {}, node("td"), ...heads, node("th", { scope: "col" }, "stated error"))),
      node("tbody", {}, ...rows));
  }

  function mark() {
    for (const head of place.querySelectorAll("[data-face]")) {
      head.setAttribute("aria-pressed", String(Number(head.dataset.face) === model.get("chosen")));
    }
  }

  function card({ name, of, facts }) {
    const told = facts.flatMap(([what, words]) => [node("dt", {}, what), node("dd", {}, words)]);
    return node("details", {}, node("summary", {}, `${name}: ${of}`), node("dl", { class: "fw-facts" }, ...told));
  }
}

export default { render };
