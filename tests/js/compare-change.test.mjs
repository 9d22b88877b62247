import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import "./page.mjs";

// No answer ever comes: what is tested follows from the scenes alone.
globalThis.fetch = () => new Promise(() => {});
window.dash_clientside = { no_update: Symbol("no update") };

const { change } = await import("../../assets/compare/change.mjs");
const { link, state } = await import("../../assets/compare/state.mjs");

state.facts = () => ({ home: "/", largestZoom: 64 });

const START = { methods: ["one"], columns: ["fused"], pixel: null, pin: null };
const scenes = (pair, { error, height = 40 } = {}) => [{
  key: `${pair}-one`, pair, pair_id: pair, pair_address: pair, method_id: "one", method_title: "One", weights_id: "0123456789",
  modalities: ["MRI", "PET"], height, width: 60, support_radius: [3, 5], default_pixel: [7, 8], in_colour: [false, false], error,
}];
let opened = START;

/** What the page has of these scenes, chosen in the menu as this pair; `progress` is a poll's. */
function take(found, pair, progress = {}) {
  change(found, progress, ["fused"], 0.3, 0.5, "paper", true, null, "fit", null, null, false, false, false, pair, opened, "viewer");
}
const told = () => ["pair", "pixel", "pin"].map((key) => link.parts[key].value);

beforeEach(() => {
  opened = { ...START };
});

test("the address of a new pair has no pixel that was let go in the pair before", () => {
  take(scenes("first"), "first");
  Object.assign(state.a, { pixel: { row: 20, col: 30 }, pinned: false });
  take(scenes("second"), "second");
  assert.deepEqual(told(), ["second", null, null]);
  assert.deepEqual(state.a.pixel, { row: 7, col: 8 }, "the pair's own");
});

test("nor where no method could be shown in between", () => {
  take(scenes("first"), "first");
  Object.assign(state.a, { pixel: { row: 20, col: 30 }, pinned: false });
  take(scenes("broken", { error: "It is broken." }), "broken");
  take(scenes("second"), "second");
  assert.deepEqual(state.a.pixel, { row: 7, col: 8 });
});

test("pinned pixels stay where the new pair has them, and go where it has not", () => {
  take(scenes("first"), "first");
  Object.assign(state.a, { pixel: { row: 20, col: 30 }, pinned: true });
  state.b.pixel = { row: 35, col: 1 };
  take(scenes("second", { height: 30 }), "second");
  assert.deepEqual(told(), ["second", [20, 30], null]);
});

test("a poll does not give the address a pair whose scenes are not here yet", () => {
  const first = scenes("first");
  take(first, "first");
  Object.assign(state.a, { pixel: { row: 20, col: 30 }, pinned: true });
  take(first, "second", { "first-one": { stage: "running", fraction: 0.5, revision: 1 } });
  assert.deepEqual(told(), ["first", [20, 30], null]);
});
