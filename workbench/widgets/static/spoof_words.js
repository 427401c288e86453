import { digits } from "./bench.js";

/** A score and its threshold in words: the decision, and the scale for those who do not see it. */
export function scaleWords(score, threshold, decision) {
  if (score === null) return { verdict: "", scale: "no score" };
  const where = score > threshold ? "above" : "not above";
  const said = `attack score ${digits(score, 3)}, ${where} the threshold ${digits(threshold, 3)}`;
  return { verdict: `${decision.charAt(0).toUpperCase()}${decision.slice(1)}: ${said}`, scale: said };
}

/** The rate of the live mode. */
export function rateWords(rate) {
  return rate > 0 ? `${rate.toFixed(1)} pictures a second over the last 5 s` : "live: start the webcam, then press Live";
}
