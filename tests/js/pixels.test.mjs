import assert from "node:assert/strict";
import { test } from "node:test";

import { OUTSIDE_SUPPORT } from "../../assets/painter/colours.mjs";
import { css, fill, fillValues, ofBands, ofGuidance, ofRows, ofValues, ofWindow, opaque, pixelOf, within } from "../../assets/painter/pixels.mjs";

const filled = (width, height, ...more) => {
  const pixels = new Uint32Array(width * height);
  fill(pixels, width, height, ...more);
  return [...pixels];
};

test("red is red, green is green: of bytes, of bands and of a colour's text", () => {
  assert.equal(opaque(255, 0, 0), 0xff0000ff);
  assert.equal(opaque(0, 255, 0), 0xff00ff00);
  assert.equal(pixelOf("#ff8000"), 0xff0080ff);
  assert.equal(pixelOf("#ff8000", 0.5), 0x7f0080ff);
  assert.equal(css(pixelOf("#0c8599")), "rgb(12 133 153)");
  const bands = ofBands([[1, 0], [0, 0.2], [0.4, NaN]], 2);
  assert.deepEqual(filled(2, 1, bands), [opaque(255, 0, 102), opaque(0, 51, 0)]);
});

test("guidance RGB is red for the first input, green for the second, and blue for the fused image, each over its own range", () => {
  const image = (...values) => [Float32Array.from(values)];
  const colour = ofGuidance([image(-1, 1, 0), image(4, 2, NaN), image(0.5, 0.5, 0.5)]);
  assert.deepEqual(filled(3, 1, colour), [opaque(0, 255, 0), opaque(255, 0, 0), opaque(128, 0, 0)]);
});

test("guidance RGB on one common range has red and green of equal numbers alike", () => {
  const image = (...values) => [Float32Array.from(values)];
  // Red and green from -1 to 4, 51 a unit; blue over its own range.
  const colour = ofGuidance([image(-1, 1, 0), image(4, 1, NaN), image(0, 1, 0.2)], "common");
  assert.deepEqual(filled(3, 1, colour), [opaque(0, 255, 0), opaque(102, 102, 255), opaque(51, 0, 51)]);
});

test("a zoom has nothing outside of the image", () => {
  const colour = within({ height: 2, width: 2 }, ofValues([1, 2, 3, 4], 2, (value) => value));
  assert.deepEqual(filled(3, 3, colour, -1, -1), [0, 0, 0, 0, 1, 2, 0, 3, 4]);
  assert.deepEqual(filled(2, 2, ofRows([[1, 2], [3, 4]], (value) => 10 * value)), [10, 20, 30, 40]);
});

test("a window lies on the ground of what is not reached, the second input's after the first's", () => {
  const window = { top: 1, left: 1, height: 1, width: 2, values: [5, 6, 7, 8] };
  const colour = (index) => ofWindow(window, index, (value) => value + 1);
  const o = OUTSIDE_SUPPORT;
  assert.deepEqual(filled(4, 3, colour(0)), [o, o, o, o, o, 6, 7, o, o, o, o, o]);
  assert.deepEqual(filled(4, 3, colour(1)), [o, o, o, o, o, 8, 9, o, o, o, o, o]);
  const pixels = new Uint32Array(2);
  fillValues(pixels, window.values, (value) => value, 2);
  assert.deepEqual([...pixels], [7, 8]);
});
