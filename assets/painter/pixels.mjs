/*
 * From arrays to pixels. A pixel is a 32-bit number (alpha, blue, green, red, as canvases have it on little-endian machines), 0
 * where there is nothing. A picture's colours are a function colour(row, col) that gives the pixel at a place of the image.
 */

import { OUTSIDE_SUPPORT, hatch, opaque, rangeOf } from "./colours.mjs";

export { opaque };

/**
 * @import { Painter, Ranges } from "./colours.mjs"
 * @typedef {(row: number, col: number) => number} Colour - The pixel at a place of the image.
 * @typedef {{ left: number, top: number, width: number, height: number }} Area
 * @typedef {CanvasRenderingContext2D} Context
 * @typedef {{ height: number, width: number }} Shape
 * @typedef {ArrayLike<number>} Values
 */

/**
 * The pixel of a colour "#rrggbb".
 * @param {string} colour
 * @param {number} [opacity]
 */
export function pixelOf(colour, opacity = 1) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return ((Math.floor(255 * opacity) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/**
 * A pixel as a colour for a context's styles, without its opacity.
 * @param {number} pixel
 */
export function css(pixel) {
  return `rgb(${pixel & 255} ${(pixel >> 8) & 255} ${(pixel >> 16) & 255})`;
}

/**
 * The colours of values in reading order.
 * @param {Values} values
 * @param {number} width
 * @param {Painter} painter
 * @returns {Colour}
 */
export function ofValues(values, width, painter) {
  return (row, col) => painter(values[row * width + col]);
}

/**
 * The colours of rows of values.
 * @param {ArrayLike<Values>} rows
 * @param {Painter} painter
 * @returns {Colour}
 */
export function ofRows(rows, painter) {
  return (row, col) => painter(rows[row][col]);
}

/**
 * The smallest and the largest number of rows of values.
 * @param {Iterable<number>[]} rows
 * @returns {[number, number]}
 */
export function rangeOfRows(rows) {
  const ranges = rows.map(rangeOf);
  return [Math.min(...ranges.map(([first]) => first)), Math.max(...ranges.map(([, last]) => last))];
}

/**
 * From a value to its byte between the ends of a range.
 * @param {[number, number]} range
 */
function byteIn([low, high]) {
  const unit = high > low ? 255 / (high - low) : 0;
  return (/** @type {number} */ value) => (Number.isFinite(value) ? Math.round((value - low) * unit) : 0);
}

/**
 * What red, green and blue of guidance RGB are stretched over: the range of each image, or for the first two that of both.
 * @param {[number, number][]} ranges
 * @param {Ranges} name
 * @returns {[number, number][]}
 */
export function joined(ranges, name) {
  if (name === "own") return ranges;
  const [[low1, high1], [low2, high2]] = ranges;
  return ranges.map((one, at) => (at < 2 ? [Math.min(low1, low2), Math.max(high1, high2)] : one));
}

/**
 * The colours of guidance RGB from rows of values, red and green of both guidance images and blue of the fused one, each
 * from its smallest number to its largest, or red and green over the range of both, as guidance_rgb of fusion/colours.py. Of
 * images of which only parts are here, the ranges have to be told.
 * @param {Float32Array[][]} images
 * @param {Ranges} [name]
 * @param {[number, number][]} [ranges]
 * @returns {Colour}
 */
export function ofGuidance(images, name = "own", ranges = images.map(rangeOfRows)) {
  const [red, green, blue] = joined(ranges, name).map(byteIn);
  const [first, second, fused] = images;
  return (row, col) => opaque(red(first[row][col]), green(second[row][col]), blue(fused[row][col]));
}

/**
 * The same of values in reading order, of parts of the images.
 * @param {Values[]} parts
 * @param {[number, number][]} ranges
 * @param {number} width
 * @returns {Colour}
 */
export function ofScaled([first, second, fused], ranges, width) {
  const [red, green, blue] = ranges.map(byteIn);
  return (row, col) => {
    const at = row * width + col;
    return opaque(red(first[at]), green(second[at]), blue(fused[at]));
  };
}

/**
 * Values in reading order as rows, in the same memory.
 * @param {Float32Array} values
 * @param {number} width
 */
export function linesOf(values, width) {
  return Array.from({ length: values.length / width }, (_, row) => values.subarray(row * width, (row + 1) * width));
}

/**
 * The colours of an image of three bands, red, green and blue from 0 to 1 in reading order.
 * @param {Values[]} bands
 * @param {number} width
 * @returns {Colour}
 */
export function ofBands([red, green, blue], width) {
  /** @param {number} part */
  const byte = (part) => Math.round(255 * part);
  return (row, col) => {
    const at = row * width + col;
    return opaque(byte(red[at]), byte(green[at]), byte(blue[at]));
  };
}

/**
 * The colours of one input's Jacobian image: the window on the ground of what the method does not reach.
 * @param {Area & { values: Values }} window
 * @param {number} index
 * @param {Painter} painter
 * @returns {Colour}
 */
export function ofWindow({ top, left, height, width, values }, index, painter) {
  return (row, col) => {
    const [i, j] = [row - top, col - left];
    if (i < 0 || j < 0 || i >= height || j >= width) return OUTSIDE_SUPPORT;
    return painter(values[(index * height + i) * width + j]);
  };
}

/**
 * The same colours, and nothing outside of an image of this size.
 * @param {Shape} shape
 * @param {Colour} colour
 * @returns {Colour}
 */
export function within({ height, width }, colour) {
  return (row, col) => (row >= 0 && col >= 0 && row < height && col < width ? colour(row, col) : 0);
}

/**
 * The same colours, hatched where there is air; values in reading order say where. Null: nowhere.
 * @param {Colour} colour
 * @param {Values | null} air
 * @param {number} width
 * @returns {Colour}
 */
export function hatched(colour, air, width) {
  return air ? (row, col) => (air[row * width + col] ? hatch(row, col) : colour(row, col)) : colour;
}

/**
 * Pixels of this size: { data, pixels }, the same memory for a canvas and as one number each.
 * @param {number} width
 * @param {number} height
 */
export function blank(width, height) {
  const data = new ImageData(width, height);
  return { data, pixels: new Uint32Array(data.data.buffer) };
}

/**
 * Write the colours of the part of an image that begins at (top, left) into pixels of width × height.
 * @param {Uint32Array} pixels
 * @param {number} width
 * @param {number} height
 * @param {Colour} colour
 * @param {number} [top]
 * @param {number} [left]
 */
export function fill(pixels, width, height, colour, top = 0, left = 0) {
  for (let row = 0, at = 0; row < height; row += 1) {
    for (let col = 0; col < width; col += 1, at += 1) pixels[at] = colour(top + row, left + col);
  }
}

/**
 * Write the colours of values into pixels, the first from values[start].
 * @param {Uint32Array} pixels
 * @param {Values} values
 * @param {Painter} painter
 * @param {number} [start]
 */
export function fillValues(pixels, values, painter, start = 0) {
  for (let at = 0; at < pixels.length; at += 1) pixels[at] = painter(values[start + at]);
}

/**
 * The context of a canvas.
 * @param {HTMLCanvasElement} canvas
 */
export function contextOf(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser has no canvas.");
  return context;
}

/**
 * Draw pixels that write(pixels) makes at a place of a canvas.
 * @param {Context} context
 * @param {Area} area
 * @param {(pixels: Uint32Array) => void} write
 */
export function put(context, { left, top, width, height }, write) {
  const { data, pixels } = blank(width, height);
  write(pixels);
  context.putImageData(data, left, top);
}

/**
 * Make a canvas of this size whose pixels write(pixels) makes.
 * @param {number} width
 * @param {number} height
 * @param {(pixels: Uint32Array) => void} write
 * @param {HTMLCanvasElement} [canvas]
 */
export function picture(width, height, write, canvas = document.createElement("canvas")) {
  Object.assign(canvas, { width, height });
  put(contextOf(canvas), { left: 0, top: 0, width, height }, write);
  return canvas;
}
