import assert from "node:assert/strict";
import { test } from "node:test";
import { place, ticks } from "../../../workbench/widgets/static/scale.js";

test("a value lies where its share is, also on an axis that runs upwards", () => {
  assert.equal(place(5, [0, 10], [100, 200]), 150);
  assert.equal(place(0.25, [0, 1], [200, 100]), 175);
  assert.equal(place(3, [3, 3], [10, 20]), 10);
});

test("ticks are round, inside, and never too many", () => {
  assert.deepEqual(ticks(0, 1), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(ticks(0, 16), [0, 5, 10, 15]);
  assert.deepEqual(ticks(-0.3, 1), [-0.2, 0, 0.2, 0.4, 0.6, 0.8, 1].filter((v) => v >= -0.3));
  assert.deepEqual(ticks(2, 2), [2]);
  for (const [low, high] of [[0, 3], [0.83, 0.99], [-7, 1200], [0, 0.0004]]) {
    const found = ticks(low, high);
    assert.ok(found.length >= 2 && found.length <= 7, `${low} ${high}: ${found}`);
    assert.ok(found[0] >= low - 1e-9 && found.at(-1) <= high + 1e-9);
  }
});
