/* Images of the rows: fetched once each as numbers, turned into bitmaps when their colours change. */

import * as difference from "./difference.mjs";
import { redraw } from "./frames.mjs";
import { state } from "./state.mjs";
import * as status from "./status-line.mjs";
import * as channel from "../core/channel.mjs";
import * as colours from "../painter/colours.mjs";
import { fill, hatched, linesOf, ofBands, ofGuidance, ofValues, picture } from "../painter/pixels.mjs";

/**
 * @import { Images } from "../core/channel.mjs"
 * @import { Limits, Painter } from "../painter/colours.mjs"
 * @import { Progress, Scene } from "./state.mjs"
 *
 * @typedef {object} Measured - What is known of guidance images, and of those that were asked for a range.
 * @property {Limits} [limits]
 * @property {[number, number][]} [ranges]
 * @property {[number, number]} [reach]
 * @property {number} [revision]
 * @property {number} [end]
 *
 * @typedef {Omit<Images, "band"> & { band: (index: number) => Float32Array } & Measured} Image
 */

/** @type {Map<string, Image>} */
const images = new Map(); // by scene and kind
/** @type {Map<string, { image: Image, look: string, canvas: HTMLCanvasElement }>} */
const bitmaps = new Map();
/** @type {Set<string>} */
const underWay = new Set();
/** @type {Map<string, string>} */
const failures = new Map(); // by scene and kind: why the last request failed
export const INPUT_COLOURS = ["x1_colour", "x2_colour"];
const COLOURS = ["rgb", "fused_colour", ...INPUT_COLOURS]; // three bands, of which there is no difference
const PICTURE_STEP = 0.04; // part of the computation after which growing pictures are fetched again

/**
 * The inputs and the air are the pair's, whatever the method.
 * @param {Scene} scene
 * @param {string} kind
 */
function nameOf(scene, kind) {
  return kind === "inputs" || kind === "air" ? `${scene.pair_id}/${kind}` : `${scene.key}/${kind}`;
}

/** @type {WeakMap<Image, Image>} */
const counted = new WeakMap(); // guidance images without the air

/**
 * What is air in a pair, 1 at each of its pixels; null where it counts as everything else does, or is not to be had.
 * @param {Scene} scene
 */
export function airOf(scene) {
  return state.display.air ? null : images.get(nameOf(scene, "air"))?.values || null;
}

/**
 * The guidance images of a method, without the air unless it counts; null while they are not here.
 * @param {Scene} scene
 */
function withoutAir(scene) {
  const guidance = images.get(nameOf(scene, "guidance")) || null;
  const air = airOf(scene);
  if (!guidance || state.display.air || (!air && failure(scene, "air"))) return guidance;
  if (!air) return null;
  const known = counted.get(guidance);
  if (known) return known;
  /** @type {Image} */
  const made = { ...channel.without(guidance, air), revision: guidance.revision };
  Object.assign(made, measured(made));
  counted.set(guidance, made);
  return made;
}

/**
 * The image of a row, null while it is not here; a difference has none of colours.
 * @param {Scene} scene
 * @param {string} kind
 * @returns {Image | null}
 */
export function get(scene, kind) {
  if (!scene.difference) return kind === "guidance" ? withoutAir(scene) : images.get(nameOf(scene, kind)) || null;
  const [first, second] = scene.difference.map((one) => get(one, kind));
  if (kind === "inputs") return first;
  return first && second && !COLOURS.includes(kind) ? difference.imageOf(kind, first, second) : null;
}

/**
 * Fetch images unless these, or newer ones, are here or on their way.
 * @param {Scene} scene
 * @param {string} kind
 * @param {number} revision
 */
export async function want(scene, kind, revision) {
  const name = nameOf(scene, kind);
  const known = images.get(name);
  if (underWay.has(name) || failures.has(name) || (known && (known.complete || known.revision === revision))) return;
  underWay.add(name);
  try {
    const path = `${state.facts().home}images/${channel.placeOf(scene)}/${kind}`;
    const { buffer } = await channel.fetchBinary(`${path}?viewer=${state.viewer}`);
    /** @type {Image} */
    const image = channel.decodeImages(buffer);
    image.revision = revision;
    if (kind === "guidance") Object.assign(image, measured(image));
    images.set(name, image);
    redraw();
  } catch (error) {
    const { message, retry: pause } = /** @type {Error & { retry?: number | null }} */ (error);
    failures.set(name, pause ? `${message} Trying again …` : message);
    status.fail(failures.get(name) || "");
    if (pause) setTimeout(() => retry(scene, kind), pause);
    redraw();
    return;
  } finally {
    underWay.delete(name);
  }
  // What has grown meanwhile, perhaps for the last time, was not asked for while this was on its way.
  wantAll();
}

