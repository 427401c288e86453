import assert from "node:assert/strict";
import test from "node:test";
import { rateWords, scaleWords } from "../../../workbench/widgets/static/spoof_words.js";

test("the decision in words says which side of the threshold the score lies", () => {
  assert.equal(scaleWords(0.7512, 0.5, "attack").verdict, "Attack: attack score 0.751, above the threshold 0.500");
  assert.equal(scaleWords(0.5, 0.5, "bona fide").verdict, "Bona fide: attack score 0.500, not above the threshold 0.500");
  assert.equal(scaleWords(null, 0.5, "").scale, "no score");
});

test("the rate is said only when there is one", () => {
  assert.equal(rateWords(12.34), "12.3 pictures a second over the last 5 s");
  assert.match(rateWords(0), /press Live/);
});
