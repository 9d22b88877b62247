/* What the explore page shows now, and its link, which has a part of that. */

import { bit, differ, list, number, word, wordOr } from "../core/kinds.mjs";
import { LinkState, Tracked, tie } from "../core/tracked.mjs";
import { KINDS } from "../maps/kinds.mjs";
import * as colours from "../painter/colours.mjs";
import { EARLIER, HALF_WIDTH, NAME, WEIGHTS, placeOf, shared, shortWeights } from "../views/view-state.mjs";

/**
 * @import { Images, JacobianWindow } from "../core/channel.mjs"
 * @import { MapKind } from "../maps/kinds.mjs"
 * @import { Grays, Limits, Ranges, Scale } from "../painter/colours.mjs"
 * @import { Pixel } from "../painter/shapes.mjs"
 * @import { Rows } from "./graphs.mjs"
 *
 * @typedef {object} Scene - A pair with a method, as callbacks/selection.py gives it.
 * @property {string} key
 * @property {string} pair
 * @property {string} pair_address
 * @property {string} pair_id
 * @property {string} method_id
 * @property {string} method_title
 * @property {string} weights_id
 * @property {string[]} modalities
 * @property {number} height
 * @property {number} width
 * @property {number} aspect - Height of a pixel by its width.
 * @property {number[] | null} support_radius
 * @property {boolean[]} in_colour - Whether x1, and x2, is the luma of a colour picture.
 * @property {boolean} pole - Whether the method's fusion rule has one.
 * @property {boolean} large - Whether its images come by tiles.
 * @property {number[] | null} default_pixel
 * @property {string} device
 * @property {string} jacobian_path
 *
 * @typedef {{ gamma1: number, gamma2: number, scale: Scale, rgb: Ranges, air: boolean, gray: Grays, half: number, readonly followsSupport: boolean }} Display
 * @typedef {JacobianWindow & { key: string, compute: number | null }} ShownWindow
 * @typedef {Limits & { provisional: boolean, revision: string, stage: string, known: boolean, error: string | null }} GuidanceLimits
 * @typedef {{ row: number, col: number, levels: number[] }} Reach - Gray levels, both inputs of the pixel alone, then of its support.
 * @typedef {object} Grown - Guidance images while they grow (guidance.mjs).
 * @property {string} key
 * @property {string} revision
 * @property {Map<string, Rows>} images
 * @property {Images} points - What is known exactly.
 *
 * @typedef {object} State
 * @property {Scene | null} scene - What is shown: pair, method, size, support (from the server).
 * @property {Pixel | null} pixel - The principal pixel that the pointer asks for.
 * @property {ShownWindow | null} window - The Jacobian window last painted.
 * @property {Reach | null} reach - How far the derivatives of the shown pixel reach, once that is known.
 * @property {{ key: string, image: Images } | null} poles - How many features are near the pole of the fusion rule, by scene.
 * @property {{ pair: string, values: Float32Array } | null} air - What is air, once that is known of the pair.
 * @property {boolean} pinned
 * @property {string} mode - What dragging does: pixel, zoom, pan, box or lasso.
 * @property {Display} display
 * @property {GuidanceLimits | null} limits - How far the guidance images are, and the ends of the scales that come from them.
 * @property {Grown | null} grown
 * @property {string} viewer - This page's name on the server.
 * @property {(scene: Scene) => void} enter
 * @property {(pixel: Pixel | null, pinned: boolean) => void} choose
 * @property {() => boolean} isMoving
 * @property {() => boolean} isGrowing
 * @property {() => boolean} areEndsFinal
 * @property {() => string} contentName
 * @property {() => string} displayName
 * @property {() => number} guidanceEnd
 * @property {() => number} jacobianEnd
 * @property {() => number} endWait
 */

const FIRST_HALF = 12;
const END_MILLISECONDS = 1000; // the longest wait for the first grid of guidance images, which says where the scale ends
let entered = 0; // when the scene was
const AREA = list(number(-(2 ** 31), 2 ** 31), (edges) => {
  const [top, left, bottom, right] = edges;
  return edges.length === 4 && Math.min(bottom - top, right - left) >= 1 - 1e-6;
});

