/*
 * What a painted change does: the inputs as they are painted, here; how the fused image really changes, from the server while one
 * paints, around what is newest; and once one rests, what the derivative predicts.
 */

import * as channel from "../core/channel.mjs";
import { Painting } from "../change/painting.mjs";
import { lay } from "../change/response.mjs";
import * as strokes from "../change/strokes.mjs";
import * as painted from "../change/set.mjs";
import * as graphs from "./graphs.mjs";
import { pathOf } from "./pixel.mjs";
import { state } from "./state.mjs";

/**
 * @import { Part } from "../core/channel.mjs"
 * @import { Box } from "../change/strokes.mjs"
 * @import { Scene } from "./state.mjs"
 *
 * @typedef {{ serial: number, box: Box, time: number }} Change
 * @typedef {{ scene: Scene, code: string, box: Box, serial: number, time: number, number?: number }} Asked
 * @typedef {{ scene: Scene, code: string, kind: "linear" | "path", time: number, number?: number }} Wanted
 */

export const INPUTS = ["panel-mri", "panel-pet"];
const RESTS_MILLISECONDS = 100;
const MEASURES = { truth: "stroke-to-paint", linear: "rest-to-prediction" };
/** @type {(() => void)[]} */
const listeners = [];
/** @type {Painting | null} */
let inputs = null; // null until the pair's images are here
/** @type {string | null} */
let key = null; // of the scene that the rest is of
/** @type {Float32Array} */
let truth = new Float32Array(0); // y(x + Δ) − y(x), of the change that was last answered
/** @type {{ linear?: Float32Array, path?: Float32Array }} */
let predicted = {}; // of the change as it is
/** @type {Change[]} */
let unanswered = []; // what has changed since the one that was last answered
let serial = 0;
let outdated = 0; // answers to requests up to this serial say nothing of what is shown now
let asking = false;
let problem = "";
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/**
 * Call listener() after each change of what is shown.
 * @param {() => void} listener
 */
export function listen(listener) {
  listeners.push(listener);
}

function tell() {
  listeners.forEach((listener) => listener());
}

/** The inputs as they are painted; null where nothing is, or while the images are not here. */
export function changedInputs() {
  return inputs && painted.all().length ? inputs.images : null;
}

/** How the fused image changes: really, and as the two predictions have it once they are here; `current`: it is up to date. */
export function responses() {
  return { truth, ...predicted, current: !unanswered.length, problem };
}

/** Take the images of the pair over once they are drawn, and paint what is already known. */
function takeInputs() {
  const { scene } = state;
  const found = INPUTS.map(graphs.image);
  if (inputs || !scene || !found[0] || !found[1]) return;
  const originals = found.map((image) => Float64Array.from(/** @type {{ rows: Float32Array[] }} */ (image).rows.flatMap((row) => [...row])));
  inputs = new Painting(originals, scene);
  inputs.follow(painted.all());
  tell();
}

/** Begin anew for a scene: the same change may do something else. */
export function enter() {
  const { scene } = state;
  if (!scene || scene.key === key) return;
  key = scene.key;
  inputs = null;
  truth = new Float32Array(scene.height * scene.width);
  predicted = {};
  unanswered = [];
  outdated = serial;
  note(painted.touched(painted.all()));
  takeInputs();
}

/**
 * Note that the inputs may differ in a box, and ask what comes of it.
 * @param {Box | null} box
 */
function note(box) {
  predicted = {};
  problem = "";
  if (!painted.all().length) {
    truth.fill(0);
    unanswered = [];
    outdated = serial;
  } else if (box) {
    serial += 1;
    unanswered.push({ serial, box, time: performance.now() });
  }
  ask();
}

/** Ask for what has changed since the last answer, one request at a time. */
function ask() {
  const { scene } = state;
  clearTimeout(timer);
  if (!scene || !painted.all().length) return;
  if (unanswered.length) {
    if (asking) return;
    asking = true;
    const box = /** @type {Box} */ (unanswered.reduce((all, one) => strokes.union(all, one.box), /** @type {Box | null} */ (null)));
    const newest = unanswered[unanswered.length - 1];
    truths.ask({ scene, code: painted.code(), box, serial: newest.serial, time: newest.time });
  } else if (!predicted.linear || !predicted.path) {
    const kind = predicted.linear ? "path" : "linear";
    const begin = () => predictions.ask({ scene, code: painted.code(), kind, time: performance.now() });
    timer = setTimeout(begin, predicted.linear ? 0 : RESTS_MILLISECONDS);
  }
}

/**
 * @param {string} message
 * @param {boolean} again
 */
function fail(message, again) {
  problem = message;
  if (!again) asking = false;
  tell();
}

const truths = channel.make({
  nameOf: ({ scene, code, box }) => `${scene.key}/${code}/${edges(box)}`,
  addressOf: ({ scene, code, box }) => `${pathOf(scene, "change")}/true/${code}?box=${edges(box)}`,
  decode: channel.decodePart,
  isCurrent: () => true,
  deliver(part, request) {
    asking = false;
    if (request.scene.key === key) answered(part, request);
    ask();
  },
  fail,
});

/** @param {Box} box */
function edges({ top, left, bottom, right }) {
  return [top, left, bottom, right].join(".");
}

/**
 * @param {Part} part
 * @param {Asked} request
 */
function answered(part, request) {
  problem = "";
  unanswered = unanswered.filter((one) => one.serial > request.serial);
  if (request.serial <= outdated || !state.scene) return;
  lay(truth, state.scene.width, part);
  tell();
  measure(MEASURES.truth, request.time);
}

/**
 * Leave in the browser's timeline how long it was from `start` to the frame that shows what came of it.
 * @param {string} name
 * @param {number} start
 */
function measure(name, start) {
  requestAnimationFrame(() => performance.measure(name, { start, end: performance.now() }));
}

const predictions = channel.make({
  nameOf: ({ scene, code, kind }) => `${scene.key}/${code}/${kind}`,
  addressOf: ({ scene, code, kind }) => `${pathOf(scene, "change")}/${kind}/${code}`,
  decode: channel.decodePart,
  isCurrent: ({ scene, code }) => scene.key === key && code === painted.code(),
  deliver(part, { scene, code, kind, time }) {
    if (scene.key !== key || code !== painted.code() || unanswered.length) return;
    const image = new Float32Array(truth.length);
    lay(image, scene.width, part);
    predicted = { ...predicted, [kind]: image };
    tell();
    if (kind === "linear") measure(MEASURES.linear, time);
    ask();
  },
  fail,
});

painted.listen((box) => {
  if (state.scene?.key !== key) return;
  inputs?.follow(painted.all());
  note(box);
  tell();
});
graphs.listen({ drawn: () => takeInputs() });
