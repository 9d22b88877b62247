/*
 * From arrays to pixels. A pixel is a 32-bit number (alpha, blue, green, red, as canvases have it on little-endian machines), 0
 * where there is nothing. A picture's colours are a function colour(row, col) that gives the pixel at a place of the image.
 */

import { rangeOf } from "./colours.mjs";

/** The opaque pixel of red, green and blue bytes. */
export function opaque(red, green, blue) {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** The pixel of a colour "#rrggbb". */
export function pixelOf(colour, opacity = 1) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return ((Math.floor(255 * opacity) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** A pixel as a colour for a context's styles, without its opacity. */
export function css(pixel) {
  return `rgb(${pixel & 255} ${(pixel >> 8) & 255} ${(pixel >> 16) & 255})`;
}

/** The colours of values in reading order. */
export function ofValues(values, width, painter) {
  return (row, col) => painter(values[row * width + col]);
}

/** The colours of rows of values. */
export function ofRows(rows, painter) {
  return (row, col) => painter(rows[row][col]);
}

/** The colours of guidance RGB from rows of values, red and green of both guidance images and blue of the fused one, each
 *  from its smallest number to its largest, as guidance_rgb of fusion/colours.py. */
export function ofGuidance(images) {
  const [red, green, blue] = images.map((rows) => {
    const ranges = rows.map(rangeOf);
    const [low, high] = [Math.min(...ranges.map(([first]) => first)), Math.max(...ranges.map(([, last]) => last))];
    const unit = high > low ? 255 / (high - low) : 0;
    return (row, col) => (Number.isFinite(rows[row][col]) ? Math.round((rows[row][col] - low) * unit) : 0);
  });
  return (row, col) => opaque(red(row, col), green(row, col), blue(row, col));
}

/** The colours of an image of three bands, red, green and blue from 0 to 1 in reading order. */
export function ofBands([red, green, blue], width) {
  const byte = (part) => Math.round(255 * part);
  return (row, col) => {
    const at = row * width + col;
    return opaque(byte(red[at]), byte(green[at]), byte(blue[at]));
  };
}

/** The colours of one input's Jacobian image: the window over a ground of exactly 0. */
export function ofWindow({ top, left, height, width, values }, index, painter) {
  const outside = painter(0);
  return (row, col) => {
    const [i, j] = [row - top, col - left];
    if (i < 0 || j < 0 || i >= height || j >= width) return outside;
    return painter(values[(index * height + i) * width + j]);
  };
}

/** The same colours, and nothing outside of an image of this size. */
export function within({ height, width }, colour) {
  return (row, col) => (row >= 0 && col >= 0 && row < height && col < width ? colour(row, col) : 0);
}

/** Pixels of this size: { data, pixels }, the same memory for a canvas and as one number each. */
export function blank(width, height) {
  const data = new ImageData(width, height);
  return { data, pixels: new Uint32Array(data.data.buffer) };
}

/** Write the colours of the part of an image that begins at (top, left) into pixels of width × height. */
export function fill(pixels, width, height, colour, top = 0, left = 0) {
  for (let row = 0, at = 0; row < height; row += 1) {
    for (let col = 0; col < width; col += 1, at += 1) pixels[at] = colour(top + row, left + col);
  }
}

/** Write the colours of values into pixels, the first from values[start]. */
export function fillValues(pixels, values, painter, start = 0) {
  for (let at = 0; at < pixels.length; at += 1) pixels[at] = painter(values[start + at]);
}

/** Draw pixels that write(pixels) makes at a place of a canvas. */
export function put(context, { left, top, width, height }, write) {
  const { data, pixels } = blank(width, height);
  write(pixels);
  context.putImageData(data, left, top);
}

/** Make a canvas of this size whose pixels write(pixels) makes. */
export function picture(width, height, write, canvas = document.createElement("canvas")) {
  Object.assign(canvas, { width, height });
  put(canvas.getContext("2d"), { left: 0, top: 0, width, height }, write);
  return canvas;
}
