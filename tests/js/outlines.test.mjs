import assert from "node:assert/strict";
import { test } from "node:test";

import "./page.mjs";

const { drawOutlines } = await import("../../assets/painter/regions.mjs");

globalThis.ImageData ??= class {
  constructor(width, height) {
    this.data = new Uint8ClampedArray(4 * width * height);
  }
};

/* Where something is drawn, as rows of zeros and ones. The canvas knows nothing but `putImageData`: as paths, twelve regions
   of noise took a minute. */
const drawn = (mask, shape, [height, width], [top, left], unit, thickness = 2) => {
  let found;
  const canvas = { width, height, getContext: () => ({ putImageData: ({ data }) => (found = data) }) };
  const regions = [{ mask: Uint8Array.from(mask), colour: "#123456" }];
  drawOutlines(canvas, regions, { height: shape[0], width: shape[1] }, { top, left, across: unit, down: unit }, thickness);
  const drawnAt = (row, col) => (found[4 * (row * width + col) + 3] ? 1 : 0);
  return Array.from({ length: height }, (_, row) => Array.from({ length: width }, (__, col) => drawnAt(row, col)));
};

const places = (rows) => rows.flatMap((row, y) => row.flatMap((one, x) => (one ? [[y, x]] : [])));

test("an outline is the rim of its own pixels, two pixels of the screen wide", () => {
  const [height, width, unit] = [11, 13, 6];
  for (const share of [0.2, 0.5, 0.95]) {
    const mask = Array.from({ length: height * width }, () => Number(Math.random() < share));
    const inside = (y, x) => y >= 0 && x >= 0 && y < unit * height && x < unit * width
      && mask[Math.floor(y / unit) * width + Math.floor(x / unit)] === 1;
    const steps = [-2, -1, 0, 1, 2];
    const deep = (y, x) => steps.every((down) => steps.every((across) => inside(y + down, x + across)));
    const found = drawn(mask, [height, width], [unit * height, unit * width], [0, 0], unit);
    found.forEach((row, y) => row.forEach((one, x) => assert.equal(one, Number(inside(y, x) && !deep(y, x)), `${y}, ${x}`)));
    // A part of the picture has the lines of the whole: none where only the part ends.
    const part = drawn(mask, [height, width], [30, 31], [-13, -17], unit);
    assert.deepEqual(part, found.slice(13, 43).map((row) => row.slice(17, 48)));
  }
});

test("small pictures lose nothing of a region", () => {
  const mask = new Uint8Array(64 * 64);
  mask[5 * 64 + 9] = 1;
  for (let row = 40; row < 60; row += 1) mask[row * 64 + 33] = 1;
  const found = drawn(mask, [64, 64], [16, 16], [0, 0], 0.25);
  assert.deepEqual(places(found), [[1, 2], ...[10, 11, 12, 13, 14].map((row) => [row, 8])]);
});

test("large regions of noise are outlined as pixels, whatever is shown of them", () => {
  const side = 1024;
  const mask = Uint8Array.from({ length: side * side }, () => Number(Math.random() < 0.5));
  for (const [width, unit] of [[300, 300 / side], [170, 6.8]]) {
    assert.ok(places(drawn(mask, [side, side], [width, width], [0, 0], unit, 1.5)).length > width);
  }
});
