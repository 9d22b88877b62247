/* What the compare page shows now, and its link, which has a part of that. What is drawn follows from it. */

import { bit, differ, list, text, word } from "../core/kinds.mjs";
import { LinkState, Tracked, tie } from "../core/tracked.mjs";
import { EARLIER, HALF_WIDTH, METHOD, PIXEL, placeOf, shared, shortWeights } from "../views/view-state.mjs";

/**
 * @import { JacobianWindow } from "../core/channel.mjs"
 * @import { Limits, Scale } from "../painter/colours.mjs"
 * @import { Pixel } from "../painter/shapes.mjs"
 *
 * @typedef {object} Scene - A pair with a method, as callbacks/compare.py gives it.
 * @property {string} key
 * @property {string} pair
 * @property {string} pair_id
 * @property {string} pair_address
 * @property {string} pair_title
 * @property {string} method_id
 * @property {string} method_title
 * @property {string} weights_id
 * @property {string[]} modalities
 * @property {boolean} simulated
 * @property {boolean[]} in_colour - Whether x1, and x2, is the luma of a colour picture.
 * @property {boolean} [pole] - Whether the method's fusion rule has one.
 * @property {number} height
 * @property {number} width
 * @property {number} aspect - Height of a pixel by its width.
 * @property {number[] | null} support_radius
 * @property {string} [brought] - How x2 came onto the pixels of x1.
 * @property {number[] | null} default_pixel
 * @property {string} device
 * @property {string} reach
 * @property {string} [error]
 * @property {Scene[]} [difference] - Of a row that is the difference of two others.
 *
 * @typedef {{ stage: string, fraction: number, revision: number, error?: string | null }} Progress
 * @typedef {JacobianWindow & { limits?: Limits }} ShownWindow
 * @typedef {object} Shown - An answer: the windows of all methods at a pixel.
 * @property {number} row
 * @property {number} col
 * @property {string} setName
 * @property {Map<string, ShownWindow>} windows
 * @property {number | null} compute
 *
 * @typedef {{ pixel: Pixel | null, shown: Shown | null, pinned?: boolean, failed?: string }} Point - `failed`: why there are no windows.
 *
 * @typedef {{ home: string, largestZoom: number, about: Record<string, [string, string]> }} Facts - `about`: sentences and equation of each column.
 */

export const COLUMNS = [
  "fused", "fused_colour", "guidance_mri", "guidance_pet", "guidance_rgb",
  "jacobian_mri", "jacobian_pet", "jacobian_mri_zoom", "jacobian_pet_zoom", "scatter",
  "response_mri", "response_pet", "reach_mri", "reach_pet", "influence_mri", "influence_pet",
];
const MOST_METHODS = 16;
const METHODS = list(METHOD, (ids) => ids.length <= MOST_METHODS && differ(ids));
const TWO_METHODS = list(METHOD, (ids) => (!ids.length || ids.length === 2) && differ(ids));
const WEIGHTS = list(text(/^([0-9a-f]{8,64})?$/), ({ length }) => length <= MOST_METHODS);
/** @type {string[]} */
const NONE = [];

/** As CompareState of app/link/view_state.py. */
export const link = new LinkState({
  ...shared("signed"),
  columns: new Tracked(NONE, list(word(COLUMNS), differ)),
  difference: new Tracked(NONE, TWO_METHODS),
  methods: new Tracked(NONE, METHODS),
  numbers: new Tracked(false, bit),
  pin: new Tracked(/** @type {number[] | null} */ (null), PIXEL),
  shared: new Tracked(true, bit),
  size: new Tracked(/** @type {"fit" | "large"} */ ("fit"), word(["fit", "large"])),
  // What is not known at the end is left out.
  weights: new Tracked(NONE, { ...WEIGHTS, read: (ids) => WEIGHTS.read(ids.replace(/,+$/, "")) }),
  zoom: new Tracked(/** @type {number | null} */ (null), HALF_WIDTH),
}, EARLIER.compare);

/** @type {Facts | null} */
let own = null;

const { air, columns, difference, gamma1, gamma2, gray, methods, numbers, pair, rgb, scale, size, zoom } = link.parts;

export const state = tie({
  /** @type {Scene[]} */
  scenes: [], // one a row: pair, method, size, support (from the server); those that failed have `error`
  /** @type {Record<string, Progress>} */
  progress: {}, // of the guidance images, by the scenes' keys (from the server)
  display: tie({}, { air, gamma1, gamma2, gray, rgb, scale, shared: link.parts.shared, zoom, size }),
  viewer: "",
  /** @type {Point} */
  a: { pixel: null, shown: null, pinned: false }, // the principal pixel, and the windows last painted
  /** @type {Point} */
  b: { pixel: null, shown: null }, // the second pixel, if one is pinned
  /** @type {Pixel | null} */
  held: null, // where A's zooms stay while the pointer is in one of them: they would run away from it

  /**
   * What the layout says: the home address, the largest zoom, what the columns are.
   * @returns {Facts}
   */
  facts() {
    if (!own) {
      const { home, largestZoom, about } = /** @type {HTMLElement} */ (document.getElementById("compare-table")).dataset;
      own = { home: home || "./", largestZoom: Number(largestZoom), about: JSON.parse(about || "{}") };
    }
    return own;
  },

  /** Put the scenes into the order of the methods. */
  reorder() {
    const byMethod = new Map(state.scenes.map((scene) => [scene.method_id, scene]));
    state.scenes = state.methods.flatMap((id) => byMethod.get(id) || []);
    link.parts.weights.tell();
  },

  /** Let the link say which pixels are pinned. */
  notePins() {
    link.parts.pixel.value = state.a.pinned ? placeOf(state.a.pixel) : null;
    link.parts.pin.value = placeOf(state.b.pixel);
  },

  /**
   * The scenes that can be shown, in the order of the rows.
   * @returns {Scene[]}
   */
  ready: () => state.scenes.filter((scene) => !scene.error),

  /**
   * What all rows have in common: size, pair and modalities; null while there is no row.
   * @returns {Scene | null}
   */
  common: () => state.ready()[0] || null,

  /**
   * Names a set of scenes, whatever their order.
   * @returns {string}
   */
  setName: () => state.ready().map((scene) => scene.key).sort().join("+"),

  /**
   * The pixels that are shown, the principal one first, with the windows that have arrived.
   * @returns {Point[]}
   */
  points: () => [state.a, state.b].filter((point) => point.pixel),

  /**
   * The pixel in the middle of a point's zooms.
   * @param {Point} point
   * @returns {Pixel}
   */
  centreOf: (point) => (point === state.a && state.held) || point.shown || /** @type {Pixel} */ (point.pixel),

  /**
   * Half-width of all zooms: what was asked for, else the largest support of the methods.
   * @returns {number}
   */
  half() {
    if (state.display.zoom) return state.display.zoom;
    const supports = state.ready().flatMap((scene) => scene.support_radius || []);
    return Math.min(Math.max(1, ...supports), state.facts().largestZoom);
  },
}, { columns, difference, methods, numbers, pair });

/** The short ids of all rows' weights, in the order of the methods; empty where a method cannot be had. */
link.parts.weights.derive(() => {
  const known = new Map(state.ready().map((scene) => [scene.method_id, shortWeights(scene)]));
  const ids = state.methods.map((id) => known.get(id) || "");
  return ids.slice(0, ids.findLastIndex(Boolean) + 1);
});
