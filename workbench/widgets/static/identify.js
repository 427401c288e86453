import { ask, button, calm, decoded, digits, frame, keep, node, watch } from "./bench.js";

// Larger files are refused before they are sent; Python refuses them, too.
const MOST_BYTES = 32 * 2 ** 20;

function render({ model, el, signal }) {
  const { root, body, say, fail } = frame(model, el, signal);
  root.classList.add("fw-identify");
  const verdict = node("div", { class: "fw-decision" });
  const table = candidates(model, fail, signal);
  body.append(verdict, table.element, threshold(model, signal), gallery(model, fail, signal));
  watch(model, ["shown", "decision", "said"], () => {
    const decision = model.get("decision");
    const sign = { identified: "✓", "not identified": "✗", "failure to acquire": "∅" }[decision] ?? "–";
    verdict.textContent = `${sign} ${decision || "no decision"}`;
    verdict.dataset.decision = decision;
    say(model.get("said") || (model.get("size") ? "Give a probe." : "Nobody is enrolled. Give a probe and enrol it, or import a gallery."));
  }, signal);
}

/** The pictures of references, each in the canvas that waits for it. */
async function fill(model, names, canvases, fail) {
  if (!names.length) return;
  try {
    const { has, buffers } = await ask(model, "thumbnails", { names });
    let next = 0;
    for (const [i, there] of has.entries()) {
      if (!there) continue;
      const image = await decoded(buffers[next]);
      next += 1;
      canvases[i].hidden = false;
      canvases[i].width = image.width;
      canvases[i].height = image.height;
      canvases[i].getContext("2d").drawImage(image, 0, 0);
    }
  } catch (reason) { fail(reason); }
}

const thumbnail = () => node("canvas", { class: "fw-thumb", "aria-hidden": "true", hidden: true });

function candidates(model, fail, signal) {
  const rows = node("tbody");
  const head = ["rank", "", "reference", "score", "threshold"].map((text) => node("th", { scope: "col" }, text));
  const element = node("table", { class: "fw-candidates" },
    node("caption", { class: "fw-soft" }, "Candidates, best first. Rank: 1 and all references of other people that score as high or higher."), node("thead", {}, node("tr", {}, ...head)), rows);
  let drawn = "";
  watch(model, ["shown"], () => {
    const found = model.get("rows");
    element.hidden = !found.length;
    const names = found.map((row) => row.name);
    const same = drawn === JSON.stringify(names);
    const pictures = same ? [...rows.querySelectorAll("canvas")] : names.map(thumbnail);
    rows.replaceChildren(...found.map((row, i) => node("tr", { class: row.above ? "fw-above" : "" },
      node("td", { class: "fw-number" }, String(row.rank)), node("td", {}, pictures[i]),
      node("th", { scope: "row" }, row.name, row.subject === row.name ? null : node("div", { class: "fw-soft" }, row.subject)),
      node("td", { class: "fw-number" }, digits(row.score, 4)),
      node("td", {}, row.above === null ? "–" : row.above ? "✓ at or above" : "below"))));
    drawn = JSON.stringify(names);
    if (!same) fill(model, names, pictures, (reason) => { if (!signal.aborted) fail(reason); });
  }, signal);
  return { element };
}

function threshold(model, signal) {
  const send = calm((value) => { model.set("threshold", value); model.save_changes(); }, 60, signal);
  const slider = keep(node("input", {
    type: "range", step: 0.001, "aria-label": "Threshold", class: "fw-slider",
    oninput: () => { number.textContent = digits(Number(slider.value), 3); send(Number(slider.value)); },
  }));
  const number = node("span", { class: "fw-number" });
  const target = keep(node("select", {
    "aria-label": "Set the threshold for FPIR",
    onchange: () => { model.set("target", Number(target.value)); model.save_changes(); },
  }));
  const list = node("dl", { class: "fw-numbers", role: "status" });
  const origin = node("div", { class: "fw-soft" });
  watch(model, ["targets", "target"], () => {
    target.replaceChildren(
      ...model.get("targets").map((value) => node("option", { value }, `for FPIR ${value}`)),
      node("option", { value: 0, disabled: true }, "set by hand"));
    target.value = String(model.get("target"));
  }, signal);
  watch(model, ["span", "threshold"], () => {
    const value = model.get("threshold");
    [slider.min, slider.max] = model.get("span").map(String);
    if (value !== null && slider.getRootNode().activeElement !== slider) slider.value = String(value);
    number.textContent = digits(value, 4, "undefined");
  }, signal);
  watch(model, ["rates", "origin"], () => {
    list.replaceChildren(...model.get("rates").flatMap(({ name, words }) => [node("dt", {}, name), node("dd", {}, words)]));
    origin.textContent = model.get("rates").length ? `Estimated on ${model.get("origin")}.` : "FPIR and FNIR are not estimated yet.";
  }, signal);
  return node("div", { class: "fw-threshold-row" },
    node("div", { class: "fw-row" }, node("label", {}, "Threshold ", slider), number, target), list, origin);
}

