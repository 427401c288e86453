// What all widgets share: elements without markup, a frame with its error and progress lines, questions to Python.

/** An element; children are elements or texts, never markup. `on…` properties are listeners, others attributes. */
export function node(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** A shape of an SVG picture. */
export function shape(tag, properties = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(properties)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** A control that keeps its keys: JupyterLab would take arrows for itself, and `x` to cut the cell. */
export function keep(element) {
  element.setAttribute("data-lm-suppress-shortcuts", "true");
  return element;
}

/** A button with a visible text, or with a symbol and a spoken name. */
export function button(text, press, properties = {}) {
  return node("button", { type: "button", class: "fw-button", onclick: press, ...properties }, text);
}

// Two browsers may show one widget, and both hear every answer: their numbers must not meet.
let lastNumber = Math.floor(Math.random() * 2 ** 50);

// After so many ms a person is told that an answer is late.
const PATIENCE = 60000;
const late = new WeakMap();

/**
 * Ask Python; resolves to {…answer, buffers}, rejects with its words. A question has no end of its own: while a cell
 * runs nothing is answered, and all is answered afterwards.
 */
export function ask(model, name, content = {}, { buffers = [], patience = PATIENCE } = {}) {
  const number = ++lastNumber;
  return new Promise((resolve, reject) => {
    let overdue = false;
    const timer = setTimeout(() => { overdue = true; delayed(model, 1); }, patience);
    function finish(how, value) {
      clearTimeout(timer);
      if (overdue) delayed(model, -1);
      model.off("msg:custom", heard);
      how(value);
    }
    function heard(message, parts) {
      if (message?.answer !== number) return;
      if (message.error) finish(reject, new Error(message.error));
      else finish(resolve, { ...message, buffers: parts ?? [] });
    }
    model.on("msg:custom", heard);
    try {
      model.send({ ask: name, id: number, with: content }, undefined, buffers);
    } catch (reason) {
      finish(reject, new Error(`Python cannot be asked (${reason.message}): run the cell of this widget again`));
    }
  });
}

/** How many answers are late, and who wants to know. */
function lateness(model) {
  if (!late.has(model)) late.set(model, { count: 0, told: new Set() });
  return late.get(model);
}

function delayed(model, more) {
  const known = lateness(model);
  known.count += more;
  for (const tell of known.told) tell(known.count);
}

/** Call `handler` now and whenever one of the traits changes, until the view goes. */
export function watch(model, names, handler, signal) {
  for (const name of names) model.on(`change:${name}`, handler);
  signal.addEventListener("abort", () => {
    for (const name of names) model.off(`change:${name}`, handler);
  });
  handler();
}

/** At most one call in `pause` ms, the last one always; for sliders whose every step is a message. */
export function calm(handler, pause, signal) {
  let timer = 0;
  let waiting = null;
  const run = () => {
    timer = 0;
    if (waiting) {
      const values = waiting;
      waiting = null;
      timer = setTimeout(run, pause);
      handler(...values);
    }
  };
  signal.addEventListener("abort", () => clearTimeout(timer));
  return (...values) => {
    waiting = values;
    if (!timer) run();
  };
}

/** Tells whether a person moved a control just now: what Python still says of an earlier step must not pull it back. */
export function touched(input) {
  let last = -Infinity;
  input.addEventListener("input", () => { last = performance.now(); });
  return () => performance.now() - last < 500;
}

/**
 * The frame of a widget: a named region with its heading, a place for content, the line of errors and that of progress.
 * Controls inside are disabled until Python has answered once.
 */
export function frame(model, el, signal, { heading = true } = {}) {
  const body = node("div", { class: "fw-body" });
  const error = node("div", { class: "fw-error", role: "alert" });
  const status = node("div", { class: "fw-status", role: "status" });
  const bar = node("progress", { class: "fw-progress", max: 1, hidden: true });
  const title = node("div", { class: "fw-title" });
  const lock = node("fieldset", { class: "fw-lock", disabled: true }, body);
  const root = node("div", { class: "fw", role: "region" }, heading ? title : null, lock, bar, status, error);
  el.classList.add(model.get("scope"));
  el.append(root);
  watch(model, ["label"], () => {
    title.textContent = model.get("label");
    root.setAttribute("aria-label", model.get("label"));
  }, signal);
  // What failed in the browser alone, which Python never hears of. The next thing that a person does leaves it behind.
  let own = "";
  const showError = () => { error.textContent = model.get("error") || own; };
  for (const act of ["click", "input", "change", "drop", "paste"]) root.addEventListener(act, () => { own = ""; showError(); }, { capture: true });
  watch(model, ["error"], showError, signal);
  let said = "";
  let waiting = "waiting for Python…";
  const showStatus = () => { status.textContent = [waiting, model.get("working") || said].filter(Boolean).join("\n"); };
  watch(model, ["working", "progress"], () => {
    bar.hidden = !model.get("working");
    if (model.get("progress") > 0) bar.value = model.get("progress");
    else bar.removeAttribute("value");
    root.setAttribute("aria-busy", String(Boolean(model.get("working"))));
    showStatus();
  }, signal);
  const say = (words) => { said = words; showStatus(); };
  const fail = (reason) => { own = reason?.message ?? String(reason); showError(); };
  const tell = (count) => {
    waiting = count ? "No answer from Python yet: a cell is still running, or there is no kernel. Then run the cell of this widget." : "";
    showStatus();
  };
  lateness(model).told.add(tell);
  ask(model, "hello").then(() => { lock.disabled = false; tell(lateness(model).count); }, fail);
  signal.addEventListener("abort", () => { lateness(model).told.delete(tell); root.remove(); });
  return { root, body, say, fail };
}

/** A number with so many digits after the point, or the word for what is undefined. */
export function digits(value, places = 3, none = "undefined") {
  return value === null || value === undefined || Number.isNaN(value) ? none : value.toFixed(places);
}

/** A picture out of encoded bytes. */
export async function decoded(bytes, type = "image/jpeg") {
  return createImageBitmap(new Blob([bytes], { type }));
}
