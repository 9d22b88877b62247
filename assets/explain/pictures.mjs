/* An explanation as pictures and numbers: the part of both Jacobian images of a region that is not 0. */

import { endOf, gradientPainter, limitsOf } from "../painter/colours.mjs";
import { influences, percent } from "../painter/influence.mjs";
import { contextOf, picture } from "../painter/pixels.mjs";
import * as regionPictures from "../regions/pictures.mjs";

/**
 * @typedef {{ row: number, col: number, height: number, width: number }} Part
 * @typedef {{ height: number, width: number, values: Float32Array, band: (index: number) => Float32Array }} Images
 */

const MARGIN = 4;
const LEAST = 32;
const SHARP = 360; // pixels of the screen that a picture has about
const OUTLINE = 1.5;

/**
 * One side of the part that is shown: from the first to the last place that counts, with a margin, within the image.
 * @param {number} first
 * @param {number} last
 * @param {number} size
 */
function side(first, last, size) {
  const length = Math.min(Math.max(last - first + 1 + 2 * MARGIN, LEAST), size);
  const start = Math.round((first + last + 1 - length) / 2);
  return [Math.min(Math.max(start, 0), size - length), length];
}

/**
 * The part of the images that has all that is not 0; all of it where nothing is.
 * @param {Images} images
 * @returns {Part}
 */
export function partOf({ height, width, values }) {
  let [top, left, bottom, right] = [height, width, -1, -1];
  values.forEach((value, at) => {
    if (value === 0) return;
    const row = Math.floor(at / width) % height;
    const col = at % width;
    [top, left, bottom, right] = [Math.min(top, row), Math.min(left, col), Math.max(bottom, row), Math.max(right, col)];
  });
  if (bottom < 0) return { row: 0, col: 0, height, width };
  const [row, rows] = side(top, bottom, height);
  const [col, columns] = side(left, right, width);
  return { row, col, height: rows, width: columns };
}

/**
 * Draw one input's image, on the signed scale that ends at `end`, with the outlines of regions.
 * @param {HTMLCanvasElement} canvas
 * @param {Images} images
 * @param {number} index
 * @param {Part} part
 * @param {number} gamma
 * @param {number} end
 * @param {number} aspect - Height of a pixel by its width.
 */
function draw(canvas, images, index, { row, col, height, width }, gamma, end, aspect) {
  const [values, painter] = [images.band(index), gradientPainter("signed", gamma, end)];
  const small = picture(width, height, (pixels) => {
    for (let at = 0; at < pixels.length; at += 1) {
      pixels[at] = painter(values[(row + Math.floor(at / width)) * images.width + col + (at % width)]);
    }
  });
  const across = Math.max(1, Math.round(SHARP / width));
  const down = aspect === 1 ? across : Math.max(1, Math.round(across * aspect));
  Object.assign(canvas, { width: width * across, height: height * down });
  const context = contextOf(canvas);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  regionPictures.borders(context, { left: 0, top: 0, width: canvas.width, height: canvas.height }, { row, col, across, down }, OUTLINE);
}

/**
 * Draw both images; gives where their scale ends and which part they show.
 * @param {HTMLCanvasElement[]} canvases
 * @param {Images} images
 * @param {number} gamma
 * @param {number} aspect - Height of a pixel by its width.
 */
export function drawAll(canvases, images, gamma, aspect) {
  const end = endOf(limitsOf(images.values), "signed");
  const part = partOf(images);
  canvases.forEach((canvas, index) => draw(canvas, images, index, part, gamma, end, aspect));
  return { end, part };
}

/**
 * A number with three digits.
 * @param {number} value
 */
function brief(value) {
  return value === 0 ? "0" : value.toPrecision(3).replace("-", "−");
}

/**
 * The sums of both images in words, by input.
 * @param {Images} images
 */
export function sums(images) {
  return influences(images).map(({ total, signed, negative }) =>
    `Σ ${brief(signed)}, Σ|·| ${brief(total)}, ${percent(negative)} negative`);
}
