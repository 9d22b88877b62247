import assert from "node:assert/strict";
import { test } from "node:test";

import { step } from "../../assets/core/arrows.mjs";

const SHAPE = { height: 40, width: 50 };
const from = (key, shiftKey = false, pixel = { row: 5, col: 44 }) => step({ key, shiftKey }, pixel, SHAPE);

test("arrows move a pixel by one, and by ten with Shift", () => {
  assert.deepEqual(from("ArrowUp"), { row: 4, col: 44 });
  assert.deepEqual(from("ArrowDown"), { row: 6, col: 44 });
  assert.deepEqual(from("ArrowLeft", true), { row: 5, col: 34 });
  assert.deepEqual(from("ArrowDown", true), { row: 15, col: 44 });
});

test("no arrow leaves the image, and no other key moves anything", () => {
  assert.deepEqual(from("ArrowRight", true), { row: 5, col: 49 });
  assert.deepEqual(from("ArrowUp", true), { row: 0, col: 44 });
  assert.equal(from("Enter"), null);
});
