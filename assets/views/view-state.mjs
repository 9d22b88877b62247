/* What links to both pages carry, as ViewState of app/link/view_state.py has it; each page adds its own (its state.mjs). */

import { CODE } from "../change/strokes.mjs";
import { bit, list, number, text, whole, word } from "../core/kinds.mjs";
import { KIND as EXPLAINED } from "../explain/question.mjs";
import { Said, Tracked, write } from "../core/tracked.mjs";

/**
 * @import { LinkState } from "../core/tracked.mjs"
 * @import { Grays, Ranges, Scale } from "../painter/colours.mjs"
 * @import { Pixel } from "../painter/shapes.mjs"
 */

export const LARGEST_ZOOM = 64; // half-width, pixels
const MOST_REGIONS = 12;
const WEIGHTS_DIGITS = 8;
const INDEX = whole(0, 2 ** 31 - 1);
const UNSEEN = "\\p{Cc}\\p{Zl}\\p{Zp}\\u{202a}-\\u{202e}\\u{2066}-\\u{2069}";
const CARRIED = ["air", "change", "explain", "gamma1", "gamma2", "gray", "pair", "pixel", "pole", "regions", "rgb", "scale", "v"];
const VERSION = 4; // of the links that are written

const GAMMA = number(0.1, 2);
export const NAME = text(new RegExp(`^[^${UNSEEN}]{1,200}$`, "u"));
export const PIXEL = list(INDEX, ({ length }) => length === 2);
export const HALF_WIDTH = whole(1, LARGEST_ZOOM);
export const WEIGHTS = text(/^[0-9a-f]{8,64}$/);
export const METHOD = text(new RegExp(`^[^${UNSEEN},:/]{1,100}$`, "u"));
const REGION = text(/^[^~,]{1,400}~[0-9a-f]{6}~(s[0-9a-f]{32}|b[0-9._]*|r[A-Za-z0-9_-]+)(~[a-z][0-9]{0,3}){0,8}$/);

const SHARED_1 = { pair: "glioma-t2", pixel: null, gamma1: 0.3, gamma2: 0.5, scale: "paper", rgb: "own", air: true, gray: "own", regions: [] };
const SHARED_2 = { ...SHARED_1, pair: null };
const EXPLORE_1 = { method: "funfusean", weights: null, zoom: 12, area: null };
const COMPARE_1 = {
  methods: ["weighted_averaging", "funfusean", "masknet", "deepfuse", "deep_pedestrian"],
  columns: ["fused", "guidance_mri", "guidance_pet", "jacobian_mri_zoom", "jacobian_pet_zoom", "scatter"],
  difference: [], numbers: false, pin: null, shared: true, size: "fit", weights: [], zoom: null,
};
/**
 * By page: what links of earlier versions mean by a key that they leave out, for ever (app/link/earlier.py). A table is
 * added when a default changes and the version with it; none that is here ever changes.
 * @satisfies {Record<string, import("../core/tracked.mjs").Earlier>}
 */
export const EARLIER = {
  explore: {
    1: { ...SHARED_1, ...EXPLORE_1 },
    2: { ...SHARED_2, ...EXPLORE_1 },
    3: { ...SHARED_2, ...EXPLORE_1 },
  },
  compare: {
    1: { ...SHARED_1, ...COMPARE_1 },
    2: { ...SHARED_2, ...COMPARE_1 },
    3: { ...SHARED_2, ...COMPARE_1, scale: "signed" },
  },
};

/**
 * What both pages' links have, by key.
 * @param {Scale} scale - The page's colour scale at first.
 */
export function shared(scale) {
  return {
    v: new Said(VERSION, whole(1, VERSION)),
    air: new Tracked(false, bit),
    change: new Tracked(/** @type {string | null} */ (null), CODE),
    explain: new Tracked(/** @type {string | null} */ (null), EXPLAINED),
    gamma1: new Tracked(0.3, GAMMA),
    gamma2: new Tracked(0.5, GAMMA),
    gray: new Tracked(/** @type {Grays} */ ("unit"), word(["unit", "own"])),
    pair: new Tracked(/** @type {string | null} */ (null), NAME),
    pixel: new Tracked(/** @type {number[] | null} */ (null), PIXEL),
    pole: new Tracked(false, bit),
    regions: new Tracked(/** @type {string[]} */ ([]), list(REGION, ({ length }) => length <= MOST_REGIONS)),
    rgb: new Tracked(/** @type {Ranges} */ ("own"), word(["own", "common"])),
    scale: new Tracked(scale, word(["paper", "signed", "robust"])),
  };
}

/**
 * A pixel as links have it; null where there is none.
 * @param {Pixel | null} pixel
 */
export function placeOf(pixel) {
  return pixel && [pixel.row, pixel.col];
}

/**
 * The first digits of the id of a scene's weights.
 * @param {{ weights_id: string }} scene
 */
export function shortWeights(scene) {
  return scene.weights_id.slice(0, WEIGHTS_DIGITS);
}

/**
 * What a link to another page carries of this page's view.
 * @param {LinkState<any>} link
 * @param {import("../core/tracked.mjs").Texts} own - What is said in that page's own words.
 */
export function carried(link, own) {
  const texts = link.texts();
  return write({ ...Object.fromEntries(CARRIED.map((key) => [key, texts[key]])), ...own });
}
