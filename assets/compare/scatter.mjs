/*
 * Scatterplots without WebGL: all pixels as a density in a bitmap, those of the zoom windows over it; and the
 * way from a place in one to the pixel whose point is nearest. Axes are equal.
 */

import * as images from "./images.mjs";
import { state } from "./state.mjs";

const GROUND = "#f7f8fa"; // points stay dark in both themes, so their ground stays light
const DARK = [35, 39, 46];
const MARGIN = { left: 34, right: 4, top: 4, bottom: 27 };
const SHARE = 0.04;
const FONT = "9px system-ui, sans-serif";
const densities = new Map();
const overlays = new Map();

/** The ranges of both axes, the same for all methods whose guidance images are complete; null before. */
export function ranges() {
  const known = state.ready().map((scene) => images.get(scene, "guidance")).filter((one) => one && one.complete);
  if (!known.length) return null;
  return [0, 1].map((axis) => {
    const low = Math.min(...known.map((one) => one.ranges[axis][0]));
    const high = Math.max(...known.map((one) => one.ranges[axis][1]));
    if (!(high >= low)) return [0, 1];
    const margin = SHARE * (high - low) || 0.05;
    return [low - margin, high + margin];
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

function placer([low, high], length) {
  const factor = length / (high - low);
  return (value) => Math.floor((value - low) * factor);
}

/** How many pixels of the image fall on each pixel of the plot, as a bitmap. */
function density(scene, axes, width, height) {
  const guidance = images.get(scene, "guidance");
  const name = `${width},${height},${axes}`;
  const known = densities.get(scene.key);
  if (known && known.guidance === guidance && known.name === name) return known.canvas;
  const counts = new Uint32Array(width * height);
  const [xs, ys] = [0, 1].map(guidance.band);
  const [across, up] = [placer(axes[0], width), placer(axes[1], height)];
  let most = 1;
  for (let at = 0; at < xs.length; at += 1) {
    const x = across(xs[at]);
    const y = height - 1 - up(ys[at]);
    if (!(x >= 0 && y >= 0 && x < width && y < height)) continue; // what is not a number too
    counts[y * width + x] += 1;
    most = Math.max(most, counts[y * width + x]);
  }
  const data = new ImageData(width, height);
  const pixels = new Uint32Array(data.data.buffer);
  const colour = (DARK[2] << 16) | (DARK[1] << 8) | DARK[0];
  const scale = 1 / Math.log1p(most);
  for (let at = 0; at < counts.length; at += 1) {
    // One pixel is to be seen, ten thousand are not to be the only ones seen.
    if (counts[at]) pixels[at] = ((Math.round(255 * (0.35 + 0.65 * Math.log1p(counts[at]) * scale)) << 24) | colour) >>> 0;
  }
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  canvas.getContext("2d").putImageData(data, 0, 0);
  densities.set(scene.key, { guidance, name, canvas });
  return canvas;
}

/** Round numbers for an axis: at most `most` of them. */
function ticks([low, high], most) {
  const rough = (high - low) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high; k += 1) found.push([k * step, (k * step).toFixed(digits)]);
  return found;
}

/** Draw what does not move: ground, density, axes with numbers, titles and unit. */
export function drawStill(context, picture, axes, density_, ink) {
  const area = plot(picture.box);
  const [first, second] = picture.scene.modalities;
  context.fillStyle = GROUND;
  context.fillRect(area.left, area.top, area.width, area.height);
  const canvas = density(picture.scene, axes, Math.round(area.width * density_), Math.round(area.height * density_));
  context.drawImage(canvas, area.left, area.top, area.width, area.height);
  context.font = FONT;
  context.fillStyle = ink;
  context.textAlign = "center";
  context.textBaseline = "top";
  const bottom = area.top + area.height;
  for (const [value, text] of ticks(axes[0], area.width / 34)) {
    const x = area.left + ((value - axes[0][0]) / (axes[0][1] - axes[0][0])) * area.width;
    context.fillRect(x, bottom, 1, 3);
    context.fillText(text, Math.min(Math.max(x, area.left + 8), area.left + area.width - 8), bottom + 4);
  }
  context.fillText(`∂y/∂${first} (dimensionless)`, area.left + area.width / 2, bottom + 15, area.width + 30);
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const [value, text] of ticks(axes[1], area.height / 22)) {
    const y = bottom - ((value - axes[1][0]) / (axes[1][1] - axes[1][0])) * area.height;
    context.fillRect(area.left - 3, y, 3, 1);
    context.fillText(text, area.left - 5, Math.min(Math.max(y, area.top + 4), bottom - 4));
  }
  context.save();
  context.translate(picture.box.left + 5, picture.box.top + picture.box.height / 2);
  context.rotate(-Math.PI / 2);
  context.textAlign = "center";
  context.fillText(`∂y/∂${second} (dimensionless)`, 0, 0, picture.box.height - 8);
  context.restore();
}

/**
 * Draw the zoom windows' pixels: green those of the principal pixel, blue those of the second. `tints` has the colours of
 * the regions: a pixel that is in one has it inside, over all that is green or blue.
 */
export function drawMoving(context, picture, axes, density_, points, half, tints) {
  const guidance = images.get(picture.scene, "guidance");
  const area = plot(picture.box);
  const width = Math.round(area.width * density_);
  const height = Math.round(area.height * density_);
  const name = picture.scene.key;
  let kept = overlays.get(name);
  if (!kept || kept.data.width !== width || kept.data.height !== height) {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width, height });
    kept = { canvas, context: canvas.getContext("2d"), data: new ImageData(width, height), counts: [] };
    overlays.set(name, kept);
  }
  const pixels = new Uint32Array(kept.data.data.buffer);
  pixels.fill(0);
  const [xs, ys] = [0, 1].map(guidance.band);
  const [across, up] = [placer(axes[0], width), placer(axes[1], height)];
  const square = (x, y, reach, colour) => {
    for (let v = Math.max(0, y - reach); v <= Math.min(height - 1, y + reach); v += 1) {
      for (let u = Math.max(0, x - reach); u <= Math.min(width - 1, x + reach); u += 1) pixels[v * width + u] = colour;
    }
  };
  const reach = Math.max(1, Math.round(density_));
  const cores = []; // x, y and colour of those in regions
  kept.counts = [...points].reverse().map(({ row, col, colour }) => {
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
  const [across, up] = [placer(axes[0], width), placer(axes[1], height)];
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
