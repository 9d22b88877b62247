/*
 * Scatterplots without WebGL: all pixels as a density in a bitmap, those of the zoom windows over it; and the
 * way from a place in one to the pixel whose point is nearest. Axes are equal.
 */

import * as images from "./images.mjs";
import { state } from "./state.mjs";
import { canvasOf } from "../core/elements.mjs";
import { blank, contextOf } from "../painter/pixels.mjs";
import * as points from "../painter/points.mjs";

/**
 * @import { Area, Context } from "../painter/pixels.mjs"
 * @import { Ends } from "../painter/points.mjs"
 * @import { Pixel } from "../painter/shapes.mjs"
 * @import { Look } from "./background.mjs"
 * @import { Image } from "./images.mjs"
 * @import { Scene } from "./state.mjs"
 *
 * @typedef {{ guidance: Image | null, name: string, canvas: HTMLCanvasElement }} Density
 * @typedef {object} Overlay
 * @property {HTMLCanvasElement} canvas
 * @property {Context} context
 * @property {ImageData} data
 * @property {Uint32Array} pixels
 * @property {number[]} counts
 *
 * @typedef {Pixel & { colour: number }} Coloured
 * @typedef {{ scene: Scene, box: Area }} Plot
 */

const MARGIN = { left: 34, right: 4, top: 4, bottom: 27 };
/** @type {Map<string, Density>} */
const densities = new Map();
/** @type {Map<string, Overlay>} */
const overlays = new Map();

/**
 * The ranges of both axes, the same for all methods whose guidance images are complete; null before.
 * @returns {Ends[] | null}
 */
export function ranges() {
  const known = state.ready().flatMap((scene) => guidanceOf(scene) || []);
  if (!known.length) return null;
  return [0, 1].map((axis) => {
    const low = Math.min(...known.map((one) => (one.ranges?.[axis][0] ?? 0)));
    const high = Math.max(...known.map((one) => (one.ranges?.[axis][1] ?? 0)));
    return points.axisEnds(low, high);
  });
}

/**
 * The plot's area inside a cell.
 * @param {Area} box
 * @returns {Area}
 */
export function plot(box) {
  return {
    left: Math.round(box.left + MARGIN.left),
    top: Math.round(box.top + MARGIN.top),
    width: Math.max(8, Math.floor(box.width - MARGIN.left - MARGIN.right)),
    height: Math.max(8, Math.floor(box.height - MARGIN.top - MARGIN.bottom)),
  };
}

/**
 * How many pixels of the image fall on each pixel of the plot, as a bitmap.
 * @param {Scene} scene
 * @param {Ends[]} axes
 * @param {number} width
 * @param {number} height
 * @param {number[]} ink
 */
function densityOf(scene, axes, width, height, ink) {
  const guidance = guidanceOf(scene);
  const name = `${width},${height},${axes},${ink}`;
  const known = densities.get(scene.key);
  if (known && known.guidance === guidance && known.name === name) return known.canvas;
  const canvas = canvasOf(width, height);
  if (!guidance) return canvas;
  const [xs, ys] = [0, 1].map(guidance.band);
  contextOf(canvas).putImageData(points.density(xs, ys, axes, width, height, ink), 0, 0);
  densities.set(scene.key, { guidance, name, canvas });
  return canvas;
}

/**
 * Draw what does not move: ground, density, axes with numbers, titles and unit.
 * @param {Context} context
 * @param {Plot} picture
 * @param {Ends[]} axes
 * @param {Pick<Look, "density" | "ink" | "plot">} look
 */
export function drawStill(context, picture, axes, { density, ink, plot: { ground, ink: dots } }) {
  const area = plot(picture.box);
  context.fillStyle = ground;
  context.fillRect(area.left, area.top, area.width, area.height);
  const canvas = densityOf(picture.scene, axes, Math.round(area.width * density), Math.round(area.height * density), dots);
  context.drawImage(canvas, area.left, area.top, area.width, area.height);
  const titles = picture.scene.modalities.map((name) => `∂y/∂${name}`);
  points.drawAxes(context, picture.box, area, axes, titles, ink);
}

/**
 * Draw the zoom windows' pixels: green those of the principal pixel, blue those of the second. `tints` has the colours of
 * the regions: a pixel that is in one has it inside, over all that is green or blue.
 * @param {Context} context
 * @param {Plot} picture
 * @param {Ends[]} axes
 * @param {number} density
 * @param {Coloured[]} shown
 * @param {number} half
 * @param {Uint32Array | null} tints
 */
