/*
 * Strokes of a brush as short texts, and what they make of the inputs: the twin of fusion/saliency/strokes.py, which says what
 * they mean. Both work in the same order with numbers of the same precision, so that they find the same.
 */

/**
 * @import { Pixel } from "../painter/shapes.mjs"
 *
 * @typedef {keyof typeof STRENGTHS} Operation
 * @typedef {object} Stroke
 * @property {number} input - 0 or 1.
 * @property {Operation} operation
 * @property {number} size - Diameter of a stamp.
 * @property {number} strength
 * @property {Pixel[]} stamps
 *
 * @typedef {{ top: number, left: number, bottom: number, right: number }} Box - Rows from top to before bottom.
 * @typedef {{ height: number, width: number }} Shape
 */

export const LARGEST_STAMP = 64;
export const LONGEST_CODE = 4000;
/** Least and greatest strength by operation: gray levels of set and add, percent of erase and blur. */
export const STRENGTHS = { s: [0, 255], a: [-255, 255], e: [1, 100], b: [1, 100] };
const LEVELS = 255;
const FARTHEST = 32;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const STROKE = /^([12])([saeb])([1-9]\d?)\.(-?\d{1,3})\.(\d{1,6})\.(\d{1,6})(?:\.((?:[A-Za-z0-9_-]{2})+))?$/;

/**
 * The strokes of a code; null where it is none.
 * @param {string} code
 * @returns {Stroke[] | null}
 */
export function read(code) {
  if (code.length > LONGEST_CODE) return null;
  const strokes = code ? code.split("~").map(readStroke) : [];
  return strokes.includes(null) ? null : /** @type {Stroke[]} */ (strokes);
}

/** @param {string} text */
function readStroke(text) {
  const found = STROKE.exec(text);
  if (!found) return null;
  const [input, size, strength, row, col] = [1, 3, 4, 5, 6].map((at) => Number(found[at]));
  const operation = /** @type {Operation} */ (found[2]);
  const [least, most] = STRENGTHS[operation];
  if (size > LARGEST_STAMP || strength < least || strength > most) return null;
  const stamps = [{ row, col }];
  const moves = [...(found[7] || "")].map((letter) => LETTERS.indexOf(letter) - FARTHEST);
  for (let at = 0; at < moves.length; at += 2) {
    const last = stamps[stamps.length - 1];
    stamps.push({ row: last.row + moves[at], col: last.col + moves[at + 1] });
  }
  return { input: input - 1, operation, size, strength, stamps };
}

/** @param {Stroke[]} strokes */
export function write(strokes) {
  return strokes.map(({ input, operation, size, strength, stamps: [first, ...further] }) => {
    let last = first;
    let moves = "";
    for (const stamp of further) {
      moves += LETTERS[stamp.row - last.row + FARTHEST] + LETTERS[stamp.col - last.col + FARTHEST];
      last = stamp;
    }
    return `${input + 1}${operation}${size}.${strength}.${first.row}.${first.col}${moves && `.${moves}`}`;
  }).join("~");
}

/** A code in links. @type {import("../core/tracked.mjs").Kind<string>} */
export const CODE = { write: String, read: String, valid: (code) => Boolean(code) && read(code) !== null };

/**
 * The places of the stamps on the way from one to the next, which a stroke of this size has; without the first.
 * @param {Pixel} from
 * @param {Pixel} to
 * @param {number} size
 * @returns {Pixel[]}
 */
export function way(from, to, size) {
  const far = Math.max(Math.abs(to.row - from.row), Math.abs(to.col - from.col));
  const steps = Math.ceil(far / Math.max(1, Math.floor(size / 4)));
  return Array.from({ length: steps }, (_, index) => ({
    row: Math.round(from.row + ((to.row - from.row) * (index + 1)) / steps),
    col: Math.round(from.col + ((to.col - from.col) * (index + 1)) / steps),
  }));
}

/**
 * The part of an image that holds some stamps of a stroke; null where they are all outside.
 * @param {Pixel[]} stamps
 * @param {number} size
 * @param {Shape} shape
 * @returns {Box | null}
 */
export function boxOf(stamps, size, { height, width }) {
  const above = Math.floor(size / 2);
  /** @type {(least: number, most: number, end: number) => [number, number]} */
  const side = (least, most, end) => [Math.min(Math.max(least - above, 0), end), Math.min(Math.max(most - above + size, 0), end)];
  let [top, left, bottom, right] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { row, col } of stamps) {
    [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
    [left, right] = [Math.min(left, col), Math.max(right, col)];
  }
  [top, bottom] = side(top, bottom, height);
  [left, right] = side(left, right, width);
  return top < bottom && left < right ? { top, left, bottom, right } : null;
}

