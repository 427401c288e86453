import assert from "node:assert/strict";
import { test } from "node:test";
import { apart, bars, deviate, linear, logarithmic, percent, probit, shareOf, stairs, steps } from "../../../workbench/widgets/static/scales.js";

test("normal deviates are those of the tables", () => {
  // Quantiles of the standard normal distribution, as R's qnorm gives them.
  for (const [share, expected] of [[0.5, 0], [0.975, 1.959963984540054], [0.1, -1.2815515655446004], [0.001, -3.090232306167813],
    [1e-6, -4.753424308822899], [0.02425, -1.972961131964], [0.4, -0.2533471031357997]]) {
    assert.ok(Math.abs(deviate(share) - expected) < 1e-7, `${share}: ${deviate(share)}`);
  }
  assert.equal(deviate(0), -Infinity);
  assert.equal(deviate(1), Infinity);
});

test("a deviate leads back to its share, also where it is small", () => {
  for (const share of [1e-8, 1e-5, 0.003, 0.02, 0.2, 0.49, 0.5, 0.6, 0.99]) {
    assert.ok(Math.abs(shareOf(deviate(share)) / share - 1) < 1e-6, `${share}: ${shareOf(deviate(share))}`);
  }
});

test("every scale leads back, and puts its ends at 0 and 1", () => {
  for (const scale of [linear(-2, 6), logarithmic(1e-4, 1), probit(1e-4, 0.6)]) {
    for (const u of [0, 0.25, 0.5, 1]) assert.ok(Math.abs(scale.place(scale.back(u)) - u) < 1e-6);
  }
  assert.equal(logarithmic(1e-4, 1).place(0), 0);
  assert.equal(probit(1e-4, 0.6).place(0), 0);
  assert.equal(probit(1e-4, 0.5).place(0.5) > 0.999, true);
});

test("ticks are round and inside", () => {
  assert.deepEqual(steps(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(steps(-0.13, 0.94, 6), [0, 0.2, 0.4, 0.6, 0.8]);
  assert.deepEqual(steps(1200, 5200, 4), [2000, 3000, 4000, 5000]);
  assert.deepEqual(steps(3, 3), [3]);
  assert.deepEqual(probit(0.001, 0.4).ticks().map((tick) => tick.text), ["0.1 %", "1 %", "5 %", "10 %", "20 %", "40 %"]);
  assert.deepEqual(logarithmic(1e-5, 1).ticks().map((tick) => tick.text), ["1e-5", "0.01 %", "0.1 %", "1 %", "10 %", "100 %"]);
});

test("shares are said in per cent, or as a power of ten", () => {
  assert.deepEqual([0, 1, 0.1234, 0.001, 0.0001, 0.0000321, 1e-6].map(percent), ["0 %", "100 %", "12.3 %", "0.1 %", "0.01 %", "3.2e-5", "1e-6"]);
});

test("stairs stay level until the next point, and bars stand on the ground", () => {
  assert.equal(stairs([0, 10, 20], [5, 3, 1]), "M0 5H10V3H20V1");
  assert.equal(stairs([], []), "");
  assert.equal(bars([4, 2], 0, 10, 8), "M0 8V4H5V2H10V8Z");
});

test("labels are moved apart and stay inside", () => {
  assert.deepEqual(apart([10, 12, 50], 10, 0, 100), [10, 20, 50]);
  assert.deepEqual(apart([98, 97], 10, 0, 100), [100, 90]);
  assert.deepEqual(apart([5], 10, 20, 100), [20]);
});
