import assert from "node:assert/strict";
import { test } from "node:test";

const { duration, forWhom, left, percent } = await import("../../assets/core/job-words.mjs");

test("nothing is complete before it is", () => {
  assert.deepEqual([0, 0.004, 0.996, 1].map(percent), ["0 %", "0 %", "99 %", "100 %"]);
});

test("times have the unit that says most", () => {
  assert.deepEqual([0.2, 89, 91, 3600, 5399, 29 * 3600, 48 * 3600].map(duration), ["1 s", "89 s", "2 min", "60 min", "90 min", "29 h", "2 days"]);
});

test("for whom", () => {
  const words = (yours, others) => forWhom({ yours, others });
  assert.deepEqual([words(true, 0), words(true, 1), words(false, 1), words(false, 3), words(false, 0)],
    ["you", "you and one other", "one other", "3 others", "nobody any more"]);
});

test("what is left is said only where it is known", () => {
  assert.equal(left({ state: "waiting", left: null }), "waits for its turn");
  assert.equal(left({ state: "running", left: null }), "not known yet");
  assert.equal(left({ state: "running", left: 125 }), "about 2 min");
});
