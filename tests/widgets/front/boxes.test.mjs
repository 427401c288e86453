import assert from "node:assert/strict";
import { test } from "node:test";
import { fitted, moved, spanned } from "../../../workbench/widgets/static/boxes.js";

test("a box is placed in per cent and cut at the border", () => {
  assert.deepEqual(fitted([10, 20, 60, 120], [100, 200]), [10, 10, 50, 50]);
  assert.deepEqual(fitted([-10, 0, 50, 300], [100, 200]), [0, 0, 50, 100]);
});

test("two corners make a box whichever comes first, inside, and never too small", () => {
  assert.deepEqual(spanned([60, 70], [10, 20], [100, 100]), [10, 20, 60, 70]);
  assert.deepEqual(spanned([50, 50], [51, 50], [100, 100]), [50, 50, 58, 58]);
  assert.deepEqual(spanned([99, 99], [400, 400], [100, 100]), [92, 92, 100, 100]);
});

test("arrows move the whole box until it meets the border, and grow its corner", () => {
  assert.deepEqual(moved([10, 10, 50, 50], "ArrowRight", false, [100, 100]), [11, 10, 51, 50]);
  assert.deepEqual(moved([0, 10, 50, 50], "ArrowLeft", false, [100, 100]), [0, 10, 50, 50]);
  assert.deepEqual(moved([10, 10, 50, 100], "ArrowDown", false, [100, 100]), [10, 10, 50, 100]);
  assert.deepEqual(moved([10, 10, 50, 50], "ArrowDown", true, [100, 100]), [10, 10, 50, 51]);
  assert.deepEqual(moved([10, 10, 18, 18], "ArrowLeft", true, [100, 100]), [10, 10, 18, 18]);
});
