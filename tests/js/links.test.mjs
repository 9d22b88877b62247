import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { beforeEach, test } from "node:test";

import "./page.mjs";
import { decimal, list, whole } from "../../assets/core/kinds.mjs";
import { LinkState, Tracked, tie, write } from "../../assets/core/tracked.mjs";

const explore = await import("../../assets/explore/state.mjs");
const compare = await import("../../assets/compare/state.mjs");
const { carried } = await import("../../assets/views/view-state.mjs");

const golden = JSON.parse(readFileSync(new URL("../golden/links.json", import.meta.url), "utf8"));
const links = { explore: explore.link, compare: compare.link };
// Of weights a page says what its rows have; of a link it is what stands there.
compare.link.parts.weights.derive(null);

const values = (link) =>
  Object.fromEntries(Object.entries(link.parts).filter(([key]) => key !== "v").map(([key, part]) => [key, part.value]));

beforeEach(() => {
  for (const [page, link] of Object.entries(links)) {
    link.begin(golden.first[4][page]);
    link.reset();
  }
});

for (const [page, link] of Object.entries(links)) {
  test(`${page}: links say what they say to the server, and are written as it writes them`, () => {
    for (const first of Object.values(golden.first)) {
      assert.deepEqual(Object.keys(link.parts).filter((key) => key !== "v").sort(), Object.keys(first[page]).sort());
    }
    for (const { query, version, state, canonical } of golden[page]) {
      assert.deepEqual(link.restore(query), [], query);
      assert.deepEqual(values(link), { ...golden.first[version][page], ...state }, query);
      assert.equal(link.query(), canonical);
      link.restore(canonical);
      assert.equal(link.query(), canonical);
    }
  });

  test(`${page}: links of earlier versions do not follow what the page begins with later`, () => {
    link.begin({ ...golden.first[4][page], gamma1: 1.7, scale: "robust" });
    for (const { query, version, state } of golden[page].filter((one) => one.version < 4)) {
      link.restore(query);
      assert.deepEqual(values(link), { ...golden.first[version][page], ...state }, query);
      link.restore(link.query());
      assert.deepEqual(values(link), { ...golden.first[version][page], ...state }, "nor once they are written anew");
    }
    for (const query of ["", "?v=4", "?pair=own&v=4", "?surprise=1"]) {
      link.restore(query);
      assert.deepEqual([link.parts.gamma1.value, link.parts.scale.value], [1.7, "robust"], query);
    }
    for (const query of ["?v=1", "?v=2", "?gamma2=1.0", "?gamma1=9", "?v=one", "?v=0"]) {
      link.restore(query);
      assert.deepEqual([link.parts.gamma1.value, link.parts.scale.value], [0.3, "paper"], query);
    }
  });

  test(`${page}: what a link says wrong is named, and stays as at first`, () => {
    const wrong = "gamma1=2.1&gamma2=0x1&pixel=1&pair=&scale=gray&zoom=65&regions=core~red~b1&surprise=1&v=5&constructor=1";
    const named = ["gamma1", "gamma2", "pixel", "pair", "scale", "zoom", "regions", "surprise", "v", "constructor"];
    assert.deepEqual(link.restore(`?${wrong}`), named);
    assert.equal(link.query(), "?v=4");
    assert.deepEqual(link.restore("?gamma1=0.7&gamma1=0.8&v=4"), ["gamma1"]);
    assert.equal(link.query(), "?gamma1=0.8&v=4", "the last counts");
  });
}

test("what one page alone has is held to its rules", () => {
  const { link } = compare;
  const wrong = "?v=4&methods=a,a&columns=fused,none&difference=a&weights=12&size=huge&numbers=yes&pin=1,-2";
  assert.deepEqual(link.restore(wrong), ["methods", "columns", "difference", "weights", "size", "numbers", "pin"]);
  assert.equal(link.query(), "?v=4");
  assert.deepEqual(explore.link.restore("?area=1,2,1.5,9&v=4&weights=xyz&zoom=supports"), ["area", "weights", "zoom"]);
  assert.equal(explore.link.query(), "?v=4");
});

test("a tracked value tells of changes only, and to those that still listen", () => {
  const pixel = new Tracked(null, list(whole(0, 9), ({ length }) => length === 2));
  const told = [];
  const end = pixel.subscribe(() => told.push(pixel.text));
  pixel.value = [1, 2];
  pixel.value = [1, 2];
  assert.equal(pixel.restore("3,4"), true);
  assert.equal(pixel.restore("3,40"), false);
  pixel.reset();
  end();
  pixel.value = [5, 6];
  assert.deepEqual(told, ["1,2", "3,4", null]);
});

test("a value that follows from others is worked out when the link is written", () => {
  const sum = new Tracked(0, whole(0, 9));
  const link = new LinkState({ sum });
  let [times, told] = [0, 0];
  sum.derive(() => (times += 1));
  link.subscribe(() => (told += 1));
  sum.tell();
  sum.tell();
  assert.deepEqual([times, told], [0, 2]);
  assert.equal(link.query(), "?sum=1");
});

test("tied properties are the tracked values", () => {
  const { display } = explore.state;
  display.gamma1 = 0.7;
  explore.link.parts.zoom.value = "support";
  assert.deepEqual({ ...display }, { half: 12, followsSupport: true, gamma1: 0.7, gamma2: 0.5, air: false, gray: "unit", rgb: "own", scale: "paper" });
  assert.equal(explore.link.query(), "?gamma1=0.7&v=4&zoom=support");
  assert.deepEqual(Object.keys(tie({}, {})), []);
});

test("pinned pixels are part of the link, others are not", () => {
  explore.state.choose({ row: 3, col: 4 }, false);
  assert.equal(explore.link.query(), "?v=4");
  explore.state.choose({ row: 3, col: 4 }, true);
  assert.equal(explore.link.query(), "?pixel=3,4&v=4");
  const { a, b } = compare.state;
  Object.assign(a, { pixel: { row: 1, col: 2 }, pinned: true });
  b.pixel = { row: 5, col: 6 };
  compare.state.notePins();
  assert.equal(compare.link.query(), "?pin=5,6&pixel=1,2&v=4");
});

test("the other page gets what both have, in its words for the rest", () => {
  explore.link.restore("?pair=own&gamma2=0.9&pixel=1,2&zoom=7&area=1.5,2.5,5.5,8.5&method=masknet&regions=core~1b9e4b~b1.2.3.4");
  assert.equal(carried(explore.link, { methods: "masknet,deepfuse", zoom: "7" }),
    "?air=1&gamma2=0.9&gray=own&methods=masknet,deepfuse&pair=own&pixel=1,2&regions=core~1b9e4b~b1.2.3.4&v=4&zoom=7");
});

test("colours that nobody chose give way to those that the other page begins with, and come back as they were", () => {
  explore.link.restore("?pair=own&v=4");
  compare.link.restore(carried(explore.link, {}));
  assert.equal(compare.link.parts.scale.value, "signed");
  explore.link.restore(carried(compare.link, { scale: compare.link.parts.scale.value }));
  assert.equal(explore.link.parts.scale.value, "signed");
});

test("links are written as Python writes them", () => {
  assert.equal(write({ b: "x y", a: "1,2", c: null, d: undefined }), "?a=1,2&b=x+y");
  assert.equal(write({ name: "it's (ä)*!" }), "?name=it%27s+%28%C3%A4%29%2A%21");
  assert.equal(write({}), "");
  assert.deepEqual([decimal(1), decimal(0.35)], ["1.0", "0.35"]);
});
