/* The change that somebody has painted on the inputs of the pair that is shown: its strokes, and the way back. */

import { LONGEST_CODE, boxOf, read, union, write } from "./strokes.mjs";

/**
 * @import { Pixel } from "../painter/shapes.mjs"
 * @import { Tracked } from "../core/tracked.mjs"
 * @import { Box, Shape, Stroke } from "./strokes.mjs"
 *
 * @typedef {{ strokes: readonly Stroke[], past: (readonly Stroke[])[], future: (readonly Stroke[])[] }} Kept
 * @typedef {{ pair: string, pair_address: string, height: number, width: number }} OfPair
 * @typedef {{ pair_address: string, change?: string | null }} Linked
 * @typedef {(box: Box | null) => void} Listener - What may differ in the inputs.
 */

export const FULL = "The change is as long as a link can carry. Undo some of it, or paint with a larger brush.";
const MOST_STEPS = 200;
/** @type {Map<string, Kept>} */
const kept = new Map(); // by pair: what other pairs' changes were
/** @type {Listener[]} */
const listeners = [];
/** @type {OfPair | null} */
let scene = null;
// Strokes are replaced and never changed, so that the way back is a list of what was.
/** @type {Kept} */
let state = { strokes: [], past: [], future: [] };
/** @type {Linked | null} */
let asked = null; // from the server, until its pair is shown
/** @type {Tracked<string | null> | null} */
let said = null; // the part of the page's link

/** @param {Listener} listener */
export function listen(listener) {
  listeners.push(listener);
}

/**
 * Let a part of the page's link say the change.
 * @param {Tracked<string | null>} part
 */
export function say(part) {
  said = part;
}

/** @param {Box | null} box */
function tell(box) {
  if (said) said.value = code() || null;
  listeners.forEach((listener) => listener(box));
}

/**
 * What some strokes may touch.
 * @param {readonly Stroke[]} strokes
 */
export function touched(strokes) {
  const shape = /** @type {Shape} */ (scene);
  return strokes.reduce((box, { stamps, size }) => union(box, boxOf(stamps, size, shape)), /** @type {Box | null} */ (null));
}

/**
 * Show other strokes; those that both have at the beginning make no difference.
 * @param {readonly Stroke[]} strokes
 */
function show(strokes) {
  const before = state.strokes;
  let alike = 0;
  while (alike < Math.min(before.length, strokes.length) && before[alike] === strokes[alike]) alike += 1;
  state.strokes = strokes;
  tell(union(touched(before.slice(alike)), touched(strokes.slice(alike))));
}

/**
 * Show the change of this pair: the one it had before, or the one that the link has brought.
 * @param {OfPair} shown
 */
export function enter(shown) {
  if (scene?.pair === shown.pair) return;
  if (scene) kept.set(scene.pair, state);
  scene = shown;
  state = kept.get(shown.pair) || { strokes: [], past: [], future: [] };
  if (asked?.pair_address === shown.pair_address) take(asked);
  else tell(touched(state.strokes));
}

/**
 * Take over what the server read from a link.
 * @param {Linked | null} found
 */
export function take(found) {
  if (!found) return;
  if (scene?.pair_address !== found.pair_address) {
    asked = found;
    return;
  }
  asked = null;
  const strokes = read(found.change || "") || [];
  // What a link says is what the page begins with, and no step.
  if (!state.strokes.length && !canUndo()) show(strokes);
  else step(strokes);
}

/** @param {readonly Stroke[]} strokes */
function step(strokes) {
  state.past.push(state.strokes);
  if (state.past.length > MOST_STEPS) state.past.shift();
  state.future = [];
  show(strokes);
}

/**
 * Begin a stroke with its first stamp; false where there is no room for it.
 * @param {Stroke} stroke
 */
export function begin(stroke) {
  const strokes = [...state.strokes, stroke];
  if (!scene || write(strokes).length > LONGEST_CODE) return false;
  step(strokes);
  return true;
}

/**
 * Let the newest stroke go on through some places; false where there is no room for them.
 * @param {Pixel[]} stamps
 */
export function extend(stamps) {
  const last = state.strokes[state.strokes.length - 1];
  if (!last || !scene) return false;
  const strokes = [...state.strokes.slice(0, -1), { ...last, stamps: [...last.stamps, ...stamps] }];
  if (write(strokes).length > LONGEST_CODE) return false;
  state.strokes = strokes;
  tell(boxOf(stamps, last.size, scene));
  return true;
}

export function undo() {
  const before = state.past.pop();
  if (!before) return;
  state.future.push(state.strokes);
  show(before);
}

export function redo() {
  const after = state.future.pop();
  if (!after) return;
  state.past.push(state.strokes);
  show(after);
}

export function clear() {
  if (state.strokes.length) step([]);
}

/** All strokes; neither the list nor a stroke may be changed. */
export function all() {
  return state.strokes;
}

/** The change as a link has it; empty where there is none. */
export function code() {
  return write([...state.strokes]);
}

export function canUndo() {
  return state.past.length > 0;
}

export function canRedo() {
  return state.future.length > 0;
}
