/* The code by which files are read, the same as fusion/choices.py has it (tests/golden/readings.json). */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { addressOf, codeOf, ends, swapped } from "../../assets/reading/code.mjs";
import { checkerboard, coloursOf, lengths, moved, overlaid } from "../../assets/reading/views.mjs";

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
  const plain = { axis: "axial", slices: [null, null], frames: [null, null], windows: [null, null], resample: null, shift: [0, 0], colour_maps: ["luma", "luma"], nan_is_no_data: false };
  assert.equal(addressOf("7", plain), "7");
  assert.equal(swapped("7", plain), "7~swapped");
  assert.equal(swapped("7~swapped", plain), "7");
  const chosen = { ...plain, slices: [4, 9], windows: ["0:80", null], shift: [3, -2], colour_maps: ["luma", "pet"] };
  assert.equal(addressOf("7", chosen), "7@a4x9_u0to80_m3,-2_hpet");
  assert.equal(swapped("7", chosen), "7~swapped@a9x4_v0to80_m-3,2_gpet");
});

const SHAPE = { width: 3, height: 2 };

test("an image is moved by whole pixels, as fusion.pair does it", () => {
  assert.deepEqual([...moved([0, 1, 2, 3, 4, 5], SHAPE, [-1, 1])], [0, 3, 4, 0, 0, 0]);
  assert.deepEqual([...moved([0, 1, 2, 3, 4, 5], SHAPE, [1, -2])], [0, 0, 0, 2, 0, 0]);
  assert.deepEqual([...moved([1, 1, 1, 1, 1, 1], SHAPE, [2, 0])], [0, 0, 0, 0, 0, 0]);
});

test("both images in one picture", () => {
  const [first, second] = [Float32Array.of(1, 1, 1, 1, 1, 1), Float32Array.of(0, 0, 0, 0, 0, 0)];
  assert.deepEqual([...checkerboard(first, second, SHAPE)], [1, 0, 1, 0, 1, 0]);
  assert.deepEqual(overlaid(first, second, 0.5).map(([band]) => band), [1, 0, 0]);
  assert.deepEqual(overlaid([0.5], [1], 0.75).map(([band]) => band), [0.25, 1, 0]);
  assert.deepEqual([...lengths([3, 0], [-4, 2])], [5, 2]);
  assert.equal(coloursOf("sensitivity", first, second, SHAPE, { share: 0.5, blinks: false }, null), null);
  const white = 0xffffffff;
  for (const [blinks, expected] of [[false, white], [true, 0xff000000]]) {
    assert.equal(coloursOf("blink", first, second, SHAPE, { share: 0.5, blinks }, null)(1, 2) >>> 0, expected);
  }
});
