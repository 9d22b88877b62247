/*
 * Regions as pixels: filled, with lines of even thickness inside each of them, so that two that touch keep a line each; and as
 * points of a scatterplot.
 */

import { blank, contextOf, picture, pixelOf } from "./pixels.mjs";

/**
 * @import { Context, Shape } from "./pixels.mjs"
 * @typedef {{ mask: Uint8Array, colour: string }} Region
 * @typedef {{ left: number, top: number, across: number, down: number }} Place - Of the image on the canvas, and its pixels' size.
 * @typedef {{ first: Int32Array, last: Int32Array }} Spans
 */

export const WIDTH = 1.5; // of the screen: an outline is as thick in a small picture as in a large one

/**
 * Which pixels of the image each pixel of the screen shows, along one side: from `first` up to `last`, which is left out.
 * There are `reach` pixels of the screen more at both ends. A smaller pixel has one, a larger one all that begin in it.
 * @param {number} count
 * @param {number} reach
 * @param {number} start
 * @param {number} unit
 * @param {number} size
 * @returns {Spans}
 */
function spans(count, reach, start, unit, size) {
  const [first, last] = [new Int32Array(count + 2 * reach), new Int32Array(count + 2 * reach)];
  for (let at = 0; at < first.length; at += 1) {
    const from = (at - reach - start) / unit;
    const low = Math.floor(unit < 1 ? from : from + 0.5 / unit);
    const high = unit < 1 ? Math.max(low + 1, Math.floor(from + 1 / unit)) : low + 1;
    first[at] = Math.max(low, 0);
    last[at] = Math.min(high, size);
  }
  return { first, last };
}

/**
 * A line of the screen that shows the rows from `first` up to `last`: where a region is `inside`, and where it is so up
 * to `reach` pixels to both sides, `deep`. Null where there is nothing of the region.
 * @param {Uint8Array} mask
 * @param {number} width
 * @param {number} first
 * @param {number} last
 * @param {Spans} columns
 * @param {number} reach
 */
function lineOf(mask, width, first, last, columns, reach) {
  const across = columns.first.length;
  const inside = new Uint8Array(across);
  let some = false;
  for (let row = first; row < last; row += 1) {
    for (let x = 0; x < across; x += 1) {
      for (let col = columns.first[x]; col < columns.last[x]; col += 1) {
        if (mask[row * width + col]) {
            inside[x] = 1;
            some = true;
          }
      }
    }
  }
  if (!some) return null;
  const deep = new Uint8Array(across - 2 * reach);
  for (let x = 0, run = 0; x < across; x += 1) {
    run = inside[x] ? run + 1 : 0;
    if (run > 2 * reach) deep[x - 2 * reach] = 1;
  }
  return { inside, deep };
}

/**
 * Write a region's outline into the 32-bit pixels of a picture; whether anything of it is there.
 * @param {Uint32Array} pixels
 * @param {number} width
 * @param {Uint8Array} mask
 * @param {number} imageWidth
 * @param {Spans} rows
 * @param {Spans} columns
 * @param {number} reach
 * @param {number} colour
 */
function outline(pixels, width, mask, imageWidth, rows, columns, reach, colour) {
  const depth = new Uint32Array(width); // how many lines until now are deep
  /** @type {ReturnType<typeof lineOf>[]} */
  const lines = [];
  let some = false;
  for (let y = 0; y < rows.first.length; y += 1) {
    const again = y > 0 && rows.first[y] === rows.first[y - 1] && rows.last[y] === rows.last[y - 1];
    const line = again ? lines[y - 1] : lineOf(mask, imageWidth, rows.first[y], rows.last[y], columns, reach);
    lines.push(line);
    if (!line) depth.fill(0);
    else for (let x = 0; x < width; x += 1) depth[x] = line.deep[x] ? depth[x] + 1 : 0;
    const middle = y < 2 * reach ? null : lines[y - reach];
    if (!middle) continue;
    const start = (y - 2 * reach) * width;
    for (let x = 0; x < width; x += 1) {
      if (middle.inside[x + reach] && depth[x] <= 2 * reach) pixels[start + x] = colour;
    }
    some = true;
  }
  return some;
}

/**
 * Draw the outlines of regions into a canvas, the last one on top; whether there is anything. The image's upper left
 * corner lies at (left, top) of the canvas, and a pixel of the image is across × down. Pixels and not paths: a region of
 * noise has an edge at every second pixel.
 * @param {HTMLCanvasElement} canvas
 * @param {(Region & { opacity?: number })[]} regions
 * @param {Shape} shape
 * @param {Place} place
 * @param {number} thickness
 */
export function drawOutlines(canvas, regions, shape, { left, top, across, down }, thickness) {
  const { width, height } = canvas;
  // Where the image's pixels are small, a thinner line leaves something to see of narrow regions.
  const reach = Math.max(1, across < 2 ? Math.floor(thickness) : Math.round(thickness));
  const columns = spans(width, reach, left, across, shape.width);
  const rows = spans(height, reach, top, down, shape.height);
  const { data, pixels } = blank(width, height);
  let some = false;
  for (const { mask, colour, opacity } of regions) {
    some = outline(pixels, width, mask, shape.width, rows, columns, reach, pixelOf(colour, opacity)) || some;
  }
  contextOf(canvas).putImageData(data, 0, 0);
  return some;
}

/**
 * A canvas of the image's size on which a region is filled, so opaque.
 * @param {Uint8Array} mask
 * @param {string} colour
 * @param {Shape} shape
 * @param {number} opacity
 */
export function filling(mask, colour, { height, width }, opacity) {
  const value = pixelOf(colour, opacity);
  return picture(width, height, (pixels) => {
    for (let at = 0; at < mask.length; at += 1) if (mask[at]) pixels[at] = value;
  });
}

/**
 * Draw the regions' points of a scatterplot, squares of `side` pixels, into a canvas' context: place(at) gives the pixel of
 * the canvas where the image's pixel `at` lies, [x, y], and null where it is not shown.
 * @param {Context} context
 * @param {Region[]} regions
 * @param {number} side
 * @param {(at: number) => number[] | null} place
 */
export function drawPoints(context, regions, side, place) {
  const { width, height } = context.canvas;
  const reach = Math.max(1, Math.round(side));
  const drawn = picture(width, height, (pixels) => {
    for (const { mask, colour } of regions) {
      const value = pixelOf(colour);
      for (let at = mask.indexOf(1); at >= 0; at = mask.indexOf(1, at + 1)) {
        const found = place(at);
        if (!found) continue;
        const [left, top] = [Math.round(found[0] - side / 2), Math.round(found[1] - side / 2)];
        const [from, to] = [Math.max(left, 0), Math.min(left + reach, width)];
        for (let y = Math.max(top, 0); y < Math.min(top + reach, height); y += 1) {
          for (let x = from; x < to; x += 1) pixels[y * width + x] = value;
        }
      }
    }
  });
  context.drawImage(drawn, 0, 0);
}
