import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import "./page.mjs";
import { decode, encode } from "../../assets/regions/code.mjs";

const regions = await import("../../assets/regions/set.mjs");
const { FIRST_LOOK, SCATTERED } = await import("../../assets/regions/look.mjs");
const regionLink = await import("../../assets/regions/link.mjs");

const [HEIGHT, WIDTH] = [8, 10];
let pairs = 0;
let address;

const mask = (...places) => {
  const found = new Uint8Array(HEIGHT * WIDTH);
  places.forEach((at) => (found[at] = 1));
  return found;
};
const counts = () => regions.all().map(({ count }) => count);
const names = () => regions.all().map(({ name }) => name);

beforeEach(() => {
  pairs += 1;
  address = `pair-${pairs}`;
  regions.enter({ pair: address, pair_address: address, height: HEIGHT, width: WIDTH });
  regions.setOperation("replace");
});

test("codes give the masks back: boxes as boxes, noise as runs", () => {
  const box = mask(11, 12, 21, 22);
  assert.equal(encode(box, HEIGHT, WIDTH), "b1.1.3.3");
  assert.deepEqual(decode("b1.1.3.3", HEIGHT, WIDTH), box);
  for (const density of [0, 0.3, 0.9, 1]) {
    const noise = Uint8Array.from({ length: HEIGHT * WIDTH }, () => Number(Math.random() < density));
    assert.deepEqual(decode(encode(noise, HEIGHT, WIDTH), HEIGHT, WIDTH), noise);
  }
  const long = new Uint8Array(300 * 400);
  for (let at = 0; at < long.length; at += 2) long[at] = 1;
  assert.deepEqual(decode(encode(long, 300, 400), 300, 400), long);
  assert.equal(decode("rAQ", HEIGHT, WIDTH), null, "too short for the image");
});

test("a selection begins a region, replaces it, joins it, and is taken from it", () => {
  regions.combine(mask(1, 2), "replace");
  regions.combine(mask(2, 3, 4), "replace");
  regions.combine(mask(4, 5), "add");
  assert.deepEqual(counts(), [4]);
  regions.combine(mask(2, 5, 9), "subtract");
  assert.deepEqual([...regions.all()[0].mask.keys()].filter((at) => regions.all()[0].mask[at]), [3, 4]);
  regions.invert();
  assert.deepEqual(counts(), [HEIGHT * WIDTH - 2]);
  regions.clear();
  assert.deepEqual(counts(), [0]);
});

test("what was loaded is not replaced, and the same is not loaded twice", () => {
  const masks = [{ name: "core", code: "b1.1.3.3" }];
  assert.deepEqual(regions.load(address, masks), ["added"]);
  assert.deepEqual(regions.load(address, masks), ["here"]);
  assert.deepEqual(regions.load("another", masks), ["other"]);
  regions.combine(mask(1), "replace");
  assert.deepEqual([names(), counts()], [["core", "region"], [4, 1]]);
});

test("there are twelve regions at most, with names of their own", () => {
  for (let number = 0; number < 15; number += 1) regions.add(" mine ", mask(number));
  assert.equal(regions.all().length, regions.MOST);
  assert.deepEqual(names().slice(0, 3), ["mine", "mine 2", "mine 3"]);
  assert.deepEqual(regions.load(address, [{ name: "core", code: "b1.1.3.3" }]), ["full"]);
});

test("every step is undone and redone, and a new one ends what could be redone", () => {
  regions.add("one", mask(1));
  regions.rename(0, "two");
  regions.recolour(0, "#112233");
  regions.undo();
  regions.undo();
  assert.deepEqual([names(), regions.canUndo(), regions.canRedo()], [["one"], true, true]);
  regions.redo();
  assert.deepEqual(names(), ["two"]);
  regions.remove(0);
  assert.deepEqual([regions.canRedo(), regions.activeIndex()], [false, -1]);
  regions.undo();
  assert.deepEqual(names(), ["two"]);
});

