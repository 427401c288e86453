// Scales of charts: from a value to its place between 0 and 1 and back, with ticks that can be read.

const NUMERATOR = [[-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239],
  [-0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783]];
const DENOMINATOR = [[-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1],
  [0, 0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1]];
const horner = (coefficients, x) => coefficients.reduce((sum, c) => sum * x + c, 0);

/** Normal deviate of a share in (0, 1), by Acklam's rational approximation: relative error below 1.2e-9. */
export function deviate(share) {
  if (!(share > 0 && share < 1)) return share === 0 ? -Infinity : share === 1 ? Infinity : NaN;
  if (share > 0.5) return -deviate(1 - share);
  if (share < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(share));
    return horner(NUMERATOR[1], q) / horner(DENOMINATOR[1], q);
  }
  const q = share - 0.5;
  return q * horner(NUMERATOR[0], q * q) / horner(DENOMINATOR[0], q * q);
}

/** The share whose normal deviate this is, by halving. */
export function shareOf(value) {
  let [low, high] = [-40, 0];
  // Below one half only: shares near 1 have no digits left.
  if (value > 0) return 1 - shareOf(-value);
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    // Halving exponents finds small shares as well as large ones.
    if (deviate(2 ** middle) < value) low = middle;
    else high = middle;
  }
  return 2 ** high;
}

const between = (from, to) => ({
  place: (v) => (v - from) / (to - from),
  back: (u) => from + Math.min(1, Math.max(0, u)) * (to - from),
});

/** Even steps of 1, 2 or 5 between two ends, at most `most` of them. */
export function steps(low, high, most = 6) {
  if (!(high > low)) return [low];
  const raw = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw * (1 - 1e-9));
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toFixed(Math.min(places, 20))));
}

/** A plain axis. */
export function linear(low, high, { text = (v) => String(v) } = {}) {
  const [from, to] = high > low ? [low, high] : [low - 0.5, low + 0.5];
  return { ...between(from, to), ticks: (most) => steps(from, to, most).map((value) => ({ value, text: text(value) })) };
}

/** A share as a person reads it: in per cent, or as a power of ten where that would have too many zeros. */
export function percent(share) {
  if (share === 0) return "0 %";
  if (share < 9.5e-5) {
    const [digits, power] = share.toExponential(1).split("e");
    return `${digits.replace(/\.0$/, "")}e${Number(power)}`;
  }
  return `${Number((100 * share).toPrecision(3))} %`;
}

/** An axis of shares on a logarithmic scale; 0 lies at its lower end. */
export function logarithmic(low, high) {
  const inner = between(Math.log10(low), Math.log10(high));
  const all = [];
  for (let power = Math.ceil(Math.log10(low) - 1e-9); power <= Math.log10(high) + 1e-9; power++) all.push(10 ** power);
  return {
    place: (v) => inner.place(Math.log10(Math.max(v, low))),
    back: (u) => 10 ** inner.back(u),
    ticks: () => all.map((value) => ({ value, text: percent(Number(value.toPrecision(3))) })),
  };
}

const SHARES = [1e-7, 1e-6, 1e-5, 1e-4, 0.001, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9];

/** An axis of shares in normal deviates; 0 lies at its lower end. */
export function probit(low, high) {
  const inner = between(deviate(low), deviate(high));
  return {
    place: (v) => inner.place(deviate(Math.min(Math.max(v, low), 1 - 1e-7))),
    back: (u) => shareOf(inner.back(u)),
    ticks: () => SHARES.filter((s) => s >= low * (1 - 1e-9) && s <= high * (1 + 1e-9)).map((value) => ({ value, text: percent(value) })),
  };
}

/** A path that stays at a height until the next point: what a share does between two scores. */
export function stairs(xs, ys) {
  let path = "";
  for (let i = 0; i < xs.length; i++) {
    path += i ? `H${round(xs[i])}V${round(ys[i])}` : `M${round(xs[0])} ${round(ys[0])}`;
  }
  return path;
}

/** The outline of bars of one width from `left` to `right` above `ground`. */
export function bars(heights, left, right, ground) {
  const width = (right - left) / heights.length;
  let path = `M${round(left)} ${round(ground)}`;
  heights.forEach((height, i) => { path += `V${round(height)}H${round(left + (i + 1) * width)}`; });
  return `${path}V${round(ground)}Z`;
}

const round = (v) => Math.round(v * 100) / 100;

/** Places of labels so that none lies on another: as near as may be, in order, `gap` apart, within two ends. */
export function apart(places, gap, low, high) {
  const order = places.map((_, i) => i).sort((a, b) => places[a] - places[b]);
  const found = [...places];
  order.forEach((at, n) => {
    found[at] = Math.max(found[at], n ? found[order[n - 1]] + gap : low);
  });
  for (let n = order.length - 1; n >= 0; n--) {
    found[order[n]] = Math.min(found[order[n]], n + 1 < order.length ? found[order[n + 1]] - gap : high);
  }
  return found;
}
