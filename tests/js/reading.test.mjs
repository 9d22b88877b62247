/* The code by which files are read, the same as fusion/choices.py has it (tests/golden/readings.json). */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { addressOf, codeOf, ends, swapped } from "../../assets/reading/code.mjs";

const golden = JSON.parse(readFileSync(new URL("../golden/readings.json", import.meta.url), "utf8"));

test("readings have the codes that the server reads", () => {
  for (const { code, problem, ...reading } of golden) if (!problem) assert.equal(codeOf(reading), code);
});

test("a window is two numbers in order, or two percentiles", () => {
  assert.deepEqual(ends(" −160 : 240 "), { low: -160, high: 240, percent: false });
  assert.deepEqual(ends("1%:99%"), { low: 1, high: 99, percent: true });
  for (const text of ["", "5", "5:5", "6:5", "1%:99", "1%:101%", "a:b", "1:2:3"]) assert.equal(ends(text), null, text);
});

test("swapped, what was chosen for x1 is for x2, and the other image moves the other way", () => {
  const plain = { axis: "axial", slices: [null, null], frames: [null, null], windows: [null, null], resample: null, shift: [0, 0] };
  assert.equal(addressOf("7", plain), "7");
  assert.equal(swapped("7", plain), "7~swapped");
  assert.equal(swapped("7~swapped", plain), "7");
  const chosen = { ...plain, slices: [4, 9], windows: ["0:80", null], shift: [3, -2] };
  assert.equal(addressOf("7", chosen), "7@a4x9_u0to80_m3,-2");
  assert.equal(swapped("7", chosen), "7~swapped@a9x4_v0to80_m-3,2");
});
