/* The kinds of maps, numbers of every fused pixel: their colours, the ends of their scales, and words for their numbers. */

import { number } from "../painter/bars.mjs";
import * as colours from "../painter/colours.mjs";

/**
 * @import { Painter } from "../painter/colours.mjs"
 * @typedef {"response" | "reach" | "influence"} MapKind - As MapKind of fusion/saliency/maps.py.
 * @typedef {{ height: number, width: number, values: Float32Array }} Bands - The images of a map, those of both inputs first.
 */

/** @type {readonly MapKind[]} */
export const KINDS = ["response", "reach", "influence"];
/** @type {Record<MapKind, string>} */
export const TITLES = { response: "Response to", reach: "Reach in", influence: "All influence of" };
/** @type {Record<MapKind, string>} */
export const NAMES = { response: "Response", reach: "Reach", influence: "All influence" };
const STEPS = [1, 2, 4, 8, 16, 32, 64]; // gray levels, as STEPS of fusion/saliency/reach.py
const MOST = STEPS[STEPS.length - 1];

/**
 * @param {string} kind
 * @returns {kind is MapKind}
 */
export function isMap(kind) {
  return KINDS.some((one) => one === kind);
}

/**
 * The place of gray levels among 0 and the steps, 0 to 7, as reach_places of fusion/saliency/reach.py.
 * @param {number} levels
 */
export function placeOf(levels) {
  return Number.isNaN(levels) ? NaN : STEPS.filter((step) => step <= levels).length;
}

/**
 * The images of x1 and x2; an influence has two more, with signs.
 * @param {Bands} images
 */
function ofBoth({ height, width, values }) {
  return values.subarray(0, 2 * height * width);
}

/**
 * Where the scale of a map ends, for all images that share it, as map_end of app/export/maps.py.
 * @param {MapKind} kind
 * @param {Bands[]} images
 */
export function endOf(kind, images) {
  if (kind === "reach") return STEPS.length;
  const ends = images.map((one) => {
    const { magnitude, maximum } = colours.limitsOf(ofBoth(one));
    return kind === "response" ? magnitude : maximum;
  });
  return Math.max(0, ...ends) || 1;
}

/**
 * The painter of a map: a response has a sign, the others have none, whatever the scale of gradients.
 * @param {MapKind} kind
 * @param {number} gamma - That of guidance images.
 * @param {number} end
 * @returns {Painter}
 */
export function painterOf(kind, gamma, end) {
  if (kind !== "reach") return colours.gradientPainter(kind === "response" ? "signed" : "paper", gamma, end);
  const paint = colours.gradientPainter("paper", 1, end);
  return (levels) => paint(placeOf(levels));
}

/**
 * What the bar of a map shows: its painter by place, from low to high, and what stands at its ends.
 * @param {MapKind} kind
 * @param {number} gamma
 * @param {number} end
 * @returns {{ paint: Painter, low: number, high: number, ends: string[] }}
 */
export function barOf(kind, gamma, end) {
  if (kind !== "reach") {
    const low = kind === "response" ? -end : 0;
    return { paint: painterOf(kind, gamma, end), low, high: end, ends: [number(low), number(end)] };
  }
  const paint = colours.gradientPainter("paper", 1, end);
  return { paint: (place) => paint(Math.round(place)), low: 0, high: end, ends: ["0", `${levelsWords(MOST)} levels`] };
}

/**
 * How far a derivative holds, in gray levels; the largest change that is tried is no end.
 * @param {number} levels
 */
export function levelsWords(levels) {
  return levels >= MOST ? `±${levels} or more` : `±${levels}`;
}

/**
 * A number of a map in words.
 * @param {MapKind} kind
 * @param {number} value
 */
export function wordsOf(kind, value) {
  if (Number.isNaN(value)) return "–";
  if (kind === "reach") return `${levelsWords(value)} levels`;
  return `${number(value)}${kind === "response" && value < 0 ? ", reversed" : ""}`;
}

/**
 * The part of the known pixels of an image that become darker where the input becomes brighter, 0 to 1; null of no pixel.
 * @param {ArrayLike<number>} values
 */
export function reversedShare(values) {
  let [known, negative] = [0, 0];
  for (let at = 0; at < values.length; at += 1) {
    if (Number.isNaN(values[at])) continue;
    known += 1;
    if (values[at] < 0) negative += 1;
  }
  return known ? negative / known : null;
}
