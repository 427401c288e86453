// Linear RGB in [0, 1], as factors have it, and the sRGB text of a colour field.

/** `[r, g, b]` linear to `#rrggbb`. */
export function toField(linear) {
  const encode = (v) => {
    const clipped = Math.min(1, Math.max(0, v));
    const shown = clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055;
    return Math.round(shown * 255).toString(16).padStart(2, "0");
  };
  return `#${linear.map(encode).join("")}`;
}

/** `#rrggbb` to `[r, g, b]` linear. */
export function toLinear(field) {
  return [1, 3, 5].map((at) => {
    const shown = parseInt(field.slice(at, at + 2), 16) / 255;
    return shown <= 0.04045 ? shown / 12.92 : ((shown + 0.055) / 1.055) ** 2.4;
  });
}