/** As ExploreState of app/link/view_state.py. */
export const link = new LinkState({
  ...shared("paper"),
  area: new Tracked(/** @type {number[] | null} */ (null), AREA),
  colour: new Tracked(false, bit),
  maps: new Tracked(/** @type {MapKind[]} */ ([]), list(word(KINDS), differ)),
  method: new Tracked("funfusean", NAME),
  weights: new Tracked(/** @type {string | null} */ (null), WEIGHTS),
  zoom: new Tracked(/** @type {number | "support"} */ (FIRST_HALF), wordOr("support", HALF_WIDTH)),
}, EARLIER.explore);

const { air, gamma1, gamma2, gray, rgb, scale } = link.parts;
const display = {
  half: FIRST_HALF,
  get followsSupport() {
    return link.parts.zoom.value === "support";
  },
};

export const state = /** @type {State} */ ({
  scene: null,
  pixel: null,
  window: null,
  reach: null,
  poles: null,
  air: null,
  pinned: false,
  mode: "pixel",
  display: tie(display, { air, gamma1, gamma2, gray, rgb, scale }),
  limits: null,
  grown: null,
  viewer: "",
});

/** Show another pair or method. */
state.enter = (scene) => {
  const { pair, method, weights } = link.parts;
  entered = performance.now();
  state.scene = scene;
  pair.value = scene.pair_address;
  method.value = scene.method_id;
  weights.value = shortWeights(scene);
};

/** Let this be the principal pixel; a link has it where it is pinned. */
state.choose = (pixel, pinned) => {
  Object.assign(state, { pixel, pinned });
  link.parts.pixel.value = pinned ? placeOf(pixel) : null;
};

/** Whether the window of the principal pixel is still on its way. */
state.isMoving = () => {
  const { pixel, window: shown } = state;
  return !pixel || !shown || pixel.row !== shown.row || pixel.col !== shown.col;
};

/** Whether guidance images are being computed, and painted as they come. */
state.isGrowing = () => state.limits?.stage === "running";

/** Whether the ends of the scales stay as they are: guidance images are complete, or were stopped. */
state.areEndsFinal = () => Boolean(state.limits && (!state.limits.provisional || (state.limits.known && !state.isGrowing())));

/** Names of what the zooms and Jacobian panels show, and of how; figures carry them in layout.meta. */
state.contentName = () => {
  const shown = state.window;
  const { air, gray, half, rgb } = state.display;
  return shown ? [shown.row, shown.col, half, rgb, air, gray].join() : "";
};
state.displayName = () => {
  const { gamma1, gamma2, scale } = state.display;
  const ends = state.limits && state.areEndsFinal() ? state.limits.revision : "provisional";
  return `${gamma1},${gamma2},${scale},${ends}`;
};

/** End of the guidance images' colour scale. */
state.guidanceEnd = () => colours.endOf(state.limits, state.display.scale);

/**
 * End of the Jacobian images' scale: the guidance images', from their first values on, so that completing them changes no
 * colour by much; the window's own before.
 */
state.jacobianEnd = () => {
  if (state.limits && (state.limits.known || !state.limits.provisional)) return state.guidanceEnd();
  if (!state.window) return 1;
  if (own.window !== state.window || own.scale !== state.display.scale) {
    own = { window: state.window, scale: state.display.scale, end: ownEnd(state.window) };
  }
  return own.end;
};

/**
 * For how many milliseconds yet Jacobian images wait for an end of their scale that stays: by their own windows' they would
 * change colours with the first grid of the guidance images, often more than twice as far. 0: they need not, or not any longer.
 */
state.endWait = () => {
  if (state.limits && (state.limits.known || !state.isGrowing())) return 0;
  return Math.max(0, entered + END_MILLISECONDS - performance.now());
};

/** @type {{ window: ShownWindow | null, scale: Scale, end: number }} */
let own = { window: null, scale: "paper", end: 1 };

/**
 * The end that the shown window alone would give.
 * @param {ShownWindow} window
 */
function ownEnd(window) {
  return colours.endOf(colours.limitsOf(window.values), state.display.scale);
}

/** The scene that is shown; for what is only called while there is one. */
export function shownScene() {
  return /** @type {Scene} */ (state.scene);
}

/** The window that is shown; for what is only called while there is one. */
export function shownWindow() {
  return /** @type {ShownWindow} */ (state.window);
}