/**
 * Why an image could not be fetched; empty where it is here or on its way.
 * @param {Scene} scene
 * @param {string} kind
 */
export function failure(scene, kind) {
  return failures.get(nameOf(scene, kind)) || "";
}

/**
 * Fetch an image again that could not be fetched, and all others that are missing.
 * @param {Scene} scene
 * @param {string} kind
 */
export function retry(scene, kind) {
  failures.delete(nameOf(scene, kind));
  redraw();
  wantAll();
}

/** @param {Image} image */
function measured(image) {
  return {
    limits: colours.limitsOf(image.values),
    ranges: [0, 1].map((index) => colours.rangeOf(image.band(index))),
  };
}

/** @type {(() => void)[]} */
const listeners = [];

/**
 * Have a function called whenever all that can be had shall be fetched.
 * @param {() => void} listener
 */
export function whenWanted(listener) {
  listeners.push(listener);
}

/** Fetch all that the columns show and that can be had. */
export function wantAll() {
  const common = state.common();
  if (!common) return;
  want(common, "inputs", 0);
  if (!state.display.air) want(common, "air", 0);
  INPUT_COLOURS.forEach((kind, index) => common.in_colour[index] && want(common, kind, 0));
  const rgb = state.columns.includes("guidance_rgb");
  for (const scene of state.ready()) {
    want(scene, "fused", 0);
    if (scene.pole) want(scene, "pole", 0);
    if (state.columns.includes("fused_colour")) want(scene, "fused_colour", 0);
    const progress = state.progress[scene.key];
    if (!progress || !progress.revision || !worthFetching(scene, progress)) continue;
    want(scene, "guidance", progress.revision);
    if (rgb) want(scene, "rgb", progress.revision);
  }
  listeners.forEach((listener) => listener());
  forget();
}

/**
 * Whether growing images have grown enough: colouring them halts the browser a while.
 * @param {Scene} scene
 * @param {Progress} progress
 */
function worthFetching(scene, { stage, fraction }) {
  const known = get(scene, "guidance");
  if (!known || known.complete || stage !== "running" || !known.fraction) return true;
  return fraction - known.fraction >= PICTURE_STEP;
}

/** Let go of what no row needs any more. */
function forget() {
  const keys = new Set(state.ready().flatMap((scene) => [scene.key, scene.pair_id]));
  for (const store of [images, bitmaps, failures]) {
    for (const name of store.keys()) if (!keys.has(name.split("/")[0])) store.delete(name);
  }
}

/**
 * The colours of guidance RGB on other ranges than the server's; null while what they are made of is not here.
 * @param {Scene} scene
 */
function mixed(scene) {
  const [guidance, fused] = [get(scene, "guidance"), get(scene, "fused")];
  if (!guidance || !fused) return null;
  const bands = [guidance.band(0), guidance.band(1), fused.band(0)];
  return ofGuidance(bands.map((values) => linesOf(values, fused.width)), state.display.rgb);
}

/**
 * The colours of an image's pixels; null where nothing can be drawn of it yet.
 * @param {Scene} scene
 * @param {string} kind
 * @param {number} index
 * @param {Painter | null} painter
 * @param {Image} image
 */
function coloursOf(scene, kind, index, painter, image) {
  const { width } = image;
  if (kind === "rgb" && (state.display.rgb === "common" || !state.display.air)) {
    const mix = mixed(scene);
    return mix && hatched(mix, airOf(scene), width);
  }
  if (COLOURS.includes(kind)) return ofBands([0, 1, 2].map(image.band), width);
  const colour = painter && ofValues(image.band(index), width, painter);
  return colour && kind === "guidance" ? hatched(colour, airOf(scene), width) : colour;
}

/**
 * A canvas of the image's own size whose pixels are painter(value); made anew when `look` is another name.
 * @param {Scene} scene
 * @param {string} kind
 * @param {number} index
 * @param {Painter | null} painter
 * @param {string} look
 */
export function bitmap(scene, kind, index, painter, look) {
  const image = get(scene, kind);
  if (!image) return null;
  const name = `${nameOf(scene, kind)}/${index}`;
  const known = bitmaps.get(name);
  if (known && known.image === image && known.look === look) return known.canvas;
  const { height, width } = image;
  const colour = coloursOf(scene, kind, index, painter, image);
  if (!colour) return null;
  const canvas = picture(width, height, (pixels) => fill(pixels, width, height, colour), known?.canvas);
  bitmaps.set(name, { image, look, canvas });
  return canvas;
}
