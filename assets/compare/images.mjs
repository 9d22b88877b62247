/* Images of the rows: fetched once each as numbers, turned into bitmaps when their colours change. */

import * as difference from "./difference.mjs";
import { redraw } from "./frames.mjs";
import { state } from "./state.mjs";
import * as status from "./status-line.mjs";
import * as channel from "../core/channel.mjs";
import * as colours from "../painter/colours.mjs";
import { fill, fillValues, linesOf, ofBands, ofGuidance, picture } from "../painter/pixels.mjs";

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
 * The inputs are the pair's, whatever the method.
 * @param {Scene} scene
 * @param {string} kind
 */
function nameOf(scene, kind) {
  return kind === "inputs" ? `${scene.pair_id}/inputs` : `${scene.key}/${kind}`;
}

/**
 * The image of a row, null while it is not here; a difference has none of colours.
 * @param {Scene} scene
 * @param {string} kind
 * @returns {Image | null}
 */
export function get(scene, kind) {
  if (!scene.difference) return images.get(nameOf(scene, kind)) || null;
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
  INPUT_COLOURS.forEach((kind, index) => common.in_colour[index] && want(common, kind, 0));
  const rgb = state.columns.includes("guidance_rgb");
  for (const scene of state.ready()) {
    want(scene, "fused", 0);
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
 * The colours of guidance RGB with one range for red and green; null while what they are made of is not here.
 * @param {Scene} scene
 */
function onCommonRange(scene) {
  const [guidance, fused] = [get(scene, "guidance"), get(scene, "fused")];
  if (!guidance || !fused) return null;
  const bands = [guidance.band(0), guidance.band(1), fused.band(0)];
  return ofGuidance(bands.map((values) => linesOf(values, fused.width)), "common");
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
  const mixed = kind === "rgb" && look === "common" ? onCommonRange(scene) : null;
  const canvas = picture(width, height, (pixels) => {
    if (COLOURS.includes(kind)) fill(pixels, width, height, mixed || ofBands([0, 1, 2].map(image.band), width));
    else if (painter) fillValues(pixels, image.band(index), painter);
  }, known?.canvas);
  bitmaps.set(name, { image, look, canvas });
  return canvas;
}
