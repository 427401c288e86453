// Boxes `x1 y1 x2 y2` in pixels of a picture of a size `[width, height]`.

const LEAST = 8;

/** Left, top, width and height in per cent of the picture. */
export function fitted([x1, y1, x2, y2], [width, height]) {
  const share = (value, whole) => (100 * value) / whole;
  const [left, top] = [Math.max(0, x1), Math.max(0, y1)];
  const [right, bottom] = [Math.min(width, x2), Math.min(height, y2)];
  return [share(left, width), share(top, height), share(right - left, width), share(bottom - top, height)];
}

/** The box between two corners, inside the picture and not too small to hold a face. */
export function spanned([ax, ay], [bx, by], [width, height]) {
  const clamp = (value, most) => Math.min(most, Math.max(0, value));
  const [x1, x2] = [clamp(Math.min(ax, bx), width - LEAST), clamp(Math.max(ax, bx), width)];
  const [y1, y2] = [clamp(Math.min(ay, by), height - LEAST), clamp(Math.max(ay, by), height)];
  return [x1, y1, Math.max(x2, x1 + LEAST), Math.max(y2, y1 + LEAST)];
}

/** The box one step further; with `grow` its lower right corner alone moves. */
export function moved([x1, y1, x2, y2], key, grow, [width, height]) {
  const step = Math.max(1, Math.round(Math.max(width, height) / 100));
  const dx = { ArrowLeft: -step, ArrowRight: step }[key] ?? 0;
  const dy = { ArrowUp: -step, ArrowDown: step }[key] ?? 0;
  if (grow) return spanned([x1, y1], [Math.max(x1 + LEAST, x2 + dx), Math.max(y1 + LEAST, y2 + dy)], [width, height]);
  const by = [Math.min(Math.max(dx, -x1), width - x2), Math.min(Math.max(dy, -y1), height - y2)];
  return [x1 + by[0], y1 + by[1], x2 + by[0], y2 + by[1]];
}
