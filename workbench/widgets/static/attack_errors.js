import { ask, button, frame, node, watch } from "./bench.js";

function render({ model, el, signal }) {
  const { root, body, fail } = frame(model, el, signal);
  root.classList.add("fw-errors");
  const said = node("div", { role: "status" });
  const source = node("div", { class: "fw-soft" });
  const measure = button("Measure on phantom presentations", () => ask(model, "measure").catch(fail));
  const place = node("div", { class: "fw-scroll" });
  body.append(said, source, measure, place);
  watch(model, ["summary", "source"], () => {
    const summary = model.get("summary");
    said.textContent = summary || "Not measured yet: it takes some minutes, once, and is kept.";
    source.textContent = `${summary ? "Measured" : "To be measured"} ${model.get("source")}.`;
    measure.hidden = Boolean(summary);
  }, signal);
  watch(model, ["table"], () => {
    const rows = model.get("table").map(({ name, rate, share, counts }) => node("tr", {},
      node("th", { scope: "row" }, name),
      node("td", { "aria-hidden": "true" }, node("div", { class: "fw-bar" },
        node("div", { class: "fw-part", style: `width:${100 * (share ?? 0)}%` }))),
      node("td", { class: "fw-number" }, rate), node("td", { class: "fw-number fw-soft" }, counts)));
    place.replaceChildren(...(rows.length ? [node("table", {},
      node("caption", { class: "fw-hidden" }, "Errors of each species, the worst first"),
      node("thead", {}, node("tr", {}, node("th", { scope: "col" }, "error"), node("td"),
        node("th", { scope: "col" }, "rate, 95 % interval"), node("th", { scope: "col" }, "errors"))),
      node("tbody", {}, ...rows))] : []));
  }, signal);
}

export default { render };
