import { decoded, node } from "./bench.js";

/** A picture with a caption and a spoken description; `draw(bytes)` shows encoded bytes. */
export function plate(caption) {
  const canvas = node("canvas", { class: "fw-plate-picture", role: "img", "aria-label": caption });
  const words = node("figcaption", { class: "fw-soft" }, caption);
  const element = node("figure", { class: "fw-plate" }, canvas, words);
  return {
    element,
    async draw(bytes, type = "image/png") {
      const image = await decoded(bytes, type);
      canvas.width = image.width;
      canvas.height = image.height;
      canvas.getContext("2d").drawImage(image, 0, 0);
    },
    say(text) {
      words.textContent = text;
      canvas.setAttribute("aria-label", text);
    },
  };
}
