import { ask, button, decoded, frame, keep, node, shape, watch } from "./bench.js";
import { browser } from "./browse.js";
import { camera } from "./camera.js";
import { fitted, moved, spanned } from "./boxes.js";

// Larger files are refused before they are sent; Python refuses them, too.
const MOST_BYTES = 32 * 2 ** 20;

function render({ model, el, signal }) {
  const { root, body, say, fail } = frame(model, el, signal);
  root.classList.add("fw-input");
  const take = async (blob, name) => {
    if (blob.size > MOST_BYTES) throw new Error(`${name} is larger than ${MOST_BYTES >> 20} MB: make it smaller first`);
    await ask(model, "take", { name: name.slice(0, 200) }, { buffers: [await blob.arrayBuffer()] });
  };
  const takeSaying = (blob, name) => take(blob, name).catch(fail);

  const file = node("input", {
    type: "file", accept: "image/*", hidden: true,
    onchange: () => { if (file.files[0]) takeSaying(file.files[0], file.files[0].name); file.value = ""; },
  });
  const stage = picture(model, signal, fail);
  const place = keep(node("div", {
    class: "fw-drop", tabindex: 0, role: "group",
    "aria-label": "Picture. Drop or paste one here, or press Enter to choose a file.",
    onkeydown: (event) => {
      if (event.target === place && (event.key === "Enter" || event.key === " ")) {
        event.preventDefault();
        file.click();
      }
    },
    ondragover: (event) => { event.preventDefault(); place.classList.add("fw-over"); },
    ondragleave: () => place.classList.remove("fw-over"),
    ondrop: (event) => {
      event.preventDefault();
      place.classList.remove("fw-over");
      const dropped = event.dataTransfer.files[0];
      if (dropped) takeSaying(dropped, dropped.name);
      else fail("nothing was dropped that is a file: save the picture first, then drop it");
    },
    onpaste: (event) => {
      event.preventDefault();
      const pasted = [...event.clipboardData.items].find((item) => item.type.startsWith("image/"))?.getAsFile();
      if (pasted) takeSaying(pasted, "pasted");
      else fail("the clipboard holds no picture");
    },
  }, stage.element));

  const extra = node("div");
  const only = (make) => {
    const open = extra.firstChild;
    extra.replaceChildren();
    open?.dispatchEvent(new Event("leave"));
    if (make && open?.dataset.kind !== make.kind) extra.append(make.build());
  };
  const film = { kind: "camera", build: () => camera(takeSaying, say, fail, signal, {
    live: () => model.get("live"), take, landed: () => landing(model, signal),
  }) };
  const shelf = { kind: "browse", build: () => browser(model, fail) };
  const correct = button("Correct face", () => stage.correct(correct), { "aria-pressed": "false" });
  const browse = button("Browse data", () => only(shelf));
  body.append(
    node("div", { class: "fw-row" },
      button("Choose file…", () => file.click()), file,
      button("Webcam", () => only(film)), browse, correct,
      button("Clear", () => { only(null); ask(model, "clear").catch(fail); })),
    extra, place, stage.caption);
  watch(model, ["shelf"], () => { browse.hidden = !model.get("shelf"); }, signal);
  watch(model, ["size"], () => { correct.disabled = !model.get("size").length; }, signal);
  signal.addEventListener("abort", () => only(null));
}

/** Resolves when Python has dealt with the picture that was sent last. */
function landing(model, signal) {
  return new Promise((resolve) => {
    const done = () => { if (!model.get("working")) { model.off("change:working", done); resolve(); } };
    model.on("change:working", done);
    signal.addEventListener("abort", resolve);
  });
}

