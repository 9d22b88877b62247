/* What the compare page shows now. One object; what is drawn follows from it. */

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
 * @property {number} height
 * @property {number} width
 * @property {number[] | null} support_radius
 * @property {number[] | null} default_pixel
 * @property {string} device
 * @property {string} reach
 * @property {string} [error]
 * @property {Scene[]} [difference] - Of a row that is the difference of two others.
 *
 * @typedef {{ stage: string, fraction: number, revision: number }} Progress
 * @typedef {JacobianWindow & { limits?: Limits }} ShownWindow
 * @typedef {object} Shown - An answer: the windows of all methods at a pixel.
 * @property {number} row
 * @property {number} col
 * @property {string} setName
 * @property {Map<string, ShownWindow>} windows
 * @property {number | null} compute
 *
 * @typedef {{ pixel: Pixel | null, shown: Shown | null, pinned?: boolean }} Point
 *
 * @typedef {object} Display
 * @property {number} gamma1
 * @property {number} gamma2
 * @property {Scale} scale
 * @property {boolean} shared
 * @property {number | null} zoom
 * @property {string} size
 *
 * @typedef {{ home: string, first: Record<string, any>, largestZoom: number }} Facts
 */

/** @type {Facts | null} */
let own = null;

export const state = {
  /** @type {Scene[]} */
  scenes: [], // one a row: pair, method, size, support (from the server); those that failed have `error`
  /** @type {Record<string, Progress>} */
  progress: {}, // of the guidance images, by the scenes' keys (from the server)
  /** @type {string[]} */
  methods: [], // ids of methods in the order of the rows
  /** @type {string[]} */
  columns: [],
  numbers: false, // whether they are open
  /** @type {string[]} */
  difference: [], // ids of two methods, the second taken from the first; empty: no such row
  /** @type {Display} */
  display: { gamma1: 0.3, gamma2: 0.5, scale: "paper", shared: true, zoom: null, size: "fit" },
  /** @type {string | null} */
  pair: null, // the pair's address
  viewer: "",
  /** @type {Point} */
  a: { pixel: null, shown: null, pinned: false }, // the principal pixel, and the windows last painted
  /** @type {Point} */
  b: { pixel: null, shown: null }, // the second pixel, if one is pinned
  /** @type {Pixel | null} */
  held: null, // where A's zooms stay while the pointer is in one of them: they would run away from it

  /**
   * Where the page stands, as its layout says: the home address, the first view, the largest zoom.
   * @returns {Facts}
   */
  facts() {
    if (!own) {
      const { home, first, largestZoom } = /** @type {HTMLElement} */ (document.getElementById("compare-table")).dataset;
      own = { home: home || "/", first: JSON.parse(first || "{}"), largestZoom: Number(largestZoom) };
    }
    return own;
  },

  /** Put the scenes into the order of the methods. */
  reorder() {
    const byMethod = new Map(state.scenes.map((scene) => [scene.method_id, scene]));
    state.scenes = state.methods.flatMap((id) => byMethod.get(id) || []);
  },

  /** The scenes that can be shown, in the order of the rows. */
  ready: () => state.scenes.filter((scene) => !scene.error),

  /**
   * What all rows have in common: size, pair and modalities; null while there is no row.
   * @returns {Scene | null}
   */
  common: () => state.ready()[0] || null,

  /** Names a set of scenes, whatever their order. */
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

  /** Half-width of all zooms: what was asked for, else the largest support of the methods. */
  half() {
    if (state.display.zoom) return state.display.zoom;
    const supports = state.ready().flatMap((scene) => scene.support_radius || []);
    return Math.min(Math.max(1, ...supports), state.facts().largestZoom);
  },
};
