import assert from "node:assert/strict";
import { test } from "node:test";
import { floats, outline, scale, span, ticks } from "../../../workbench/widgets/static/densities.js";

test("the range holds bins and marks, and is never empty", () => {
  const [low, high] = span([0, 1], [2, null]);
  assert.ok(Math.abs(low + 0.06) < 1e-12 && Math.abs(high - 2.06) < 1e-12);
  assert.deepEqual(span([], []), [0, 1]);
  assert.ok(span([], [0.5])[0] < 0.5 && span([], [0.5])[1] > 0.5);
});

test("an outline goes up and down by bins and ends on the base line", () => {
  const x = scale([0, 2], [0, 20]);
  const y = scale([0, 1], [10, 0]);
  assert.equal(outline([0, 1, 2], [1, 0.5], x, y),
    "M0.00,10.00L0.00,0.00L10.00,0.00L10.00,5.00L20.00,5.00L20.00,10.00Z");
  assert.equal(outline([], [], x, y), "");
});

test("ticks are round numbers within the range", () => {
  assert.deepEqual(ticks([0.83, 1.01]).map(([, text]) => text), ["0.85", "0.90", "0.95", "1.00"]);
  assert.deepEqual(ticks([-3, 3]).map(([value]) => value), [-2, 0, 2]);
});

test("numbers come out of bytes as they went in", () => {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat32(0, 0.5, true);
  view.setFloat32(4, -2, true);
  assert.deepEqual(floats(view), [0.5, -2]);
});
