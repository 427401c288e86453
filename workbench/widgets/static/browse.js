import { ask, button, decoded, keep, node } from "./bench.js";

/** Pictures of a data set: search by name or person, in pages. */
export function browser(model, fail) {
  const list = node("div", { class: "fw-shelf", role: "list", "aria-label": "Pictures" });
  const where = node("span", { class: "fw-soft", role: "status" });
  let page = 0;
  let asked = 0;
  async function show(to) {
    const number = ++asked;
    try {
      const answer = await ask(model, "browse", { query: search.value, page: to });
      if (number !== asked) return;
      page = answer.page;
      back.disabled = page === 0;
      on.disabled = page + 1 >= answer.pages;
      where.textContent = answer.total ? `page ${page + 1} of ${answer.pages}, ${answer.total} pictures` : "no such picture";
      list.replaceChildren(...answer.items.map(({ id, subject }, i) => thumbnail(id, subject, answer.buffers[i])));
    } catch (reason) { fail(reason); }
  }
  function thumbnail(id, subject, bytes) {
    const canvas = node("canvas", { class: "fw-thumb", "aria-hidden": "true" });
    decoded(bytes).then((image) => {
      canvas.width = image.width;
      canvas.height = image.height;
      canvas.getContext("2d").drawImage(image, 0, 0);
    }, fail);
    const pick = button("", () => ask(model, "pick", { id }).catch(fail), { title: id, "aria-label": `${subject}, ${id}` });
    pick.append(canvas, node("span", { class: "fw-thumb-name" }, subject));
    return node("div", { role: "listitem" }, pick);
  }
  const search = node("input", { type: "search", placeholder: "name or person", "aria-label": "Search pictures", maxlength: 200, oninput: () => show(0) });
  const back = button("‹", () => show(page - 1), { "aria-label": "Previous page" });
  const on = button("›", () => show(page + 1), { "aria-label": "Next page" });
  const element = node("div", { class: "fw-browse" }, node("div", { class: "fw-row" }, keep(search), back, on, where), list);
  element.dataset.kind = "browse";
  show(0);
  return element;
}
