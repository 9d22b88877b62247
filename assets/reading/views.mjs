/* The pictures of the registration view: numbers of both inputs, the second moved, become one picture. */

import { gradientPainter, grayPainter } from "../painter/colours.mjs";
import { ofBands, ofValues } from "../painter/pixels.mjs";

/**
 * @import { Colour, Values } from "../painter/pixels.mjs"
 *
 * @typedef {{ width: number, height: number }} Shape
 * @typedef {{ share: number, blinks: boolean }} Look - How much of the second an overlay has, 0 to 1; whether a blink shows it.
 */

/** Squares of a checkerboard along the longer side. */
const SQUARES = 8;
const GRAY = grayPainter(0, 1);

/**
 * An image moved by whole pixels, down and to the right; what comes in at the border is 0.
 * @param {Values} values
 * @param {Shape} shape
 * @param {[number, number]} shift
 */
export function moved(values, { width, height }, [down, right]) {
  const found = new Float32Array(width * height);
  for (let row = Math.max(down, 0); row < Math.min(height, height + down); row += 1) {
    for (let col = Math.max(right, 0); col < Math.min(width, width + right); col += 1) {
      found[row * width + col] = values[(row - down) * width + col - right];
    }
  }
  return found;
}

/**
 * The length of a change that has a part downwards and one to the right.
 * @param {Values} down
 * @param {Values} right
 */
export function lengths(down, right) {
  return Float32Array.from(down, (part, at) => Math.hypot(part, right[at]));
}

/**
 * Both inputs in turn, in squares.
 * @param {Values} first
 * @param {Values} second
 * @param {Shape} shape
 */
export function checkerboard(first, second, { width, height }) {
  const side = Math.max(1, Math.ceil(Math.max(width, height) / SQUARES));
  return Float32Array.from(first, (value, at) => {
    const [row, col] = [Math.floor(at / width), at % width];
    return (Math.floor(row / side) + Math.floor(col / side)) % 2 ? second[at] : value;
  });
}

/**
 * Both inputs in two colours: the first in red, the second in green, yellow where they agree.
 * @param {Values} first
 * @param {Values} second
 * @param {number} share - Of the second, 0 to 1.
 */
export function overlaid(first, second, share) {
  const [one, two] = [Math.min(1, 2 * (1 - share)), Math.min(1, 2 * share)];
  return [Float32Array.from(first, (value) => one * value), Float32Array.from(second, (value) => two * value), new Float32Array(first.length)];
}

/**
 * The colours of a way to look at both inputs.
 * @param {string} way - blink, checkerboard, overlay, difference or sensitivity.
 * @param {Values} first
 * @param {Values} second - Moved.
 * @param {Shape} shape
 * @param {Look} look
 * @param {Float32Array | null} change - Of the fused image with a pixel of shift, once it is known.
 * @returns {Colour | null}
 */
export function coloursOf(way, first, second, shape, { share, blinks }, change) {
  const { width } = shape;
  if (way === "checkerboard") return ofValues(checkerboard(first, second, shape), width, GRAY);
  if (way === "overlay") return ofBands(overlaid(first, second, share), width);
  if (way === "difference") {
    return ofValues(Float32Array.from(first, (value, at) => value - second[at]), width, gradientPainter("signed", 1, 1));
  }
  if (way !== "sensitivity") return ofValues(blinks ? second : first, width, GRAY);
  if (!change) return null;
  const end = change.reduce((most, value) => (value > most ? value : most), 0);
  return ofValues(change, width, gradientPainter("paper", 1, end || 1));
}
