// Places on an axis.

/** Where a value of `[low, high]` lies between two places. */
export function place(value, [low, high], [from, to]) {
  return from + ((value - low) / (high - low || 1)) * (to - from);
}

/** Round numbers within `[low, high]`, three to seven of them. */
export function ticks(low, high) {
  const span = high - low;
  if (!(span > 0)) return [low];
  const rough = 10 ** Math.floor(Math.log10(span));
  const step = [0.1, 0.2, 0.5, 1, 2].map((s) => s * rough).find((s) => span / s <= 7);
  const first = Math.ceil(low / step - 1e-9);
  const found = [];
  for (let k = first; k * step <= high + step * 1e-9; k++) found.push(Number((k * step).toPrecision(10)));
  return found;
}