/** Who is enrolled: search, remove, enrol, export, import. */
function gallery(model, fail, signal) {
  const count = node("span", { role: "status" });
  const list = node("ul", { class: "fw-references", "aria-label": "References" });
  const where = node("span", { class: "fw-soft" });
  let page = 0;
  let asked = 0;
  async function show(to) {
    const number = ++asked;
    try {
      const answer = await ask(model, "listing", { query: search.value, page: to });
      if (number !== asked || signal.aborted) return;
      page = answer.page;
      back.disabled = page === 0;
      on.disabled = page + 1 >= answer.pages;
      where.textContent = answer.total ? `page ${page + 1} of ${answer.pages}` : "no such reference";
      const pictures = answer.items.map(thumbnail);
      list.replaceChildren(...answer.items.map((item, i) => reference(item, pictures[i])));
      fill(model, answer.items.map(({ name }) => name), pictures, fail);
    } catch (reason) { if (!signal.aborted) fail(reason); }
  }
  function reference({ name, subject, enrolled }, picture) {
    const remove = button("Remove", async () => {
      try {
        await ask(model, "remove", { name });
        search.focus();
      } catch (reason) { fail(reason); }
    }, { "aria-label": `Remove ${name}` });
    const words = [subject === name ? "" : subject, enrolled ? "" : "failed to enrol"].filter(Boolean).join(", ");
    return node("li", {}, picture, node("span", {}, name, node("div", { class: "fw-soft" }, words)), remove);
  }
  const search = keep(node("input", { type: "search", placeholder: "name or person", "aria-label": "Search references", maxlength: 200, oninput: () => show(0) }));
  const back = button("‹", () => show(page - 1), { "aria-label": "Previous references" });
  const on = button("›", () => show(page + 1), { "aria-label": "Next references" });

  const name = keep(node("input", { type: "text", maxlength: 200, placeholder: "name", "aria-label": "Name of the probe" }));
  const enrol = button("Enrol probe", async () => {
    try {
      await ask(model, "enrol", { name: name.value });
      name.value = "";
    } catch (reason) { fail(reason); }
  });
  name.addEventListener("keydown", (event) => { if (event.key === "Enter") enrol.click(); });

  const save = button("Export…", async () => {
    try {
      const answer = await ask(model, "packed");
      const address = URL.createObjectURL(new Blob([answer.buffers[0]], { type: "application/octet-stream" }));
      node("a", { href: address, download: answer.name }).click();
      setTimeout(() => URL.revokeObjectURL(address), 1000);
    } catch (reason) { fail(reason); }
  });
  const file = node("input", {
    type: "file", accept: ".npz", hidden: true,
    onchange: async () => {
      const [chosen] = file.files;
      file.value = "";
      if (!chosen) return;
      try {
        if (chosen.size > MOST_BYTES) throw new Error(`${chosen.name} is larger than ${MOST_BYTES >> 20} MB: import it in Python with load(...)`);
        await ask(model, "unpacked", {}, { buffers: [await chosen.arrayBuffer()] });
      } catch (reason) { fail(reason); }
    },
  });
  watch(model, ["ready"], () => { enrol.disabled = !model.get("ready"); }, signal);
  watch(model, ["size", "failures"], () => {
    const [n, failed] = [model.get("size"), model.get("failures")];
    count.textContent = `${n} reference${n === 1 ? "" : "s"}${failed ? `, ${failed} failed to enrol` : ""}`;
    save.disabled = n === 0;
    show(page);
  }, signal);
  const details = node("details", { class: "fw-gallery" },
    node("summary", {}, "Gallery: ", count),
    node("div", { class: "fw-row" }, search, back, on, where), list);
  return node("div", {},
    node("div", { class: "fw-row" }, name, enrol, save, button("Import…", () => file.click()), file), details);
}

export default { render };
