/* Images of the rows: fetched once each as numbers, turned into bitmaps when their colours change. */

import * as difference from "./difference.mjs";
import { redraw } from "./frames.mjs";
import { state } from "./state.mjs";
import * as status from "./status-line.mjs";
import * as channel from "../core/channel.mjs";
import * as colours from "../painter/colours.mjs";
import { fill, fillValues, ofBands, picture } from "../painter/pixels.mjs";

const images = new Map(); // by scene and kind
const bitmaps = new Map();
const underWay = new Set();
const PICTURE_STEP = 0.04; // part of the computation after which growing pictures are fetched again

/** The inputs are the pair's, whatever the method. */
function nameOf(scene, kind) {
  return kind === "inputs" ? `${scene.pair_id}/inputs` : `${scene.key}/${kind}`;
}

/** The image of a row, null while it is not here; a difference has none of guidance RGB. */
export function get(scene, kind) {
  if (!scene.difference) return images.get(nameOf(scene, kind)) || null;
  const [first, second] = scene.difference.map((one) => get(one, kind));
  if (kind === "inputs") return first;
  return first && second && kind !== "rgb" ? difference.imageOf(kind, first, second) : null;
}

/** Fetch images unless these, or newer ones, are here or on their way. */
async function want(scene, kind, revision) {
  const name = nameOf(scene, kind);
  const known = images.get(name);
  if (underWay.has(name) || (known && (known.complete || known.revision === revision))) return;
  underWay.add(name);
  try {
    const path = `${state.facts().home}images/${scene.pair_id}/${scene.method_id}/${scene.weights_id}/${kind}`;
    const { buffer } = await channel.fetchBinary(`${path}?viewer=${state.viewer}`);
    const image = channel.decodeImages(buffer);
    image.revision = revision;
    if (kind === "guidance") Object.assign(image, measured(image));
    images.set(name, image);
    redraw();
  } catch (error) {
    status.fail(error.message);
    return;
  } finally {
    underWay.delete(name);
  }
  // What has grown meanwhile, perhaps for the last time, was not asked for while this was on its way.
  wantAll();
}

function measured(image) {
  return {
    limits: colours.limitsOf(image.values),
    ranges: [0, 1].map((index) => colours.rangeOf(image.band(index))),
  };
}

/** Fetch all that the columns show and that can be had. */
export function wantAll() {
  const common = state.common();
  if (!common) return;
  want(common, "inputs", 0);
  const rgb = state.columns.includes("guidance_rgb");
  for (const scene of state.ready()) {
    want(scene, "fused", 0);
    const progress = state.progress[scene.key];
    if (!progress || !progress.revision || !worthFetching(scene, progress)) continue;
    want(scene, "guidance", progress.revision);
    if (rgb) want(scene, "rgb", progress.revision);
  }
  forget();
}

/** Whether growing images have grown enough: colouring them halts the browser a while. */
function worthFetching(scene, { stage, fraction }) {
  const known = get(scene, "guidance");
  if (!known || known.complete || stage !== "running" || !known.fraction) return true;
  return fraction - known.fraction >= PICTURE_STEP;
}

/** Let go of what no row needs any more. */
function forget() {
  const keys = new Set(state.ready().flatMap((scene) => [scene.key, scene.pair_id]));
  for (const store of [images, bitmaps]) {
    for (const name of store.keys()) if (!keys.has(name.split("/")[0])) store.delete(name);
  }
}

/** A canvas of the image's own size whose pixels are painter(value); made anew when `look` is another name. */
export function bitmap(scene, kind, index, painter, look) {
  const image = get(scene, kind);
  if (!image) return null;
  const name = `${nameOf(scene, kind)}/${index}`;
  const known = bitmaps.get(name);
  if (known && known.image === image && known.look === look) return known.canvas;
  const { height, width } = image;
  const canvas = picture(width, height, (pixels) => {
    if (kind === "rgb") fill(pixels, width, height, ofBands([0, 1, 2].map(image.band), width));
    else fillValues(pixels, image.band(index), painter);
  }, known && known.canvas);
  bitmaps.set(name, { image, look, canvas });
  return canvas;
}
