/* The principal pixel: its window's request, the update that shows it, and how long that took. */

import * as address from "../core/address.mjs";
import * as channel from "../core/channel.mjs";
import * as graphs from "./graphs.mjs";
import * as overlays from "./overlays.mjs";
import * as painting from "./paint.mjs";
import * as readAhead from "./read-ahead.mjs";
import * as readout from "./readout.mjs";
import { state } from "./state.mjs";

const KEPT_MEASURES = 1000;
const MEASURE = "hover-to-paint";
const DRAWING = "hover-painting";
let measures = [];
let newest = 0; // number of the newest request that was answered
let arrived = null; // an answer that has not been painted
let painted = false; // whether one has been painted since the last frame began

/** Make (row, col) the principal pixel; `start` is when the pointer or key event happened. */
export function choose(pixel, start, force) {
  if (!state.scene || !pixel) return;
  const same = state.pixel && state.pixel.row === pixel.row && state.pixel.col === pixel.col;
  if (same && !force) return;
  state.pixel = { row: pixel.row, col: pixel.col };
  graphs.FULL.forEach((panel) => overlays.moveBox(panel, state.pixel, state.display.half));
  if (state.pinned) address.later();
  ask({ scene: state.scene, pixel: state.pixel, start: start || performance.now() });
}

function deliver(answer, request, milliseconds) {
  if (!state.scene || answer.key !== state.scene.key || request.number < newest) return;
  newest = request.number;
  arrived = { answer, request, milliseconds };
  if (!painted) paint(false);
}

/** Paint what has arrived at once, as waiting for a frame to begin would often miss it; but once a frame. `begins`:
 *  whether a frame is just beginning, which then shows it. */
function paint(begins) {
  const { answer, request, milliseconds } = arrived;
  arrived = null;
  painted = true;
  requestAnimationFrame(() => {
    painted = false;
    if (arrived && state.scene && arrived.answer.key === state.scene.key) paint(true);
  });
  state.window = answer;
  const began = performance.now();
  painting.paintAll();
  // A newer pixel may be on its way: the boxes belong to it.
  graphs.FULL.forEach((panel) => overlays.moveBox(panel, state.pixel, state.display.half));
  readout.show();
  readout.status(milliseconds, answer);
  const drawing = { start: began, end: performance.now() };
  // The frame that shows it has ended when the one after it begins.
  const shown = () => measure(request, drawing);
  requestAnimationFrame(begins ? shown : () => requestAnimationFrame(shown));
}

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

/** Pin or let go; the readout says which. */
export function pin(pinned) {
  state.pinned = pinned;
  document.body.classList.toggle("pixel-pinned", pinned);
  readout.show();
  address.later();
  if (state.window) readout.status(0, state.window);
}

let prefix = null;
let atlas = null; // key of the scene whose newest window came from an atlas

function base() {
  if (prefix === null) {
    const config = document.getElementById("_dash-config");
    prefix = (config && JSON.parse(config.textContent).requests_pathname_prefix) || "/";
  }
  return prefix;
}

function atlasPath(scene) {
  return `${base()}${scene.jacobian_path.replace(/^jacobian/, "atlas")}/`;
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
  isCurrent: ({ scene }) => Boolean(state.scene) && scene.key === state.scene.key,
  deliver(answer, request, milliseconds) {
    deliver(answer, request, milliseconds);
    // Only where there is an atlas is it worth while to read ahead.
    atlas = answer.path === readAhead.ATLAS ? request.scene.key : null;
    if (atlas) readAhead.around(request.scene, request.pixel, atlasPath(request.scene));
  },
  fail: (message) => readout.fail(message),
  held: ({ scene, pixel }) => readAhead.held(scene, pixel),
});

/** Ask for the window of a request { scene, pixel, start }; `deliver` gets it. */
function ask(request) {
  readAhead.follow(request.scene, request.pixel, request.start);
  windows.ask(request);
}
