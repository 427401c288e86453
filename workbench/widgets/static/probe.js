import { ask, button, frame, keep, node, watch } from "./bench.js";

const WORDS = {
  value: "answered", refusal: "refused", unparsed: "answered, but not understood", "no reply": "no reply",
  "not asked": "not asked", waiting: "waiting…",
};

function render({ model, el, signal }) {
  const { root, body, say, fail } = frame(model, el, signal);
  root.classList.add("fw-probe");
  const set = (name, value) => { model.set(name, value); model.save_changes(); };
  const choice = (name, options, label) => {
    const select = keep(node("select", { "aria-label": label, onchange: () => set(name, select.value) }));
    watch(model, [options], () => select.replaceChildren(...model.get(options).map((o) => node("option", { value: o }, o))), signal);
    watch(model, [name], () => { select.value = model.get(name); }, signal);
    return select;
  };
  const calls = keep(node("input", {
    type: "number", min: 0, max: 100000, step: 1, "aria-label": "Budget of calls",
    onchange: () => set("calls", Number(calls.value)),
  }));
  const spent = node("span", { class: "fw-soft fw-number" });
  const go = button("Ask", () => ask(model, "ask").catch(fail));
  const halt = button("Stop", () => ask(model, "stop").catch(fail));
  const prompt = node("blockquote", { class: "fw-prompt" });
  const warning = node("div", { class: "fw-error" });
  const ends = node("fieldset", { class: "fw-ends" });
  const place = node("div", { class: "fw-scroll" });
  body.append(
    node("div", { class: "fw-row" },
      node("label", {}, "task ", choice("task", "tasks", "Task")),
      node("label", {}, "framing ", choice("framing", "framings", "Framing")),
      node("label", {}, "calls at most ", calls), spent, go, halt),
    prompt, warning, ends, place);

  watch(model, ["prompt"], () => { prompt.textContent = model.get("prompt"); }, signal);
  watch(model, ["warning"], () => { warning.textContent = model.get("warning"); }, signal);
  watch(model, ["said"], () => say(model.get("said")), signal);
  watch(model, ["calls", "spent"], () => {
    if (calls.getRootNode().activeElement !== calls) calls.value = model.get("calls");
    spent.textContent = `${model.get("spent")} made`;
  }, signal);
  watch(model, ["asking"], () => { halt.disabled = !model.get("asking"); }, signal);

  watch(model, ["endpoints", "dataset"], () => {
    ends.replaceChildren(node("legend", {}, "Who is asked"), ...model.get("endpoints").map(end));
    tick();
  }, signal);
  watch(model, ["agreed"], tick, signal);

  function end({ model: name, host, loopback, key, note }) {
    const words = node("div", {}, node("b", {}, name), ` at ${host}`, note ? `: ${note}` : "");
    if (loopback) return node("div", { class: "fw-end" }, words, node("div", { class: "fw-soft" }, "Pictures stay on this machine."));
    const box = node("input", { type: "checkbox", "data-host": host, onchange: () => {
      const others = model.get("agreed").filter((one) => one !== host);
      set("agreed", box.checked ? [...others, host] : others);
    } });
    return node("div", { class: "fw-end" }, words,
      node("label", { class: "fw-consent" }, keep(box),
        ` Send pictures of “${model.get("dataset")}” to ${host}. The terms of the data set and the people shown allow it.`),
      node("div", { class: "fw-soft" }, key ? "A key was found in the environment or a key file." : "No key was found."));
  }

  function tick() {
    for (const box of ends.querySelectorAll("[data-host]")) box.checked = model.get("agreed").includes(box.dataset.host);
  }

  watch(model, ["columns", "table"], () => {
    const open = new Set([...place.querySelectorAll("details[open]")].map((d) => d.dataset.at));
    const rows = model.get("table");
    place.replaceChildren(...(rows.length ? [table(rows, open)] : []));
  }, signal);

  function table(rows, open) {
    const heads = model.get("columns").map(({ name, note }) =>
      node("th", { scope: "col" }, name, node("div", { class: "fw-soft fw-note" }, note)));
    return node("table", {},
      node("caption", { class: "fw-hidden" }, "Answers of each model to each question"),
      node("thead", {}, node("tr", {}, node("td"), ...heads)),
      node("tbody", {}, ...rows.map(({ name, cells }, i) => node("tr", {},
        node("th", { scope: "row" }, name), ...cells.map((cell, k) => answer(cell, `${i}/${k}`, open))))));
  }

  function answer({ outcome, value, text, why, kept, facts }, at, open) {
    const shown = node("td", { class: "fw-answer", "data-outcome": outcome },
      node("div", { class: "fw-outcome" }, WORDS[outcome] ?? outcome, kept ? " · kept" : ""),
      value ? node("div", { class: "fw-value" }, value) : null,
      text && outcome !== "value" ? node("div", { class: "fw-words" }, text) : null,
      why && outcome !== "value" ? node("div", { class: "fw-soft" }, why) : null,
      facts ? node("div", { class: "fw-soft fw-number" }, facts) : null);
    if (text && outcome === "value") {
      shown.append(node("details", { "data-at": at, open: open.has(at) }, node("summary", {}, "in its words"), node("div", { class: "fw-words" }, text)));
    }
    return shown;
  }
}

export default { render };
