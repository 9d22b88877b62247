import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { NEAR_POLE, OUTSIDE_SUPPORT, bent, endOf, gradientPainter, grayEnds, grayPainter, hatch, limitsOf, rangeOf } from "../../assets/painter/colours.mjs";

const golden = JSON.parse(readFileSync(new URL("../golden/colours.json", import.meta.url), "utf8"));
const bytes = (pixel) => [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];

test("gradients have the golden colours, to one step of a byte: the palette is a table of 1,024", () => {
  for (const { scale, gamma, end, value, rgb } of golden.gradients) {
    const shown = gradientPainter(scale, gamma, end)(value);
    assert.equal(shown >>> 24, 255, "opaque");
    const off = bytes(shown).map((byte, band) => Math.abs(byte - rgb[band]));
    assert.ok(Math.max(...off) <= 1, `${scale} ${gamma} ${value} of ${end}: ${bytes(shown)} for ${rgb}`);
  }
});

test("the ends of every palette are exact, and zero is", () => {
  for (const { scale, gamma, end, value, rgb } of golden.gradients) {
    if (value === 0 || Math.abs(value) >= end) assert.deepEqual(bytes(gradientPainter(scale, gamma, end)(value)), rgb);
  }
});

test("limits end where the golden ones do", () => {
  for (const { values, ends } of golden.limits) {
    const limits = limitsOf(Float64Array.from(values, Number));
    for (const [scale, end] of Object.entries(ends)) assert.ok(Math.abs(endOf(limits, scale) - end) < 1e-12, `${values} ${scale}`);
  }
});

test("grays have the golden shades", () => {
  for (const { low, high, value, shade } of golden.gray) {
    assert.deepEqual(bytes(grayPainter(low, high)(value)), [shade, shade, shade]);
  }
});

test("what is not reached has the golden colour", () => {
  assert.deepEqual(golden.outside.map(({ rgb }) => rgb), [bytes(OUTSIDE_SUPPORT)]);
  for (const { row, col, rgb } of golden.air) assert.deepEqual(bytes(hatch(row, col)), rgb);
  assert.deepEqual(golden.pole.map(({ rgb }) => rgb), [bytes(NEAR_POLE)]);
});

test("black to white is 0 to 1, or as far as an image goes", () => {
  assert.deepEqual(grayEnds([-0.25, 1.5], "unit"), [0, 1]);
  assert.deepEqual(grayEnds([-0.25, 1.5], "own"), [-0.25, 1.5]);
  assert.deepEqual(grayEnds([0.25, 0.5], "own"), [0, 1]);
});

test("what is not a number is transparent", () => {
  assert.deepEqual([gradientPainter("paper", 0.3, 1)(NaN), gradientPainter("signed", 0.3, 1)(NaN), grayPainter(0, 1)(NaN)], [0, 0, 0]);
});

test("Plotly's stops never decrease and have the palette's ends", () => {
  for (const scale of ["paper", "signed"]) {
    for (const gamma of [0.1, 0.5, 1, 2]) {
      const stops = bent(scale, gamma);
      assert.ok(stops.every(([position], at) => !at || position >= stops[at - 1][0]));
      assert.deepEqual([stops[0][0], stops.at(-1)[0]], [0, 1]);
    }
  }
  assert.equal(bent("paper", 0.5)[0][1], "rgb(68,1,84)");
  assert.equal(bent("signed", 0.5).at(-1)[1], "rgb(103,0,31)");
});

test("ranges leave out what is not finite", () => {
  assert.deepEqual(rangeOf([3, NaN, -2, Infinity]), [-2, 3]);
});
