/* The bar of a colour scale, and the numbers at its ends. */

import { fill, picture } from "./pixels.mjs";

/** @import { Painter } from "./colours.mjs" */

const BAR = { width: 96, height: 1 };

/**
 * A number as it stands at the end of a bar.
 * @param {number} value
 */
export function number(value) {
  return value === 0 ? "0" : String(Number(value.toPrecision(3))).replace("-", "−");
}

/**
 * Draw the bar of a painter over its range.
 * @param {HTMLCanvasElement} canvas
 * @param {Painter} painter
 * @param {number} low
 * @param {number} high
 */
export function drawBar(canvas, painter, low, high) {
  const { width, height } = BAR;
  /** @type {(row: number, col: number) => number} */
  const colour = (_, col) => painter(low + ((high - low) * col) / (width - 1));
  picture(width, height, (pixels) => fill(pixels, width, height, colour), canvas);
}