test("every pair has its regions, and they come back with it", () => {
  const before = address;
  regions.add("mine", mask(1));
  regions.enter({ pair: "elsewhere", pair_address: "elsewhere", height: 2, width: 2 });
  assert.deepEqual(names(), []);
  regions.enter({ pair: before, pair_address: before, height: HEIGHT, width: WIDTH });
  assert.deepEqual(names(), ["mine"]);
});

test("a link's regions wait for their pair", () => {
  regions.take({ pair_address: "later", regions: [{ name: "core", colour: "#e69f00", code: "b0.0.1.1" }] });
  assert.deepEqual(names(), []);
  regions.enter({ pair: "later", pair_address: "later", height: 2, width: 2 });
  assert.deepEqual([names(), regions.canUndo()], [["core"], false]);
});

test("how a region is drawn is changed in steps, and part of the link where it is not as at first", () => {
  regions.add("one", mask(1));
  const text = () => regionLink.texts()[0].split("b0.1.1.2")[1];
  assert.equal(text(), "");
  regions.restyle(0, { hidden: true });
  assert.equal(text(), "~h");
  regions.restyle(0, { hidden: false, outline: false, opacity: 40 });
  assert.equal(text(), "~f~p40");
  regions.restyle(0, { filled: false });
  assert.equal(text(), "~o~p40", "one of both is drawn");
  regions.restyle(0, { outline: false });
  assert.equal(text(), "~f~p40");
  [1, 2, 3].forEach(() => regions.undo());
  assert.equal(text(), "~h");
  regions.undo();
  assert.deepEqual([text(), regions.all()[0].look], ["", FIRST_LOOK]);
  regions.redo();
  assert.equal(text(), "~h");
});

test("a slider that is held makes one step of all its places", () => {
  regions.add("one", mask(1));
  [90, 60, 30].forEach((opacity) => regions.restyle(0, { opacity }, true));
  assert.equal(regions.all()[0].look.opacity, 30, "seen at once");
  regions.restyle(0, { opacity: 30 });
  regions.restyle(0, { opacity: 30 });
  regions.undo();
  assert.deepEqual([regions.all()[0].look.opacity, names()], [100, ["one"]]);
  regions.undo();
  assert.deepEqual(names(), []);
});

test("what is selected in a scatterplot has no outline until one asks for it", () => {
  regions.combine(mask(1, 5, 9), "replace", true);
  assert.deepEqual(regions.all()[0].look, SCATTERED);
  regions.combine(mask(1, 2), "replace");
  assert.deepEqual(regions.all()[0].look, FIRST_LOOK, "drawn on a picture");
  regions.combine(mask(3, 7), "replace", true);
  regions.restyle(0, { outline: true });
  regions.combine(mask(4, 8), "replace", true);
  assert.deepEqual(regions.all()[0].look, FIRST_LOOK, "a look that was chosen stays");
  regions.combine(mask(5), "add", true);
  assert.deepEqual(regions.all()[0].look, FIRST_LOOK);
});

test("a link's regions are drawn as it says", () => {
  const look = { hidden: true, outline: false, filled: true, opacity: 40 };
  const region = { name: "core", colour: "#e69f00", code: "b0.0.1.1" };
  regions.take({ pair_address: address, regions: [region, { ...region, name: "rim", look }] });
  assert.deepEqual(regions.all().map((one) => one.look), [FIRST_LOOK, look]);
});

test("keys decide what a selection does before the list's choice", () => {
  assert.equal(regions.operationAt({ shiftKey: true }), "add");
  assert.equal(regions.operationAt({ altKey: true }), "subtract");
  regions.setOperation("subtract");
  assert.equal(regions.operationAt({}), "subtract");
});

test("a link says names, colours and codes; empty regions are left out", () => {
  assert.deepEqual(regionLink.texts(), []);
  regions.add("a~b, 5%", mask(0, 1));
  regions.recolour(0, "#112233");
  regions.add("empty");
  assert.deepEqual(regionLink.texts(), ["a%7Eb%2C 5%25~112233~b0.0.1.2"]);
});
