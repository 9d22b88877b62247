/* The inputs of a pair as strokes make them, so that while one paints only the newest stroke is painted again. */

import * as strokes from "./strokes.mjs";

/** @import { Box, Shape, Stroke } from "./strokes.mjs" */

/**
 * Whether a stroke is another one that has become longer, or is as it was.
 * @param {Stroke} later
 * @param {Stroke} earlier
 */
function continues(later, earlier) {
  if (later === earlier) return true;
  const { stamps, ...kind } = earlier;
  return (/** @type {(keyof typeof kind)[]} */ (Object.keys(kind))).every((key) => later[key] === kind[key])
    && stamps.every((stamp, at) => stamp === later.stamps[at]);
}

export class Painting {
  /** @type {readonly Stroke[]} */
  #strokes = [];
  /** @type {Float64Array[]} */
  #base; // as all strokes but the last make them
  /** @type {Float64Array[]} */
  #originals;
  /** @type {Shape} */
  #shape;
  /** @type {Float64Array[]} */
  images; // as all strokes make them, by input

  /**
   * @param {Float64Array[]} originals - By input, row by row.
   * @param {Shape} shape
   */
  constructor(originals, shape) {
    this.#originals = originals;
    this.#base = originals;
    this.#shape = shape;
    this.images = originals.map((image) => image.slice());
  }

  /**
   * Paint these strokes in place of those before. Gives the box that may be different.
   * @param {readonly Stroke[]} all
   * @returns {Box}
   */
  follow(all) {
    const before = this.#strokes;
    const last = all[all.length - 1];
    this.#strokes = [...all];
    const grows = last && before.length === all.length && before.every((stroke, at) => (
      at < all.length - 1 ? stroke === all[at] : continues(last, stroke)
    ));
    if (!grows) {
      this.#base = strokes.painted(all.slice(0, -1), this.#originals, this.#shape);
      this.images = this.#base.map((image) => image.slice());
    }
    const box = last && strokes.paint(last, this.images[last.input], this.#base[last.input], this.#originals[last.input], this.#shape);
    return grows && box ? box : { top: 0, left: 0, bottom: this.#shape.height, right: this.#shape.width };
  }
}
