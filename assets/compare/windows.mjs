/* The Jacobian windows of all methods at a pixel, in one request. */

import { move, redraw } from "./frames.mjs";
import * as reach from "./reach.mjs";
import { state } from "./state.mjs";
import * as status from "./status-line.mjs";
import * as channel from "../core/channel.mjs";

/**
 * @import { Pixel } from "../painter/shapes.mjs"
 * @import { Point, Scene, Shown, ShownWindow } from "./state.mjs"
 *
 * @typedef {Omit<Shown, "compute">} Decoded
 * @typedef {{ scenes: Scene[], setName: string, pixel: Pixel, start: number, number: number }} Asked
 */

/** @param {Asked} request */
function addressOf({ scenes, pixel }) {
  const methods = scenes.map((scene) => `${scene.method_id}:${scene.weights_id}`).sort().join(",");
  return `${state.facts().home}jacobians/${scenes[0].pair_id}/${pixel.row}/${pixel.col}?methods=${methods}`;
}

/**
 * An answer has the windows in the order of the question, which is that of the methods' names.
 * @param {ArrayBuffer} buffer
 * @param {Asked} request
 * @returns {Decoded}
 */
function decode(buffer, { scenes, setName, pixel }) {
  const count = new Int32Array(buffer, 0, 1)[0];
  const keys = [...scenes].sort(byMethod).map((scene) => scene.key);
  /** @type {Map<string, ShownWindow>} */
  const windows = new Map();
  for (let index = 0, at = 4; index < count; index += 1) {
    const one = channel.decodeWindow(buffer, at);
    windows.set(keys[index], one);
    at = one.end;
  }
  return { row: pixel.row, col: pixel.col, setName, windows };
}

/**
 * @param {Scene} one
 * @param {Scene} other
 */
function byMethod(one, other) {
  const [first, second] = [one, other].map((scene) => `${scene.method_id}:${scene.weights_id}`);
  return first < second ? -1 : Number(first > second);
}

/**
 * Note why there is no answer for a point, or that there is one again.
 * @param {Point} point
 * @param {string} message
 */
function told(point, message) {
  point.failed = message;
  if (message) status.fail(message);
  redraw();
}

/**
 * Each of the two pixels has a channel of its own, so that neither takes the other's place.
 * @param {Point} point
 */
function channelFor(point) {
  let newest = 0;
  return channel.make({
    nameOf: ({ setName, pixel }) => `${setName}/${pixel.row}/${pixel.col}`,
    addressOf,
    decode,
    isCurrent: ({ setName }) => setName === state.setName() && point.pixel !== null,
    deliver: (answer, request, milliseconds) => {
      if (answer.setName !== state.setName() || request.number < newest || !point.pixel) return;
      newest = request.number;
      point.shown = answer;
      if (point.failed) told(point, "");
      status.show(answer, milliseconds);
      move(request.start);
      reach.rest(point);
    },
    fail: (message) => told(point, message),
  });
}

const channels = new Map([state.a, state.b].map((point) => [point, channelFor(point)]));

/**
 * Ask for the windows at a point's pixel; `start` is when the pointer or key event happened.
 * @param {Point} point
 * @param {number} [start]
 */
export function ask(point, start) {
  const scenes = state.ready();
  if (!scenes.length || !point.pixel) return;
  if (point.failed) told(point, "");
  channels.get(point)?.ask({ scenes, setName: state.setName(), pixel: point.pixel, start: start || performance.now() });
}