/** The picture with its faces: each a radio button in the place of its box. */
function picture(model, signal, fail) {
  const canvas = node("canvas", { class: "fw-canvas", "aria-hidden": "true" });
  const marks = shape("svg", { class: "fw-marks", "aria-hidden": "true", preserveAspectRatio: "none" });
  const faces = node("div", { class: "fw-faces", role: "radiogroup", "aria-label": "Faces" });
  const empty = node("div", { class: "fw-empty" }, "Drop, paste or choose a picture");
  const element = node("div", { class: "fw-stage" }, canvas, marks, faces, empty);
  const caption = node("div", { class: "fw-soft" });

  watch(model, ["revision"], async () => {
    const [width] = model.get("size");
    empty.hidden = Boolean(width);
    canvas.hidden = !width;
    if (!width) return;
    try {
      const answer = await ask(model, "view", { width: Math.min(2048, Math.round(480 * (window.devicePixelRatio || 1))) });
      const image = await decoded(answer.buffers[0]);
      canvas.width = image.width;
      canvas.height = image.height;
      canvas.getContext("2d").drawImage(image, 0, 0);
    } catch (reason) { if (!signal.aborted) fail(reason); }
  }, signal);

  watch(model, ["boxes", "points", "chosen", "size", "name"], () => {
    const [width, height] = model.get("size");
    const chosen = model.get("chosen");
    const boxes = width ? model.get("boxes") : [];
    const focused = faces.contains(faces.getRootNode().activeElement);
    faces.replaceChildren(...boxes.map((box, i) => face(box, i, chosen, [width, height])));
    if (focused) faces.children[chosen]?.focus();
    marks.setAttribute("viewBox", `0 0 ${width || 1} ${height || 1}`);
    marks.replaceChildren(...(width ? model.get("points").flat() : []).map(([x, y]) =>
      shape("circle", { cx: x, cy: y, r: Math.max(width, height) / 160, class: "fw-mark" })));
    const found = boxes.length === 1 ? "1 face" : `${boxes.length} faces`;
    caption.textContent = width ? `${model.get("name")} · ${width} × ${height} · ${found}` : "";
  }, signal);

  function face(box, index, chosen, size) {
    const choose = (to) => { model.set("chosen", to); model.save_changes(); };
    const [left, top, wide, high] = fitted(box, size);
    return keep(node("button", {
      type: "button", class: "fw-face", role: "radio", "aria-checked": String(index === chosen),
      "aria-label": `Face ${index + 1} of ${model.get("boxes").length}`, tabindex: index === Math.max(chosen, 0) ? 0 : -1,
      style: `left:${left}%;top:${top}%;width:${wide}%;height:${high}%`,
      onclick: () => choose(index),
      onkeydown: (event) => {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        const n = model.get("boxes").length;
        choose((index + step + n) % n);
      },
    }));
  }

  /** Let a person draw the box: with a pointer, or with arrows (with Shift: the size) and Enter. */
  function correct(toggle) {
    const size = model.get("size");
    if (toggle.getAttribute("aria-pressed") === "true") { element.querySelector(".fw-draw")?.remove(); return press(false); }
    press(true);
    let box = model.get("boxes")[model.get("chosen")] ?? [size[0] / 4, size[1] / 4, size[0] * 0.75, size[1] * 0.75];
    const line = node("div", { class: "fw-line" });
    const help = "Draw the face's box, or move it with arrows (with Shift: its size). Enter takes it, Escape leaves.";
    const sheet = keep(node("div", { class: "fw-draw", tabindex: 0, role: "application", "aria-label": help, title: help }, line));
    const show = () => {
      const [left, top, wide, high] = fitted(box, size);
      line.style.cssText = `left:${left}%;top:${top}%;width:${wide}%;height:${high}%`;
    };
    const leave = () => { sheet.remove(); press(false); toggle.focus(); };
    const finish = () => { leave(); ask(model, "correct", { box }).catch(fail); };
    let start = null;
    const at = (event) => {
      const area = sheet.getBoundingClientRect();
      return [(event.clientX - area.left) / area.width * size[0], (event.clientY - area.top) / area.height * size[1]];
    };
    sheet.addEventListener("pointerdown", (event) => { start = at(event); sheet.setPointerCapture(event.pointerId); });
    sheet.addEventListener("pointermove", (event) => { if (start) { box = spanned(start, at(event), size); show(); } });
    sheet.addEventListener("pointerup", () => { if (start) finish(); });
    sheet.addEventListener("keydown", (event) => {
      if (event.key === "Enter") { event.preventDefault(); finish(); }
      else if (event.key === "Escape") leave();
      else if (event.key.startsWith("Arrow")) { event.preventDefault(); box = moved(box, event.key, event.shiftKey, size); show(); }
    });
    function press(on) { toggle.setAttribute("aria-pressed", String(on)); }
    show();
    element.append(sheet);
    sheet.focus();
  }

  return { element, caption, correct };
}

export default { render };
