import assert from "node:assert/strict";
import { test } from "node:test";
import "./page.mjs";

const { isSwapped, said, tablesOf } = await import("../../assets/networks/form.mjs");
const { refusal } = await import("../../assets/networks/dialog.mjs");

/** @type {(...names: string[]) => any} */
const facts = (...names) => ({
  images: names.map((name) => [name, ["b", 3, "?2", "8*w"]]), outputs: ["y", "map"], channels: 3, fixed: null, multiple: 8, single: true, nodes: 40,
});

test("the form says what the description's file would, and nothing of what is left alone", () => {
  const plain = { title: " Mine ", note: "", order: "x1 x2", channels: "1", low: "0", high: "1", normalisation: "", channel: "mean", outLow: "", outHigh: "", multiple: "1", minimum: "1" };
  assert.deepEqual(tablesOf(plain), { title: "Mine", inputs: { channels: 1, range: [0, 1] }, output: { channel: "mean" }, sizes: { multiple: 1, minimum: 1 } });
  const all = { ...plain, order: "x2 x1", channels: "3", high: "255", normalisation: "imagenet", index: "1", channel: "0", outLow: "-1", outHigh: "1", multiple: "8" };
  const { inputs, output, sizes } = tablesOf(all);
  assert.deepEqual(inputs, { order: ["x2", "x1"], channels: 3, range: [0, 255], mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] });
  assert.deepEqual(output, { index: 1, channel: 0, range: [-1, 1] });
  assert.equal(sizes.multiple, 8);
});

test("a file of one size has no fields of sizes", () => {
  assert.deepEqual(tablesOf({ title: "", note: "", low: "0", high: "1" }).sizes, {});
});

test("inputs are taken in the order that their names say", () => {
  assert.ok(isSwapped(facts("x2", "x1")) && isSwapped(facts("img_b", "img_a")));
  assert.ok(!isSwapped(facts("x1", "x2")) && !isSwapped(facts("vis", "ir")) && !isSwapped(facts("both")));
});

test("what a file takes and returns is said in words", () => {
  assert.equal(said(facts("ir", "vis")), "It takes ir (b × 3 × any × 8*w) and vis (b × 3 × any × 8*w), returns y, map, and has 40 operators; one pair at a time.");
});

test("one ONNX file that is not too large is sent, and nothing else", () => {
  const file = (/** @type {string} */ name, size = 10) => ({ name, size });
  assert.equal(refusal([file("a.ONNX")], 10), "");
  assert.match(refusal([file("a.onnx", 2 ** 21)], 2 ** 20), /up to 1\.0 MiB/);
  assert.match(refusal([file("a.pt2")], 10), /Programs and pickled weights are not/);
  assert.match(refusal([file("a.onnx"), file("b.onnx")], 10), /one file/);
  assert.match(refusal([], 10), /one file/);
});
