import assert from "node:assert/strict";
import { test } from "node:test";

import { around, axisEnds, neighbours, placeOf, square, ticks } from "../../assets/painter/points.mjs";

test("axes leave four percent free, and have a length where all values are equal", () => {
  assert.deepEqual(axisEnds(0, 1), [-0.04, 1.04]);
  assert.deepEqual(axisEnds(2, 2), [1.95, 2.05]);
  assert.deepEqual(axisEnds(Infinity, -Infinity), [0, 1]);
});

test("points lie from the lower left, and those outside nowhere", () => {
  const place = placeOf([[0, 10], [0, 5]], 100, 50);
  assert.deepEqual(place(0, 0), [0, 49]);
  assert.deepEqual(place(9.99, 4.99), [99, 0]);
  assert.deepEqual([place(-0.1, 1), place(10, 1), place(NaN, 1), place(1, Infinity)], [null, null, null, null]);
});

test("the points around a pixel end at the image's border and have the regions' tints", () => {
  const [xs, ys] = [Float32Array.of(0, 1, 2, 3, 4, 5), Float32Array.of(5, 4, 3, 2, 1, 0)];
  const plotted = { xs, ys, shape: { height: 2, width: 3 }, place: (x, y) => [x, y] };
  const tints = Uint32Array.of(0, 0, 0, 9, 0, 0);
  assert.deepEqual(around(plotted, { row: 1, col: 0 }, 1, tints), [
    { x: 0, y: 5, tint: 0 }, { x: 1, y: 4, tint: 0 }, { x: 3, y: 2, tint: 9 }, { x: 4, y: 1, tint: 0 },
  ]);
});

test("squares end at the picture's border", () => {
  const picture = { pixels: new Uint32Array(12), width: 4, height: 3 };
  square(picture, 0, 2, 1, 7);
  assert.deepEqual([...picture.pixels], [0, 0, 0, 0, 7, 7, 0, 0, 7, 7, 0, 0]);
});

test("neighbours are green, larger in a region, whose colour is over all of them", () => {
  const drawn = [];
  const context = { fillRect: (...place) => drawn.push([context.fillStyle, ...place]) };
  neighbours(context, [[10, 10, 0x0000ff], [20, 20, 0]], 2);
  assert.deepEqual(drawn, [["#00c853", 5, 5, 10, 10], ["#00c853", 17, 17, 6, 6], ["rgb(255 0 0)", 7, 7, 6, 6]]);
});

test("ticks are round numbers between the ends", () => {
  assert.deepEqual(ticks([-0.04, 1.04], 4).map(([, text]) => text), ["0.0", "0.5", "1.0"]);
  assert.deepEqual(ticks([0, 100], 5).map(([value]) => value), [0, 20, 40, 60, 80, 100]);
});
