/* The principal pixel: its window's request, the update that shows it, and how long that took. */

import * as channel from "../core/channel.mjs";
import * as graphs from "./graphs.mjs";
import * as overlays from "./overlays.mjs";
import * as painting from "./paint.mjs";
import * as reach from "./reach.mjs";
import * as readAhead from "./read-ahead.mjs";
import * as readout from "./readout.mjs";
import { state } from "./state.mjs";
import * as waiting from "./waiting.mjs";

/**
 * @import { Pixel } from "../painter/shapes.mjs"
 * @import { Runs } from "./read-ahead.mjs"
 * @import { Scene, ShownWindow } from "./state.mjs"
 *
 * @typedef {{ scene: Scene, pixel: Pixel, start: number, number?: number, ahead?: Runs | null }} Asked
 * @typedef {{ answer: ShownWindow, request: Asked, milliseconds: number }} Arrived
 * @typedef {{ start: number, end: number }} Span
 */

const KEPT_MEASURES = 1000;
const MEASURE = "hover-to-paint";
const DRAWING = "hover-painting";
/** @type {(Span & { detail: Pixel })[]} */
let measures = [];
let newest = 0; // number of the newest request that was answered
/** @type {Arrived | null} */
let arrived = null; // an answer that has not been painted
let painted = false; // whether one has been painted since the last frame began

/**
 * Move the boxes of all full pictures around a pixel.
 * @param {Pixel} pixel
 */
function moveBoxes(pixel) {
  graphs.FULL.forEach((panel) => overlays.moveBox(panel, pixel, state.display.half));
}

/**
 * Make (row, col) the principal pixel; `start` is when the pointer or key event happened.
 * @param {Pixel | null} pixel
 * @param {number} [start]
 * @param {boolean} [force]
 */
export function choose(pixel, start, force) {
  if (!state.scene || !pixel) return;
  const same = state.pixel && state.pixel.row === pixel.row && state.pixel.col === pixel.col;
  if (same && !force) return;
  const chosen = { row: pixel.row, col: pixel.col };
  state.choose(chosen, state.pinned);
  moveBoxes(chosen);
  reach.leave();
  waiting.begin();
  ask({ scene: state.scene, pixel: chosen, start: start || performance.now() });
}

/**
 * @param {ShownWindow} answer
 * @param {Asked} request
 * @param {number} milliseconds
 */
function deliver(answer, request, milliseconds) {
  const { number = 0 } = request;
  if (!state.scene || answer.key !== state.scene.key || number < newest) return;
  newest = number;
  arrived = { answer, request, milliseconds };
  if (!painted) paint(arrived, false);
}

/**
 * Paint what has arrived at once, as waiting for a frame to begin would often miss it; but once a frame. `begins`:
 * whether a frame is just beginning, which then shows it.
 * @param {Arrived} arrival
 * @param {boolean} begins
 */
function paint({ answer, request, milliseconds }, begins) {
  arrived = null;
  painted = true;
  requestAnimationFrame(() => {
    painted = false;
    if (arrived && state.scene && arrived.answer.key === state.scene.key) paint(arrived, true);
  });
  state.window = answer;
  waiting.end();
  const began = performance.now();
  painting.paintAll();
  // A newer pixel may be on its way: the boxes belong to it.
  if (state.pixel) moveBoxes(state.pixel);
  readout.show();
  readout.status(milliseconds, answer);
  if (request.scene.support_radius) reach.rest(pathOf(request.scene, "reach"), answer);
  const drawing = { start: began, end: performance.now() };
  // The frame that shows it has ended when the one after it begins.
  const shown = () => measure(request, drawing);
  requestAnimationFrame(begins ? shown : () => requestAnimationFrame(shown));
}

/**
 * @param {Asked} request
 * @param {Span} drawing
 */
function measure({ start, pixel }, drawing) {
  const entry = { start, end: Math.max(performance.now(), start), detail: { row: pixel.row, col: pixel.col } };
  performance.measure(MEASURE, entry);
  performance.measure(DRAWING, drawing);
  measures.push(entry);
  if (measures.length > KEPT_MEASURES + 200) {
    measures = measures.slice(-KEPT_MEASURES);
    performance.clearMeasures(MEASURE);
    performance.clearMeasures(DRAWING);
    measures.forEach((kept) => performance.measure(MEASURE, kept));
  }
}

/**
 * Pin or let go; the readout says which.
 * @param {boolean} pinned
 */
export function pin(pinned) {
  state.choose(state.pixel, pinned);
  document.body.classList.toggle("pixel-pinned", pinned);
  readout.show();
  if (state.window) readout.status(0, state.window);
}

/** @type {string | null} */
let prefix = null;
/** @type {string | null} */
let atlas = null; // key of the scene whose newest window came from an atlas

export function base() {
  if (prefix !== null) return prefix;
  const config = document.getElementById("_dash-config");
  const found = String(JSON.parse(config?.textContent || "{}").requests_pathname_prefix || "./");
  prefix = found;
  return found;
}

/**
 * Where answers of a kind are for a scene, as `reach`.
 * @param {Scene} scene
 * @param {string} kind
 */
export function pathOf(scene, kind) {
  return `${base()}${scene.jacobian_path.replace(/^jacobian/, kind)}`;
}

/** @param {Scene} scene */
function atlasPath(scene) {
  return `${pathOf(scene, "atlas")}/`;
}

const windows = channel.make({
  nameOf: ({ scene, pixel }) => `${scene.key}/${pixel.row}/${pixel.col}`,
  addressOf(request) {
    const { scene, pixel } = request;
    request.ahead = atlas === scene.key ? readAhead.along(scene, pixel) : null;
    if (request.ahead) return `${atlasPath(scene)}${pixel.row}/${pixel.col}/${request.ahead.text}`;
    return `${base()}${scene.jacobian_path}/${pixel.row}/${pixel.col}`;
  },
  decode(buffer, { scene, ahead }) {
    const window = channel.decodeWindow(buffer, 0);
    if (ahead) readAhead.take(ahead, buffer, window.end);
    return { ...window, key: scene.key };
  },
  isCurrent: ({ scene }) => scene.key === state.scene?.key,
  deliver(answer, request, milliseconds) {
    deliver(answer, request, milliseconds);
    // Only where there is an atlas is it worth while to read ahead.
    atlas = answer.path === readAhead.ATLAS ? request.scene.key : null;
    if (atlas) readAhead.around(request.scene, request.pixel, atlasPath(request.scene));
  },
  fail(message, again) {
    readout.fail(message);
    waiting.fail("pixel", message, again ? null : () => choose(state.pixel, undefined, true));
  },
  held: ({ scene, pixel }) => readAhead.held(scene, pixel),
});

/**
 * Ask for the window of a request { scene, pixel, start }; `deliver` gets it.
 * @param {Asked} request
 */
function ask(request) {
  readAhead.follow(request.scene, request.pixel, request.start);
  windows.ask(request);
}
