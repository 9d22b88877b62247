/*
 * Scatterplots without WebGL: all pixels as a density in a bitmap, those of the zoom windows over it; and the
 * way from a place in one to the pixel whose point is nearest. Axes are equal.
 */

import * as images from "./images.mjs";
import { state } from "./state.mjs";
import { canvasOf } from "../core/elements.mjs";
import { blank } from "../painter/pixels.mjs";
import * as points from "../painter/points.mjs";

const MARGIN = { left: 34, right: 4, top: 4, bottom: 27 };
const densities = new Map();
const overlays = new Map();

/** The ranges of both axes, the same for all methods whose guidance images are complete; null before. */
export function ranges() {
  const known = state.ready().map((scene) => images.get(scene, "guidance")).filter((one) => one && one.complete);
  if (!known.length) return null;
  return [0, 1].map((axis) => {
    const low = Math.min(...known.map((one) => one.ranges[axis][0]));
    const high = Math.max(...known.map((one) => one.ranges[axis][1]));
    return points.axisEnds(low, high);
  });
}

/** The plot's area inside a cell. */
export function plot(box) {
  return {
    left: Math.round(box.left + MARGIN.left),
    top: Math.round(box.top + MARGIN.top),
    width: Math.max(8, Math.floor(box.width - MARGIN.left - MARGIN.right)),
    height: Math.max(8, Math.floor(box.height - MARGIN.top - MARGIN.bottom)),
  };
}

/** How many pixels of the image fall on each pixel of the plot, as a bitmap. */
function densityOf(scene, axes, width, height) {
  const guidance = images.get(scene, "guidance");
  const name = `${width},${height},${axes}`;
  const known = densities.get(scene.key);
  if (known && known.guidance === guidance && known.name === name) return known.canvas;
  const canvas = canvasOf(width, height);
  const [xs, ys] = [0, 1].map(guidance.band);
  canvas.getContext("2d").putImageData(points.density(xs, ys, axes, width, height), 0, 0);
  densities.set(scene.key, { guidance, name, canvas });
  return canvas;
}

/** Draw what does not move: ground, density, axes with numbers, titles and unit. */
export function drawStill(context, picture, axes, density, ink) {
  const area = plot(picture.box);
  context.fillStyle = points.GROUND;
  context.fillRect(area.left, area.top, area.width, area.height);
  const canvas = densityOf(picture.scene, axes, Math.round(area.width * density), Math.round(area.height * density));
  context.drawImage(canvas, area.left, area.top, area.width, area.height);
  const titles = picture.scene.modalities.map((name) => `∂y/∂${name} (dimensionless)`);
  points.drawAxes(context, picture.box, area, axes, titles, ink);
}

/**
 * Draw the zoom windows' pixels: green those of the principal pixel, blue those of the second. `tints` has the colours of
 * the regions: a pixel that is in one has it inside, over all that is green or blue.
 */
export function drawMoving(context, picture, axes, density, shown, half, tints) {
  const guidance = images.get(picture.scene, "guidance");
  const area = plot(picture.box);
  const width = Math.round(area.width * density);
  const height = Math.round(area.height * density);
  const name = picture.scene.key;
  let kept = overlays.get(name);
  if (!kept || kept.data.width !== width || kept.data.height !== height) {
    const canvas = canvasOf(width, height);
    kept = { canvas, context: canvas.getContext("2d"), ...blank(width, height), counts: [] };
    overlays.set(name, kept);
  }
  const { pixels } = kept;
  pixels.fill(0);
  const [xs, ys] = [0, 1].map(guidance.band);
  const [across, up] = [points.placer(axes[0], width), points.placer(axes[1], height)];
  const square = (x, y, reach, colour) => {
    for (let v = Math.max(0, y - reach); v <= Math.min(height - 1, y + reach); v += 1) {
      for (let u = Math.max(0, x - reach); u <= Math.min(width - 1, x + reach); u += 1) pixels[v * width + u] = colour;
    }
  };
  const reach = Math.max(1, Math.round(density));
  const cores = []; // x, y and colour of those in regions
  kept.counts = [...shown].reverse().map(({ row, col, colour }) => {
    let count = 0;
    for (let i = Math.max(0, row - half); i <= Math.min(guidance.height - 1, row + half); i += 1) {
      for (let j = Math.max(0, col - half); j <= Math.min(guidance.width - 1, col + half); j += 1) {
        const at = i * guidance.width + j;
        const x = across(xs[at]);
        const y = height - 1 - up(ys[at]);
        if (!(x >= 0 && y >= 0 && x < width && y < height)) continue;
        count += 1;
        const tint = tints ? tints[at] : 0;
        if (tint) cores.push(x, y, tint);
        square(x, y, tint ? reach + 1 : reach, colour);
      }
    }
    return count;
  }).reverse();
  for (let at = 0; at < cores.length; at += 3) square(cores[at], cores[at + 1], reach, cores[at + 2]);
  kept.context.putImageData(kept.data, 0, 0);
  context.drawImage(kept.canvas, area.left, area.top, area.width, area.height);
}

/** How many points each of the shown pixels has in a method's scatterplot. */
export function counts(scene) {
  return (overlays.get(scene.key) || { counts: [] }).counts;
}

/** The guidance images that a method's plot is drawn from, null until they are complete. */
export function guidanceOf(scene) {
  const guidance = images.get(scene, "guidance");
  return guidance && guidance.complete ? guidance : null;
}

/** Where each pixel of the image lies in a method's plot of width×height, [x, y] or null; null while unknown. */
export function placing(scene, axes, width, height) {
  const guidance = guidanceOf(scene);
  if (!guidance) return null;
  const [xs, ys] = [0, 1].map(guidance.band);
  const [across, up] = [points.placer(axes[0], width), points.placer(axes[1], height)];
  return (at) => {
    const [x, y] = [across(xs[at]), height - 1 - up(ys[at])];
    return x >= 0 && y >= 0 && x < width && y < height ? [x, y] : null;
  };
}

const REACH = 10; // of the screen's pixels: further off no point is meant
const kept = new Map(); // by scene: which pixel each place of its plot shows

/** For each place of the plot the first pixel of the image that lies there, −1 where none does; null while unknown. */
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

/** The pixel whose point is nearest to (x, y) of the table, { row, col }; null where none is near. */
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