export function drawMoving(context, picture, axes, density, shown, half, tints) {
  const guidance = guidanceOf(picture.scene);
  if (!guidance) return;
  const area = plot(picture.box);
  const width = Math.round(area.width * density);
  const height = Math.round(area.height * density);
  const name = picture.scene.key;
  let kept = overlays.get(name);
  if (!kept || kept.data.width !== width || kept.data.height !== height) {
    const canvas = canvasOf(width, height);
    kept = { canvas, context: contextOf(canvas), ...blank(width, height), counts: [] };
    overlays.set(name, kept);
  }
  kept.pixels.fill(0);
  const [xs, ys] = [0, 1].map(guidance.band);
  const plotted = { xs, ys, shape: guidance, place: points.placeOf(axes, width, height) };
  const marked = shown.map((point) => points.around(plotted, point, half, tints));
  // Those of the principal pixel, the first, over those of the second; what is selected is seen among them too.
  const canvas = { pixels: kept.pixels, width, height };
  const reach = Math.max(1, Math.round(density));
  const squares = [...marked].reverse().flatMap((found, at) => found.map((one) => ({ ...one, colour: shown[shown.length - 1 - at].colour })));
  for (const { x, y, tint, colour } of squares) points.square(canvas, x, y, tint ? reach + 1 : reach, colour);
  for (const { x, y, tint } of squares) if (tint) points.square(canvas, x, y, reach, tint);
  kept.counts = marked.map((found) => found.length);
  kept.context.putImageData(kept.data, 0, 0);
  context.drawImage(kept.canvas, area.left, area.top, area.width, area.height);
}

/**
 * How many points each of the shown pixels has in a method's scatterplot.
 * @param {Scene} scene
 */
export function counts(scene) {
  return (overlays.get(scene.key) || { counts: [] }).counts;
}

/**
 * The guidance images that a method's plot is drawn from, null until they are complete.
 * @param {Scene} scene
 */
export function guidanceOf(scene) {
  const guidance = images.get(scene, "guidance");
  return guidance?.complete ? guidance : null;
}

/**
 * Where each pixel of the image lies in a method's plot of width×height, [x, y] or null; null while unknown.
 * @param {Scene} scene
 * @param {Ends[]} axes
 * @param {number} width
 * @param {number} height
 */
export function placing(scene, axes, width, height) {
  const guidance = guidanceOf(scene);
  if (!guidance) return null;
  const [xs, ys] = [0, 1].map(guidance.band);
  const place = points.placeOf(axes, width, height);
  return (/** @type {number} */ at) => place(xs[at], ys[at]);
}

const REACH = 10; // of the screen's pixels: further off no point is meant
/** @type {Map<string, { name: string, guidance: Image | null, pixels: Int32Array }>} */
const kept = new Map(); // by scene: which pixel each place of its plot shows

/**
 * For each place of the plot the first pixel of the image that lies there, −1 where none does; null while unknown.
 * @param {Scene} scene
 * @param {Ends[]} axes
 * @param {number} width
 * @param {number} height
 */
function indexOf(scene, axes, width, height) {
  const place = placing(scene, axes, width, height);
  if (!place) return null;
  const name = `${width},${height},${axes}`;
  const known = kept.get(scene.key);
  if (known && known.name === name && known.guidance === guidanceOf(scene)) return known.pixels;
  const pixels = new Int32Array(width * height).fill(-1);
  for (let at = scene.height * scene.width - 1; at >= 0; at -= 1) {
    const found = place(at);
    if (found) pixels[found[1] * width + found[0]] = at;
  }
  kept.set(scene.key, { name, guidance: guidanceOf(scene), pixels });
  return pixels;
}

/**
 * The pixel whose point is nearest to (x, y) of the table, { row, col }; null where none is near.
 * @param {Plot} picture
 * @param {number} x
 * @param {number} y
 */
export function pixelAt({ scene, box }, x, y) {
  const axes = ranges();
  if (!axes || scene.difference) return null;
  const { left, top, width, height } = plot(box);
  const pixels = indexOf(scene, axes, width, height);
  if (!pixels) return null;
  const [across, down] = [Math.floor(x - left), Math.floor(y - top)];
  let best = -1;
  let least = REACH * REACH + 1;
  for (let v = Math.max(0, down - REACH); v <= Math.min(height - 1, down + REACH); v += 1) {
    for (let u = Math.max(0, across - REACH); u <= Math.min(width - 1, across + REACH); u += 1) {
      const distance = (u - across) ** 2 + (v - down) ** 2;
      if (distance >= least || pixels[v * width + u] < 0) continue;
      least = distance;
      best = pixels[v * width + u];
    }
  }
  return best < 0 ? null : { row: Math.floor(best / scene.width), col: best % scene.width };
}
