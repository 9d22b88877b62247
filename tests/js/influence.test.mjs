import assert from "node:assert/strict";
import { test } from "node:test";

import { influences, percent } from "../../assets/painter/influence.mjs";

test("sums over both Jacobian images, and how much of them is negative", () => {
  const values = Float64Array.of(1, -0.5, 0, 0.5, -2, 0, 0, 0);
  assert.deepEqual(influences({ values }), [
    { total: 2, signed: 1, negative: 0.25 },
    { total: 2, signed: -2, negative: 1 },
  ]);
  const [none, broken] = influences({ values: [0, 0, 1, NaN] });
  assert.deepEqual(none, { total: 0, signed: 0, negative: NaN });
  assert.deepEqual(broken, { total: NaN, signed: NaN, negative: NaN });
  assert.ok(Number.isNaN(influences({ values: [0, Infinity, 1, 1] })[0].total));
});

test("a percentage says nothing or all of it only where it is exactly that", () => {
  assert.deepEqual([0, 0.004, 0.234, 0.999, 1, NaN].map(percent), ["0 %", "< 1 %", "23 %", "> 99 %", "100 %", "–"]);
});
