/* Strokes, the way back, and what is said of a prediction. */

import "./page.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";
import { error, lay, pathReading, reading, summary } from "../../assets/change/response.mjs";
import { Painting } from "../../assets/change/painting.mjs";
import * as painted from "../../assets/change/set.mjs";
import { LONGEST_CODE, boxOf, painted as paintedBy, read, way, write } from "../../assets/change/strokes.mjs";

const scene = (pair) => ({ pair, pair_address: pair, height: 40, width: 50 });
const stroke = (row, col, more = {}) => ({ input: 1, operation: "s", size: 8, strength: 0, stamps: [{ row, col }], ...more });
const told = [];
painted.listen((box) => told.push(box));

test("stamps of a way lie so close that they touch, and end where the pointer is", () => {
  const places = way({ row: 3, col: 4 }, { row: 3, col: 80 }, 8);
  assert.deepEqual(places[places.length - 1], { row: 3, col: 80 });
  let last = 4;
  for (const { row, col } of places) {
    assert.equal(row, 3);
    assert.ok(col - last >= 1 && col - last <= 2, `${last} to ${col}`);
    last = col;
  }
  for (const size of [1, 64]) assert.ok(read(write([stroke(0, 0, { size, stamps: [{ row: 0, col: 0 }, ...way({ row: 0, col: 0 }, { row: 999, col: 500 }, size)] })])));
});

test("the part that stamps touch ends at the image's border", () => {
  assert.deepEqual(boxOf([{ row: 1, col: 48 }, { row: 20, col: 30 }], 8, { height: 40, width: 50 }), { top: 0, left: 26, bottom: 24, right: 50 });
  assert.equal(boxOf([{ row: 100, col: 3 }], 8, { height: 40, width: 50 }), null);
});

test("strokes are painted, taken back, and painted again", () => {
  painted.enter(scene("one"));
  assert.deepEqual([painted.code(), painted.canUndo()], ["", false]);
  assert.ok(painted.begin(stroke(10, 12)));
  assert.deepEqual(told.pop(), { top: 6, left: 8, bottom: 14, right: 16 });
  assert.ok(painted.extend([{ row: 10, col: 14 }]));
  assert.deepEqual(told.pop(), { top: 6, left: 10, bottom: 14, right: 18 });
  assert.equal(painted.code(), "2s8.0.10.12.gi");
  painted.begin(stroke(30, 30, { input: 0, size: 1 }));
  painted.undo();
  assert.deepEqual(told.pop(), { top: 30, left: 30, bottom: 31, right: 31 }, "of what is gone alone");
  assert.equal(painted.code(), "2s8.0.10.12.gi");
  painted.undo();
  assert.equal(painted.code(), "", "a stroke is one step, however long");
  painted.redo();
  painted.redo();
  assert.equal(painted.code(), "2s8.0.10.12.gi~1s1.0.30.30");
  painted.clear();
  assert.equal(painted.code(), "");
  painted.undo();
  assert.ok(painted.canRedo());
  painted.begin(stroke(1, 1));
  assert.ok(!painted.canRedo());
});

test("each pair has its own change, and a link's is taken over once its pair is shown", () => {
  const before = painted.code();
  painted.take({ pair_address: "two", change: "1a3.20.5.6" });
  assert.equal(painted.code(), before);
  painted.enter(scene("two"));
  assert.deepEqual([painted.code(), painted.canUndo()], ["1a3.20.5.6", false], "what a link says is no step");
  painted.take({ pair_address: "two", change: null });
  assert.deepEqual([painted.code(), painted.canUndo()], ["", true]);
  painted.enter(scene("one"));
  assert.equal(painted.code(), before);
});

test("no more can be painted than a link can carry", () => {
  painted.enter(scene("three"));
  painted.begin(stroke(0, 0));
  const stamps = (count) => Array.from({ length: count }, (_, at) => ({ row: 0, col: at % 2 }));
  while (painted.extend(stamps(100)));
  assert.ok(painted.code().length <= LONGEST_CODE && painted.code().length > LONGEST_CODE - 210);
  assert.ok(read(painted.code()));
  const { length } = painted.code();
  while (painted.extend(stamps(1)));
  assert.equal(painted.begin(stroke(3, 3)), false);
  assert.ok(painted.code().length > length);
});

test("an error is that of Python, and is read as what it means", () => {
  const truth = new Float32Array([3, 0, 4]);
  assert.equal(error(truth, new Float32Array([3, 0, 4])), 0);
  assert.equal(error(truth, new Float32Array([0, 0, 4])), 0.6);
  assert.ok(Number.isNaN(error(new Float32Array(3), truth)));
  assert.equal(reading(0.08), "The derivative predicts 92 % of this change.");
  assert.match(reading(1.4), /does not predict/);
  assert.match(reading(NaN), /does not change/);
  assert.equal(pathReading(0.013), "Eight derivatives along the way predict 99 %.");
  assert.equal(summary({ truth }), "Predicting …");
  assert.match(summary({ truth, linear: new Float32Array([0, 0, 4]) }), /predicts 40 %.*= 0\.600\)$/);
  assert.match(summary({ truth, linear: truth, path: truth }), /100 %.*100 %.*0\.000, along the way 0\.000/);
});

test("a part is laid where it belongs", () => {
  const image = new Float32Array(12);
  lay(image, 4, { top: 1, left: 2, height: 2, width: 2, values: new Float32Array([1, 2, 3, 4]) });
  assert.deepEqual([...image], [0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4]);
});

test("inputs that follow strokes are what all strokes make, and differ from before nowhere but in the box", () => {
  const shape = { height: 30, width: 40 };
  const originals = [0, 1].map(() => Float64Array.from({ length: 1200 }, () => Math.random()));
  const painting = new Painting(originals, shape);
  const [first, second] = [{ row: 5, col: 6 }, { row: 7, col: 9 }];
  const set = stroke(5, 6, { size: 5, strength: 90, stamps: [first] });
  const blurred = stroke(6, 8, { operation: "b", strength: 60, size: 9 });
  const longer = (one, ...stamps) => ({ ...one, stamps: [...one.stamps, ...stamps] });
  const steps = [
    [set], [longer(set, second)], [longer(set, second), blurred], [longer(set, second), longer(blurred, second)],
    [longer(set, second), { ...longer(blurred, second), input: 0 }], [set], [set, blurred, set], [{ ...set, strength: 3 }], [],
    [longer(blurred, first, second)], [blurred],
  ];
  let before = painting.images.map((image) => image.slice());
  for (const strokes of steps) {
    const { top, left, bottom, right } = painting.follow(strokes);
    assert.deepEqual(painting.images, paintedBy(strokes, originals, shape));
    painting.images.forEach((image, input) => image.forEach((value, at) => {
      const [row, col] = [Math.floor(at / 40), at % 40];
      const inside = row >= top && row < bottom && col >= left && col < right;
      assert.ok(inside || value === before[input][at], `${input} ${row} ${col}`);
    }));
    before = painting.images.map((image) => image.slice());
  }
  const grown = stroke(2, 2, { size: 1, stamps: [{ row: 2, col: 2 }] });
  painting.follow([grown]);
  assert.deepEqual(painting.follow([longer(grown, { row: 3, col: 3 })]), { top: 2, left: 2, bottom: 4, right: 4 }, "no more is painted again");
});
