import assert from "node:assert/strict";
import { test } from "node:test";

import "./page.mjs";
import { Tiles } from "../../assets/core/tiles.mjs";
import { SparseRows, above, edgesOf, levelOf, tilesIn } from "../../assets/painter/pyramid.mjs";

const SIDE = 4;

test("a level is as coarse as the screen and no coarser", () => {
  assert.equal(levelOf(1, 8), 0);
  assert.equal(levelOf(0.2, 8), 0, "enlarged pictures show the image's own pixels");
  assert.equal(levelOf(3.9, 8), 1);
  assert.equal(levelOf(4, 8), 2);
  assert.equal(levelOf(1000, 3), 2, "there is none beyond the last");
});

test("only tiles in view are asked for, and none beyond the image", () => {
  const shape = { height: 10, width: 20 };
  const all = tilesIn({ top: -5, left: -5, bottom: 50, right: 50 }, shape, 0, SIDE);
  assert.equal(all.length, 3 * 5);
  assert.deepEqual(tilesIn({ top: 4, left: 7.5, bottom: 8, right: 8.5 }, shape, 0, SIDE),
    [{ level: 0, row: 1, col: 1 }, { level: 0, row: 1, col: 2 }]);
  assert.deepEqual(tilesIn({ top: 0, left: 0, bottom: 10, right: 20 }, shape, 2, SIDE),
    [{ level: 2, row: 0, col: 0 }, { level: 2, row: 0, col: 1 }]);
  assert.deepEqual(tilesIn({ top: 11, left: 0, bottom: 12, right: 9 }, shape, 0, SIDE), []);
});

test("a tile lies where its pixels lie in the image, and so do those above it", () => {
  assert.deepEqual(edgesOf({ level: 1, row: 1, col: 2 }, { height: 1, width: 4 }, SIDE), { top: 8, left: 16, bottom: 10, right: 24 });
  assert.deepEqual(above({ level: 0, row: 5, col: 3 }, 3), [{ level: 1, row: 2, col: 1 }, { level: 2, row: 1, col: 0 }]);
});

test("values are exact where they are here and nothing elsewhere, and those used longest ago go", () => {
  const image = new SparseRows({ height: 40, width: 6 });
  const tile = (row, col) => ({ level: 0, row, col });
  image.put(tile(1, 1), { height: 2, width: 2 }, Float32Array.of(1, 2, 3, 4), SIDE);
  assert.deepEqual([...image.rows[5]], [NaN, NaN, NaN, NaN, 3, 4]);
  assert.ok(Number.isNaN(image.rows[0][4]));
  assert.ok(image.has(tile(1, 1), SIDE) && !image.has(tile(1, 0), SIDE));
  for (const row of [2, 3, 4, 5]) image.put(tile(row, 0), { height: 1, width: 1 }, Float32Array.of(row), SIDE);
  assert.ok(!image.has(tile(1, 1), SIDE));
  assert.ok(Number.isNaN(image.rows[5][4]));
  assert.equal(image.rows[20][0], 5);
});

test("tiles are asked for once, the newest wish first and a few at a time", async () => {
  const asked = [];
  /** @type {Map<string, () => void>} */
  const answers = new Map();
  globalThis.fetch = (address) => new Promise((answer) => {
    asked.push(address);
    const bytes = address.endsWith("fused?viewer=me")
      ? new TextEncoder().encode(JSON.stringify({ side: SIDE, levels: 3, bands: 1, ranges: [[0, 1]], fraction: 1, complete: true })).buffer
      : new Int32Array([1, 1, 1, 1, 1000, 0, 0, 0, 0]).buffer;
    answers.set(address, () => answer({ ok: true, headers: new Map(), arrayBuffer: async () => bytes }));
  });
  const pause = () => new Promise((done) => setTimeout(done, 0));
  let arrived = 0;
  const tiles = new Tiles("p/fused", "me", () => (arrived += 1), assert.fail);
  answers.get("p/fused?viewer=me")();
  await pause();
  assert.equal(tiles.facts.levels, 3);
  asked.length = 0;
  for (let col = 0; col < 7; col += 1) assert.equal(tiles.tile({ level: 0, row: 0, col }), null);
  assert.deepEqual(asked, [0, 1, 2, 3].map((col) => `p/fused/0/0/${col}?viewer=me`));
  assert.equal(tiles.tile({ level: 0, row: 0, col: 2 }), null, "it is on its way");
  answers.get("p/fused/0/0/2?viewer=me")();
  await pause();
  assert.equal(asked.at(-1), "p/fused/0/0/6?viewer=me");
  assert.equal(tiles.tile({ level: 0, row: 0, col: 2 }).width, 1);
  assert.equal(arrived, 2);
  assert.equal(asked.length, 5);
  tiles.leave();
  answers.get("p/fused/0/0/1?viewer=me")();
  await pause();
  assert.equal(asked.length, 5, "nothing is asked for any more");
  assert.equal(arrived, 2);
});
