import assert from "node:assert/strict";
import { test } from "node:test";

import "./page.mjs";

const { flatWords, rangeWords } = await import("../../assets/explore/rgb-ranges.mjs");
const { number, strongestNeighbour } = await import("../../assets/explore/readout.mjs");
const { reachSentence, reachWords } = await import("../../assets/maps/kinds.mjs");
const { linked } = await import("../../assets/explore/toolbar.mjs");
const { state } = await import("../../assets/explore/state.mjs");
const { poleWords } = await import("../../assets/core/words.mjs");
const readAhead = await import("../../assets/explore/read-ahead.mjs");

test("the strongest neighbour is that of the right input, but never the principal pixel", () => {
  const window = { row: 5, col: 5, top: 4, left: 4, height: 2, width: 2 };
  const first = strongestNeighbour({ ...window, values: [1, -3, 2, 9, 0, 0, 1, 9] });
  assert.deepEqual(first, { size: 3, index: 0, row: 4, col: 5, value: -3 });
  const second = strongestNeighbour({ ...window, values: [1, -3, 2, 9, 0, 0, 4, 9] });
  assert.deepEqual([second.index, second.row, second.col], [1, 5, 4]);
  assert.equal(strongestNeighbour({ ...window, top: 5, left: 5, height: 1, width: 1, values: [7, 7] }), null);
});

test("numbers of the readout", () => {
  assert.deepEqual([0, 0.5, -1234.5, 0.00012, 20000, NaN, -Infinity, null].map(number),
    ["0.0000", "0.5000", "-1234.5000", "1.200e-4", "2.000e+4", "–", "-Infinity", "–"]);
});

test("how far derivatives reach, by input: the shorter of both changes, and both in a sentence", () => {
  assert.equal(reachWords([64, 2, 8, 4], ["MRI", "PET"]), "±8 MRI, ±2 PET levels (this pixel alone ±64 or more, ±2)");
  assert.equal(reachWords([64, 64, 64, 64], ["MRI", "PET"]), "±64 or more MRI, ±64 or more PET levels", "more was not tried");
  assert.match(reachSentence([64, 2, 8, 4], ["MRI", "PET"]), /this pixel alone MRI ±64 or more, PET ±2; everywhere MRI ±8, PET ±4\./);
});

test("the ends of the scales are the window's own until those of the guidance images are known", () => {
  state.window = { row: 1, col: 2, values: Float32Array.of(0.5, -2, NaN) };
  assert.equal(state.jacobianEnd(), 0.5);
  state.display.scale = "signed";
  assert.equal(state.jacobianEnd(), 2);
  state.limits = { maximum: 3, magnitude: 4, percentile: 1, provisional: false, revision: "r" };
  assert.deepEqual([state.jacobianEnd(), state.guidanceEnd(), state.displayName()], [4, 4, "0.3,0.5,signed,r"]);
  state.limits.provisional = true;
  assert.deepEqual([state.jacobianEnd(), state.displayName()], [2, "0.3,0.5,signed,provisional"]);
  state.pixel = { row: 1, col: 3 };
  assert.equal(state.isMoving(), true);
});

test("Jacobian images wait for the first grid of the guidance images, and not for ever", (context) => {
  let now = 5000;
  context.mock.method(performance, "now", () => now);
  state.limits = null;
  state.enter({ key: "scene", pair_address: "p", method_id: "m", weights_id: "0123456789" });
  assert.ok(state.endWait() > 0);
  state.limits = { stage: "running", known: false, provisional: true };
  now += 300;
  assert.equal(Math.round(state.endWait()), 700);
  state.limits.known = true;
  assert.equal(state.endWait(), 0);
  state.limits = { stage: "failed", known: false, provisional: true };
  assert.equal(state.endWait(), 0, "there will be none");
  state.limits = null;
  now += 700;
  assert.equal(state.endWait(), 0, "the computation may have to wait for others");
});

test("a part is linked in tenths of a pixel, at least a pixel wide, and not where it is all or nothing", () => {
  const shape = { height: 48, width: 60 };
  assert.deepEqual(linked([1.234, 2.345, 10, 20], shape), [1.2, 2.3, 10, 20]);
  assert.deepEqual(linked([5, 5, 5.2, 20], shape), [4.6, 5, 5.6, 20]);
  assert.equal(linked([-0.5, -0.5, 47.5, 59.5], shape), null);
  assert.equal(linked([60, 0, 70, 10], shape), null);
});

test("windows are read ahead where the pointer goes, and are there without a request", () => {
  const scene = { key: "scene", height: 40, width: 40, support_radius: [1, 1] };
  readAhead.follow(scene, { row: 20, col: 10 }, 0);
  readAhead.follow(scene, { row: 20, col: 12 }, 20);
  const asked = readAhead.along(scene, { row: 20, col: 12 });
  const rows = asked.pixels.map(({ row }) => row);
  const columns = asked.pixels.map(({ col }) => col);
  assert.ok(Math.max(...columns) > 14 && Math.max(...columns) - 12 > 12 - Math.min(...columns), "to the right");
  assert.ok(Math.min(...rows) >= 18 && Math.max(...rows) <= 22, "along the way");
  assert.equal(asked.text.split("-").reduce((sum, run) => sum + Number(run.split(".")[2]), 0), asked.pixels.length);
  // A scale of 2 and halves of 1.0 in all 2 × 9 places, for each; as the route writes them.
  const count = asked.pixels.length;
  const buffer = new ArrayBuffer(32 + 4 * count + 36 * count);
  new Int32Array(buffer, 0, 1)[0] = 1;
  new Float32Array(buffer, 32, count).fill(2);
  new Float32Array(buffer, 32, count)[0] = NaN;
  new Uint16Array(buffer, 32 + 4 * count).fill(0x3c00);
  readAhead.take(asked, buffer, 0);
  const [missing, here] = asked.pixels;
  assert.equal(readAhead.held(scene, missing), null);
  const window = readAhead.held(scene, here);
  assert.deepEqual([window.top, window.left, window.height, window.width], [here.row - 1, here.col - 1, 3, 3]);
  assert.ok(window.values.every((value) => value === 2) && window.path === readAhead.ATLAS);
});

test("guidance RGB says which colours it cannot have: an image of one value has no range to stretch", () => {
  const names = ["MRI", "PET"];
  assert.equal(flatWords([[0.5, 0.5], [0.5, 0.5]], names), "both count 0.5 everywhere: no red, no green; blue is the fused image");
  assert.equal(flatWords([[0.25, 0.25], [0.75, 0.75]], names), "MRI counts 0.25 everywhere: no red; PET counts 0.75 everywhere: no green");
  assert.equal(flatWords([[0, 1], [1, 1]], names), "PET counts 1 everywhere: no green");
  assert.equal(flatWords([[0, 1], null], names), "");
});

test("the legend of guidance RGB prints both ranges, or the common one, once both are known", () => {
  const names = ["MRI", "PET"];
  assert.equal(rangeWords([[-0.5, 1], [0, 2]], names, "own"), "red: MRI −0.5 to 1, green: PET 0 to 2");
  assert.equal(rangeWords([[-0.5, 2], [-0.5, 2]], names, "common"), "red and green −0.5 to 2, one range");
  assert.equal(rangeWords([[0, 1], null], names, "own"), "");
});

test("the note of a pole counts features, and is empty where there are none", () => {
  assert.deepEqual([null, undefined, 0].map(poleWords), ["", "", ""]);
  assert.equal(poleWords(1), "⚠ 1 feature within 0.05 of the rule’s pole");
  assert.equal(poleWords(3), "⚠ 3 features within 0.05 of the rule’s pole");
});
