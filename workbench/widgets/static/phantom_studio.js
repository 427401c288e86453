import { ask, button, calm, decoded, frame, keep, node, touched, watch } from "./bench.js";
import { toField, toLinear } from "./colours.js";

function render({ model, el, signal }) {
  const { root, body, say, fail } = frame(model, el, signal);
  root.classList.add("fw-studio");
  const send = (name, content) => ask(model, name, content).catch(fail);

  const canvas = node("canvas", { class: "fw-phantom", role: "img" });
  watch(model, ["revision"], calm(async () => {
    if (!model.get("revision")) return;
    try {
      const image = await decoded((await ask(model, "view")).buffers[0], "image/png");
      canvas.width = image.width;
      canvas.height = image.height;
      canvas.getContext("2d").drawImage(image, 0, 0);
    } catch (reason) { if (!signal.aborted) fail(reason); }
  }, 0, signal), signal);
  watch(model, ["person", "values", "layer"], () => {
    const changed = Object.keys(model.get("values")).join(", ") || "nothing";
    canvas.setAttribute("aria-label", `Phantom face, person ${model.get("person")}, ${model.get("layer")}; changed: ${changed}`);
  }, signal);

  const code = node("pre", { class: "fw-code", tabindex: 0, "aria-label": "Python code of this picture" });
  keep(code);
  watch(model, ["code"], () => { code.textContent = model.get("code"); }, signal);
  const copy = button("Copy code", async () => {
    try {
      await navigator.clipboard.writeText(model.get("code"));
      say("code copied");
    } catch {
      const range = document.createRange();
      range.selectNodeContents(code);
      window.getSelection().removeAllRanges();
      window.getSelection().addRange(range);
      say("the browser does not let code be copied: it is selected, press Ctrl+C");
    }
  });

  const search = keep(node("input", { type: "search", placeholder: "find a factor", "aria-label": "Find a factor", oninput: filter }));
  const groups = node("div", { class: "fw-groups" });
  const rows = [];
  for (const [group, factors] of Map.groupBy(model.get("controls"), (f) => f.group)) {
    const inner = factors.map((factor) => {
      const made = control(model, factor, send, signal);
      rows.push({ factor, element: made });
      return made;
    });
    groups.append(node("details", { class: "fw-group" }, node("summary", {}, group), ...inner));
  }
  function filter() {
    const wanted = search.value.trim().toLowerCase();
    for (const { factor, element } of rows) {
      element.hidden = !`${factor.name} ${factor.group} ${factor.meaning} ${factor.parts.join(" ")}`.toLowerCase().includes(wanted);
    }
    for (const group of groups.children) {
      const found = [...group.querySelectorAll(".fw-factor")].some((e) => !e.hidden);
      group.hidden = !found;
      group.open = Boolean(wanted) && found;
    }
  }
  watch(model, ["values"], () => {
    for (const group of groups.children) {
      const n = rows.filter((r) => group.contains(r.element) && r.factor.name in model.get("values")).length;
      group.firstChild.textContent = group.querySelector(".fw-factor").dataset.group + (n ? ` · ${n} changed` : "");
    }
  }, signal);

  body.append(
    node("div", { class: "fw-row" },
      node("label", {}, "Person ", seedField(model, "person", (text) => send("choose", { seed: text }), signal)),
      button("Next person", () => send("choose", { seed: String((BigInt(model.get("person")) + 1n) % 2n ** 63n) })),
      button("Surprise me", () => send("surprise", { seed: String(Math.floor(Math.random() * 2 ** 32)) })),
      button("Reset all", () => send("reset", { name: "" })),
      node("label", {}, "Show ", layers(model, signal))),
    node("div", { class: "fw-two" },
      node("div", {}, canvas),
      node("div", { class: "fw-side" }, search, groups)),
    node("div", { class: "fw-row" }, copy), code);
}

function layers(model, signal) {
  const select = node("select", { onchange: () => { model.set("layer", select.value); model.save_changes(); } });
  select.append(...model.get("layers").map((name) => node("option", { value: name }, name)));
  watch(model, ["layer"], () => { select.value = model.get("layer"); }, signal);
  return keep(select);
}

function seedField(model, name, send, signal) {
  const input = node("input", { type: "text", inputmode: "numeric", class: "fw-seed", maxlength: 20, onchange: () => send(input.value.trim()) });
  watch(model, ["person", "values"], () => {
    input.value = name === "person" ? model.get("person") : model.get("values")[name] ?? "";
  }, signal);
  return input;
}

/** The controls of one factor: a slider for each of its values, a colour field, a list of choices or a seed. */
function control(model, factor, send, signal) {
  const label = factor.name.replaceAll("_", " ");
  const now = () => model.get("values")[factor.name] ?? factor.default;
  const change = calm((start, values) => send("change", { name: factor.name, start, values }), 30, signal);
  const parts = factor.kind === "seed"
    ? [node("label", { class: "fw-part" }, label, seedField(model, factor.name, (text) => send("seed", { name: factor.name, seed: text }), signal))]
    : factor.kind === "choice" ? [choice()] : factor.parts.map((part, i) => (factor.kind === "colour" ? colour(part, i) : slider(part, i)));
  const back = button("↺", () => send("reset", { name: factor.name }), { class: "fw-button fw-back", "aria-label": `Reset ${label}` });
  const element = node("div", { class: "fw-factor", title: factor.meaning }, node("div", { class: "fw-parts" }, ...parts), back);
  element.dataset.group = factor.group;
  watch(model, ["values"], () => { back.style.visibility = factor.name in model.get("values") ? "visible" : "hidden"; }, signal);
  return element;

  function named(part, input, ...inner) {
    const name = part ? `${label}, ${part}` : label;
    input.setAttribute("aria-label", name);
    return node("label", { class: "fw-part" }, node("span", { class: "fw-part-name" }, name), input, ...inner);
  }
  function slider(part, i) {
    const step = factor.whole ? 1 : (factor.high - factor.low) / 200;
    const value = node("span", { class: "fw-number" });
    const input = keep(node("input", {
      type: "range", min: factor.low, max: factor.high, step,
      oninput: () => { value.textContent = short(Number(input.value)); change(i, [Number(input.value)]); },
    }));
    const moving = touched(input);
    watch(model, ["values"], () => {
      if (moving()) return;
      input.value = now()[i];
      value.textContent = short(now()[i]);
    }, signal);
    return named(part, input, value);
  }
  function colour(part, i) {
    const input = keep(node("input", { type: "color", oninput: () => change(3 * i, toLinear(input.value)) }));
    watch(model, ["values"], () => { input.value = toField(now().slice(3 * i, 3 * i + 3)); }, signal);
    return named(part, input);
  }
  function choice() {
    const select = keep(node("select", { onchange: () => change(0, [select.selectedIndex]) }));
    select.append(...factor.choices.map((name) => node("option", {}, name)));
    watch(model, ["values"], () => { select.selectedIndex = now()[0]; }, signal);
    return named("", select);
  }
}

function short(value) {
  return Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export default { render };
