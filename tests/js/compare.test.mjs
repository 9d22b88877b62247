import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import "./page.mjs";

const { COLUMNS, state } = await import("../../assets/compare/state.mjs");
const difference = await import("../../assets/compare/difference.mjs");
const layout = await import("../../assets/compare/layout.mjs");
const { digits } = await import("../../assets/compare/readout.mjs");
const { number } = await import("../../assets/painter/bars.mjs");

const scene = (id, height = 40, width = 60) => ({ key: `pair/${id}`, pair: "pair", method_id: id, method_title: id, height, width, support_radius: [3, 5] });

state.facts = () => ({ home: "/", largestZoom: 64 });
beforeEach(() => {
  state.scenes = [scene("one"), scene("two")];
  state.methods = ["one", "two"];
  state.columns = [...COLUMNS];
  state.difference = [];
  Object.assign(state.a, { pixel: { row: 5, col: 6 }, shown: null, pinned: false });
  Object.assign(state.b, { pixel: null, shown: null });
  Object.assign(state.display, { zoom: null, size: "fit" });
});

test("zooms reach as far as the largest support, unless another half-width is asked for", () => {
  assert.equal(state.half(), 5);
  state.display.zoom = 12;
  assert.equal(state.half(), 12);
});

test("scenes follow the methods' order", () => {
  state.methods = ["two", "one"];
  state.reorder();
  assert.deepEqual(state.scenes.map(({ method_id: id }) => id), ["two", "one"]);
});

test("every picture lies inside of the table, apart from the others, in its own shape", () => {
  for (const [width, height] of [[1440, 700], [900, 500], [2400, 1300]]) {
    for (const several of [false, true]) {
      state.b.pixel = several ? { row: 1, col: 1 } : null;
      const table = layout.lay(width, height);
      const pictures = layout.pictures(table);
      assert.equal(pictures.length, several ? 2 * 20 + 6 : 2 * 16 + 4);
      for (const { area, box, kind, zoom } of pictures) {
        assert.ok(box.left >= table.label - 1 && box.left + box.width <= table.width + 1, `${kind} at ${width}`);
        assert.ok(box.top >= 0 && box.top + box.height <= table.height + 1);
        if (kind !== "scatter") assert.ok(Math.abs(area.width / area.height - (zoom ? 1 : 1.5)) < 0.1, kind);
      }
    }
  }
});

test("pictures have pixels as high as they are by their width", () => {
  state.scenes = [{ ...scene("one"), aspect: 2 }];
  for (const { area, kind, zoom } of layout.pictures(layout.lay(1440, 700))) {
    if (kind !== "scatter") assert.ok(Math.abs(area.width / area.height - (zoom ? 0.5 : 0.75)) < 0.05, kind);
  }
});

test("pictures lie inside of the table however many, large and oblong they are", () => {
  const shapes = [[256, 256], [37, 200], [200, 37], [1, 1]];
  for (const count of [1, 2, 5, 7]) for (const columns of [["fused"], ["scatter"], [...COLUMNS]]) {
    for (const several of [false, true]) for (const size of ["fit", "large"]) for (const [height, width] of shapes) {
      state.scenes = Array.from({ length: count }, () => scene("one", height, width));
      state.columns = columns;
      state.display.size = size;
      state.b.pixel = several ? { row: 0, col: 0 } : null;
      for (const across of [1000, 1280, 1920]) for (const down of [450, 950]) {
        const table = layout.lay(across, down);
        const outside = ({ left, top, width: wide, height: high }) => left < table.label - 1 || top < 0
          || left + wide > across + 1 || top + high > table.height + 1;
        const wrong = layout.pictures(table).filter(({ box, area }) => outside(box) || outside(area) || area.width < 5);
        assert.deepEqual(wrong, [], `${count} × ${columns} of ${height}×${width}, ${size}, ${across}×${down}`);
      }
    }
  }
});

test("the part of a zoom is around its point's window, or where it is held", () => {
  const picture = { scene: state.scenes[0], kind: "fused", zoom: true, point: state.a };
  assert.deepEqual(layout.partOf(picture), { row: 0, col: 1, height: 11, width: 11 });
  state.held = { row: 20, col: 20 };
  assert.deepEqual(layout.partOf(picture), { row: 15, col: 15, height: 11, width: 11 });
  state.held = null;
  assert.deepEqual(layout.partOf({ ...picture, zoom: false }), { row: 0, col: 0, height: 40, width: 60 });
});

test("columns say what they show", () => {
  assert.deepEqual(layout.meaning("jacobian_pet_zoom"), { kind: "jacobian", index: 1, zoom: true });
  assert.deepEqual(layout.meaning("guidance_rgb"), { kind: "rgb", index: 0, zoom: false });
  assert.deepEqual(layout.meaning("fused_colour"), { kind: "fused_colour", index: 0, zoom: false });
});

test("a difference is a row where both of its methods have one", () => {
  state.difference = ["one", "three"];
  assert.equal(difference.row(), null);
  state.difference = ["two", "one"];
  assert.equal(difference.row().method_title, "two − one");
  assert.equal(difference.row(), difference.row(), "the same as long as its scenes are");
  assert.equal(difference.rows().length, 3);
});

test("windows are subtracted over both supports, zero outside of each", () => {
  state.difference = ["one", "two"];
  const row = difference.row();
  const windows = new Map([
    [state.scenes[0].key, { row: 5, col: 6, top: 5, left: 6, height: 1, width: 1, values: Float32Array.of(3, 4), suspicious: false }],
    [state.scenes[1].key, { row: 5, col: 6, top: 4, left: 6, height: 2, width: 2, values: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), suspicious: true }],
  ]);
  const { values, ...where } = difference.windowAt(row, { windows });
  assert.deepEqual(where, { row: 5, col: 6, top: 4, left: 6, height: 2, width: 2, suspicious: true, path: 0 });
  assert.deepEqual([...values], [-1, -2, 0, -4, -5, -6, -3, -8]);
  assert.equal(difference.windowAt(row, { windows: new Map() }), null);
});

test("images are subtracted, and the scale ends at the largest difference", () => {
  const image = (...values) => ({ bands: 2, height: 1, width: 2, values: Float32Array.from(values), complete: true, fraction: 1 });
  const found = difference.imageOf("guidance", image(1, 2, 3, NaN), image(3, 1, 3, 1));
  assert.deepEqual([[...found.band(0)], found.end], [[-2, 1], 2]);
  assert.equal(difference.largest([0, NaN, 0]), 1);
});

test("numbers have a true minus and no zero with a sign", () => {
  assert.deepEqual([digits(-0.00001), digits(-1.5), digits(123.456), digits(null), digits(NaN)], ["0.0000", "−1.5000", "123.5", "…", "NaN"]);
  assert.deepEqual([number(0), number(-0.01234), number(12345)], ["0", "−0.0123", "12300"]);
});
