import assert from "node:assert/strict";
import { test } from "node:test";
import { toField, toLinear } from "../../../workbench/widgets/static/colours.js";

test("middle grey of 18 % is #767676, and the ends are black and white", () => {
  assert.equal(toField([0.18, 0.18, 0.18]), "#767676");
  assert.equal(toField([0, 1, 2]), "#00ffff");
});

test("every field value comes back to itself", () => {
  for (let v = 0; v < 256; v++) {
    const field = `#${v.toString(16).padStart(2, "0").repeat(3)}`;
    assert.equal(toField(toLinear(field)), field);
  }
});
