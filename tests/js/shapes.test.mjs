import assert from "node:assert/strict";
import { test } from "node:test";

import { box, unitOf } from "../../assets/painter/shapes.mjs";

/** A context that notes which frames are drawn, in which colour and width, and where pictures end. */
function noting() {
  const frames = [];
  const nothing = () => {};
  const context = {
    save: nothing, restore: nothing, beginPath: nothing, clip: nothing, frames,
    rect: (...area) => (context.area = area),
    strokeRect: (x, y, width, height) => frames.push({ colour: context.strokeStyle, line: context.lineWidth, x, y, width, height }),
  };
  return context;
}

/** The outer and the inner side of a frame at its left, in pixels from the left. */
const sides = ({ x, line }) => [x - line / 2, x + line / 2];

test("a box is around its pixels, with a white edge around that, so that it is seen on every colour", () => {
  const context = noting();
  box(context, { left: 10, top: 20, width: 100, height: 100 }, { across: 4, down: 4 }, { row: 5, col: 6 }, 2, "#ff2a2a");
  assert.deepEqual(context.area, [10, 20, 100, 100], "nothing is drawn outside of the picture");
  const [white, red] = context.frames;
  assert.deepEqual([white.colour, red.colour], ["#ffffff", "#ff2a2a"]);
  const pixels = 10 + (6 - 2) * 4;
  assert.equal(sides(red)[1], pixels, "the pixels' own colours are seen whole");
  assert.equal(sides(white)[1], sides(red)[0], "and the red one too");
  assert.ok(sides(white)[0] <= sides(red)[0] - 1);
});

test("a box and a picture have pixels as high as they are by their width", () => {
  const unit = unitOf({ left: 0, top: 0, width: 60, height: 90 }, { width: 30, height: 15 }, 3);
  assert.deepEqual(unit, { across: 2, down: 6 });
  const context = noting();
  box(context, { left: 0, top: 0, width: 60, height: 90 }, unit, { row: 5, col: 6 }, 1, "#ff2a2a");
  const { line, width, height } = context.frames[1];
  assert.deepEqual([width - line, height - line], [6, 18]);
  // Where pixels are square they stay so, though a picture's sides are whole numbers.
  assert.deepEqual(unitOf({ left: 0, top: 0, width: 60, height: 29 }, { width: 30, height: 15 }, 1), { across: 2, down: 2 });
});

test("a box of less than a pixel of the screen can still be seen", () => {
  const context = noting();
  box(context, { left: 0, top: 0, width: 50, height: 50 }, { across: 0.2, down: 0.2 }, { row: 5, col: 6 }, 0, "#ff2a2a");
  assert.ok(context.frames[1].width >= 3);
});
