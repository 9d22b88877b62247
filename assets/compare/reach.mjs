/* How far the derivatives at both pixels reach, method by method: asked for when a pixel rests, given up when it moves on. */

import * as channel from "../core/channel.mjs";
import { move } from "./frames.mjs";
import { state } from "./state.mjs";

/**
 * @import { Point, Scene } from "./state.mjs"
 *
 * @typedef {object} Resting
 * @property {string} name - Of the pixel.
 * @property {Map<string, number[]>} levels - By scene: gray levels, both inputs of the pixel alone, then of its support.
 * @property {ReturnType<typeof setTimeout>} timer
 */

const RESTS_MILLISECONDS = 300;
export const SHORT = 2; // gray levels: below that a Jacobian image is marked
/** @type {Map<Point, Resting>} */
const resting = new Map();

/**
 * Names the pixel whose windows a point shows; empty where it shows none.
 * @param {Point} point
 */
function nameOf({ pixel, shown }) {
  return shown && pixel && shown.row === pixel.row && shown.col === pixel.col ? `${state.common()?.pair_id}/${shown.row}/${shown.col}` : "";
}

/**
 * Ask once this pixel, whose windows are shown, has rested.
 * @param {Point} point
 */
export function rest(point) {
  const name = nameOf(point);
  const before = resting.get(point);
  if (before) clearTimeout(before.timer);
  resting.delete(point);
  if (!name) return; // a newer one is on its way
  const levels = before?.name === name ? before.levels : new Map();
  /** @type {Resting} */
  const mine = { name, levels, timer: setTimeout(() => askAll(point, mine), RESTS_MILLISECONDS) };
  resting.set(point, mine);
}

/**
 * Ask of one method after the other while the pixel rests. What is missing stays an ellipsis, and the next rest asks again.
 * @param {Point} point
 * @param {Resting} mine
 */
async function askAll(point, mine) {
  const { shown } = point;
  const isMine = () => resting.get(point) === mine && nameOf(point) === mine.name;
  for (const scene of state.ready()) {
    if (!shown || !isMine()) return;
    if (!scene.support_radius || mine.levels.has(scene.key)) continue;
    const address = `${state.facts().home}reach/${channel.placeOf(scene)}/${shown.row}/${shown.col}`;
    try {
      mine.levels.set(scene.key, [...new Int32Array((await channel.fetchBinary(address)).buffer)]);
    } catch {
      continue;
    }
    move();
  }
}

/**
 * How far a method's derivatives at a point reach; null where that is not known, or not asked for.
 * @param {Scene} scene
 * @param {Point} point
 */
export function levelsOf(scene, point) {
  const found = resting.get(point);
  return found && found.name === nameOf(point) ? found.levels.get(scene.key) || null : null;
}

/**
 * Whether the derivative does not even tell what two gray levels of an input do.
 * @param {Scene} scene
 * @param {Point} point
 * @param {number} index
 */
export function isShort(scene, point, index) {
  const levels = levelsOf(scene, point);
  return levels !== null && Math.min(levels[index], levels[index + 2]) < SHORT;
}