/**
 * The box that holds both.
 * @param {Box | null} one
 * @param {Box | null} other
 */
export function union(one, other) {
  if (!one || !other) return one || other;
  return {
    top: Math.min(one.top, other.top), left: Math.min(one.left, other.left),
    bottom: Math.max(one.bottom, other.bottom), right: Math.max(one.right, other.right),
  };
}

/**
 * Which pixels of a box a stroke covers, row by row.
 * @param {Stroke} stroke
 * @param {Box} box
 */
function covered({ size, stamps }, { top, left, bottom, right }) {
  const [width, above] = [right - left, Math.floor(size / 2)];
  const found = new Uint8Array((bottom - top) * width);
  // By row of a stamp, how far it reaches from its middle, in half pixels.
  const reach = Array.from({ length: size }, (_, at) => Math.floor(Math.sqrt(size * size - (2 * at - size + 1) ** 2)));
  for (const { row, col } of stamps) {
    for (let at = 0; at < size; at += 1) {
      const line = row - above + at;
      if (line < top || line >= bottom) continue;
      const first = Math.max(col - above + Math.ceil((size - 1 - reach[at]) / 2), left);
      const last = Math.min(col - above + Math.floor((size - 1 + reach[at]) / 2), right - 1);
      if (last >= first) found.fill(1, (line - top) * width + first - left, (line - top) * width + last - left + 1);
    }
  }
  return found;
}

/**
 * The mean of the square around a pixel, of what lies in the image.
 * @param {Float64Array} image
 * @param {Shape} shape
 * @param {number} row
 * @param {number} col
 * @param {number} half
 */
function mean(image, { height, width }, row, col, half) {
  let [total, count] = [0, 0];
  for (let i = row - half; i <= row + half; i += 1) {
    for (let j = col - half; j <= col + half; j += 1) {
      if (i < 0 || j < 0 || i >= height || j >= width) continue;
      total += image[i * width + j];
      count += 1;
    }
  }
  return total / count;
}

/**
 * What a stroke makes of a pixel that it covers.
 * @param {Stroke} stroke
 * @param {Float64Array} before
 * @param {Float64Array} original
 * @param {Shape} shape
 * @returns {(row: number, col: number) => number}
 */
function wanted({ operation, size, strength }, before, original, shape) {
  const { width } = shape;
  const share = strength / 100;
  const half = Math.max(1, Math.floor(size / 8));
  /** @type {Record<Operation, (row: number, col: number) => number>} */
  const makes = {
    s: () => strength / LEVELS,
    a: (row, col) => before[row * width + col] + strength / LEVELS,
    e: (row, col) => (1 - share) * before[row * width + col] + share * original[row * width + col],
    b: (row, col) => (1 - share) * before[row * width + col] + share * mean(before, shape, row, col, half),
  };
  return makes[operation];
}

/**
 * Paint a stroke into `image`, which has been as `before` where the stroke lies. Gives the box that it may have changed.
 * @param {Stroke} stroke
 * @param {Float64Array} image
 * @param {Float64Array} before
 * @param {Float64Array} original
 * @param {Shape} shape
 */
export function paint(stroke, image, before, original, shape) {
  const box = boxOf(stroke.stamps, stroke.size, shape);
  if (!box) return null;
  const inside = covered(stroke, box);
  const value = wanted(stroke, before, original, shape);
  let at = 0;
  for (let row = box.top; row < box.bottom; row += 1) {
    for (let col = box.left; col < box.right; col += 1, at += 1) {
      if (inside[at]) image[row * shape.width + col] = value(row, col);
    }
  }
  return box;
}

/**
 * The inputs after some strokes, by input.
 * @param {Stroke[]} strokes
 * @param {Float64Array[]} originals
 * @param {Shape} shape
 */
export function painted(strokes, originals, shape) {
  const images = originals.map((one) => one.slice());
  for (const stroke of strokes) {
    const { input } = stroke;
    // A stroke sees what was before it alone; only to blur does it look at other pixels than the one it changes.
    const before = stroke.operation === "b" ? images[input].slice() : images[input];
    paint(stroke, images[input], before, originals[input], shape);
  }
  return images;
}
