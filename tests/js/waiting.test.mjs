import assert from "node:assert/strict";
import { test } from "node:test";

import "./page.mjs";

const { reasonOf } = await import("../../assets/explore/waiting.mjs");
const { joined } = await import("../../assets/core/notices.mjs");
const { scaleOf } = await import("../../assets/core/print.mjs");
const dash = await import("../../assets/core/dash-requests.mjs");

const COMPLETE = { stage: "complete", known: true };
const SETTLED = {
  entered: true, choosing: null, pixel: null, since: 0, unscaled: false, limits: COMPLETE, percent: 100, failures: {},
};
const texts = (facts, ...panels) => panels.map((panel) => reasonOf(panel, { ...SETTLED, ...facts })?.text ?? null);
const PANELS = ["panel-fused", "panel-mri-zoom", "panel-guidance-rgb", "panel-jacobian-pet", "panel-scatter"];

test("a page that has everything waits for nothing", () => {
  assert.deepEqual(texts({}, ...PANELS), [null, null, null, null, null]);
});

test("before anything is there every panel waits for what is its own", () => {
  assert.deepEqual(texts({ entered: false, limits: null }, ...PANELS),
    ["First picture", "First picture", "Guidance", "Jacobian image", "Guidance"]);
});

test("another method leaves the inputs as they are, another pair does not", () => {
  const choosing = { pair: false, since: 1 };
  assert.deepEqual(texts({ choosing }, "panel-mri", "panel-mri-zoom", "panel-fused", "panel-jacobian-mri"),
    [null, null, "Fused image", "Jacobian image"]);
  assert.deepEqual(texts({ choosing: { ...choosing, pair: true } }, "panel-pet"), ["Input image"]);
});

test("a window is waited for by its pixel, and whoever waits for guidance images is told how far they are", () => {
  const limits = { stage: "running", known: true };
  assert.deepEqual(texts({ pixel: { row: 13, col: 17 }, limits, percent: 34 }, ...PANELS, "panel-guidance-mri-zoom"),
    [null, "Zoom at (13, 17)", "Guidance 34 %", "Jacobian of (13, 17)", "Guidance 34 %", "Zoom at (13, 17)"]);
  assert.equal(reasonOf("panel-scatter", { ...SETTLED, limits, percent: 34 }).part, 0.34);
  assert.equal(reasonOf("panel-scatter", { ...SETTLED, limits, percent: 0 }).part, null, "nobody knows yet");
});

test("a Jacobian image waits for the end of its scale, and nothing else does", () => {
  assert.deepEqual(texts({ unscaled: true }, ...PANELS, "panel-jacobian-mri-zoom"),
    [null, null, null, "Jacobian image", null, "Jacobian image"]);
});

test("what has failed can be tried again where it failed, unless the page does so itself", () => {
  const again = () => {};
  const failures = { pixel: { message: "Gone.", again } };
  const facts = { ...SETTLED, pixel: { row: 1, col: 2 }, failures };
  const full = reasonOf("panel-jacobian-mri", facts);
  assert.deepEqual([full.text, full.act, full.part], ["Jacobian of (1, 2): Gone.", again, undefined]);
  assert.equal(reasonOf("panel-pet-zoom", facts).act, undefined, "one button is enough");
  failures.pixel.again = null;
  assert.equal(reasonOf("panel-jacobian-mri", facts).act, undefined);
  const scene = { ...SETTLED, failures: { scene: { message: "Gone.", again } } };
  assert.deepEqual(PANELS.map((panel) => reasonOf(panel, scene)?.act ?? null), [again, null, null, null, null]);
  const rest = { ...SETTLED, failures: { rest: { message: "Gone.", again } } };
  assert.equal(reasonOf("panel-jacobian-pet", rest).act, again);
});

test("guidance images that nobody computes have a button that does", () => {
  for (const limits of [{ stage: "waiting", known: true }, { stage: "failed", known: false, error: "No memory." }]) {
    const { text, action } = reasonOf("panel-guidance-pet", { ...SETTLED, limits });
    assert.equal(action, "Compute");
    assert.equal(text.includes("No memory."), limits.stage === "failed");
  }
});

test("requests of Dash's are told of, and their failures", async () => {
  const seen = [];
  dash.listen({ sent: ({ outputs }) => seen.push(outputs), ended: ({ values }, failure) => seen.push([values.pair, failure]) });
  const body = JSON.stringify({ output: "..scene.data..", inputs: [{ id: "pair", property: "value", value: "own" }] });
  const answers = [
    { ok: true, headers: new Headers() },
    { ok: true, headers: new Headers({ "Fusevis-Failure": "No%20such%20pair." }) },
    { ok: false, status: 500, headers: new Headers() },
  ];
  const fetch = dash.told(async () => answers.shift());
  for (let call = 0; call < 3; call += 1) await fetch("/_dash-update-component", { body });
  assert.deepEqual(seen.filter(Array.isArray), [["own", null], ["own", "No such pair."], ["own", "The server answered 500."]]);
  const broken = dash.told(async () => Promise.reject(new TypeError("network")));
  await assert.rejects(broken("/_dash-update-component", { body }));
  assert.match(seen.at(-1)[1], /does not answer/);
  answers.push("untouched");
  assert.equal(await fetch("/images/1", {}), "untouched");
  assert.equal(seen.length, 8);
});

test("notices that are replaced are kept, those that were closed are not, and none is there twice", () => {
  assert.deepEqual(joined([], ["a", "b"], ["b"]), [], "a was closed");
  assert.deepEqual(joined(["b"], ["a"], ["c"]), ["a", "b"]);
  assert.deepEqual(joined(["b", "a"], ["c"], ["b"]), ["c", "a"], "b is open again");
  assert.deepEqual(joined(["a"], ["a"], ["c"]), ["a"]);
});

test("pictures of every shape fit one sheet", () => {
  for (const [width, height] of [[1440, 700], [2560, 1300], [390, 6000]]) {
    const scale = scaleOf(width, height);
    assert.ok(width * scale <= 1047.01 && height * scale <= 622.01);
    assert.ok(Math.max((width * scale) / 1047, (height * scale) / 622) > 0.999, "and fill it");
  }
});
