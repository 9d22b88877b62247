/*
 * The images of a large pair, of which this page never has the whole: tiles for what is in view, and exact values around the
 * principal pixel for zooms, readout and green points.
 */

import { state } from "./state.mjs";
import * as channel from "../core/channel.mjs";
import { Tiles } from "../core/tiles.mjs";
import { grayEnds } from "../painter/colours.mjs";
import { SparseRows, tilesIn } from "../painter/pyramid.mjs";

/**
 * @import { Pixel } from "../painter/shapes.mjs"
 * @import { GuidanceLimits, Scene } from "./state.mjs"
 *
 * @typedef {{ rows: Float32Array[], low: number, high: number, range: [number, number] }} Exact
 * @typedef {{ name: string, tiles: Tiles, before: Tiles | null, exact: SparseRows[] }} Kind - `before`: what is shown until there are newer tiles.
 */

/** @type {Record<string, [string, number]>} */
export const PLACES = {
  "panel-mri": ["inputs", 0], "panel-pet": ["inputs", 1], "panel-fused": ["fused", 0],
  "panel-guidance-mri": ["guidance", 0], "panel-guidance-pet": ["guidance", 1],
};
/** @type {Map<string, Kind>} */
const kinds = new Map();
/** @type {((message?: string) => void)[]} */
const listeners = [];
/** @type {WeakMap<Float32Array[], Exact>} */
const described = new WeakMap();

/**
 * Call listener() when something has come, listener(message) when something could not be had.
 * @param {(message?: string) => void} listener
 */
export function listen(listener) {
  listeners.push(listener);
}

/**
 * @param {string} kind
 * @param {string} name
 * @param {Scene} scene
 */
function open(kind, name, scene) {
  const known = kinds.get(kind);
  if (known?.name === name) return;
  const path = `pyramid/${channel.placeOf(scene)}/${kind}`;
  const tiles = new Tiles(path, state.viewer, () => listeners.forEach((one) => one()), (message) => listeners.forEach((one) => one(message)));
  // What grows stays until more of it has come.
  const same = kind === "guidance" && known?.name.startsWith(scene.key);
  known?.tiles.leave();
  const bands = kind === "fused" ? 1 : 2;
  const exact = Array.from({ length: bands }, () => new SparseRows(scene));
  kinds.set(kind, { name, tiles, before: same && known ? known.tiles : null, exact });
}

/**
 * Follow a scene and how far its guidance images are; those of small pairs are let go of.
 * @param {Scene} scene
 * @param {GuidanceLimits | null} limits
 */
export function follow(scene, limits) {
  const wanted = new Map();
  if (scene.large) {
    wanted.set("inputs", scene.pair_id).set("fused", scene.key);
    if (limits?.known) wanted.set("guidance", limits.revision);
  }
  for (const [kind, { tiles }] of kinds) {
    if (wanted.has(kind)) continue;
    tiles.leave();
    kinds.delete(kind);
  }
  wanted.forEach((name, kind) => open(kind, name, scene));
}

/**
 * The tiles of a panel's image, what was there before them, and which of their images it is; null while nothing is known of them.
 * @param {string} panel
 */
export function tilesOf(panel) {
  const [kind, band] = PLACES[panel] || [];
  const found = kind ? kinds.get(kind) : null;
  return found?.tiles.facts ? { tiles: found.tiles, before: found.before, band: band || 0, facts: found.tiles.facts } : null;
}

/**
 * A panel's image as rows, with numbers around the pixels that were asked for and NaN elsewhere; null while nothing is known of it.
 * @param {string} panel
 * @returns {Exact | null}
 */
export function image(panel) {
  const found = tilesOf(panel);
  if (!found) return null;
  const [kind, band] = PLACES[panel];
  const { rows } = /** @type {Kind} */ (kinds.get(kind)).exact[band];
  const range = found.facts.ranges[band];
  const [low, high] = grayEnds(/** @type {[number, number]} */ (range), state.display.gray);
  const known = described.get(rows);
  if (known?.low === low && known.high === high) return known;
  const made = { rows, low, high, range };
  described.set(rows, made);
  return made;
}

/**
 * Have the exact values around a pixel at hand.
 * @param {Pixel} pixel
 * @param {number} half
 */
export function near({ row, col }, half) {
  const { scene } = state;
  if (!scene) return;
  const part = { top: row - half, left: col - half, bottom: row + half + 1, right: col + half + 1 };
  for (const { tiles, exact } of kinds.values()) {
    const { facts } = tiles;
    if (!facts) continue;
    for (const tile of tilesIn(part, scene, 0, facts.side)) {
      if (exact.every((one) => one.has(tile, facts.side))) continue;
      const images = tiles.tile(tile);
      if (images) exact.forEach((one, band) => one.put(tile, images, images.band(band), facts.side));
    }
  }
}
