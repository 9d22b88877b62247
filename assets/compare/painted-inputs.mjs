/* The inputs as they are painted, to be laid over the pictures of what they were. */

import { Painting } from "../change/painting.mjs";
import * as painted from "../change/set.mjs";
import { canvasOf } from "../core/elements.mjs";
import { contextOf, fill, put } from "../painter/pixels.mjs";
import * as images from "./images.mjs";
import * as scale from "./scale.mjs";
import { state } from "./state.mjs";

/**
 * @import { Painter } from "../painter/colours.mjs"
 *
 * @typedef {{ name: string, code: string, originals: Float64Array[], painting: Painting, canvases: HTMLCanvasElement[] }} Drawn
 */

/** @type {Drawn | null} */
let drawn = null;

/**
 * Paint what has changed into the canvases.
 * @param {Drawn} drawn
 * @param {Painter} paint
 */
function follow({ originals, painting, canvases }, paint) {
  const { top, left, bottom, right } = painting.follow(painted.all());
  const area = { top, left, width: right - left, height: bottom - top };
  canvases.forEach((canvas, index) => {
    const [before, values] = [originals[index], painting.images[index]];
    // What is not changed stays as it is below, in colour where it has one.
    put(contextOf(canvas), area, (pixels) => fill(pixels, area.width, area.height, (row, col) => {
      const at = row * canvas.width + col;
      return values[at] === before[at] ? 0 : paint(values[at]);
    }, top, left));
  });
}

/** The inputs as they are painted, in the grays of the pictures; nothing where nothing is painted, or an input is not here. */
function canvases() {
  const common = state.common();
  const code = painted.code();
  const inputs = common && code && images.get(common, "inputs");
  if (!common || !inputs) return [];
  const { paint, name: look } = scale.grayPainter(common, "inputs");
  const name = `${common.pair_id}/${look}`;
  if (drawn?.name !== name) {
    const originals = [0, 1].map((index) => Float64Array.from(inputs.band(index)));
    const made = originals.map(() => canvasOf(common.width, common.height));
    drawn = { name, code: "", originals, painting: new Painting(originals, common), canvases: made };
  }
  if (drawn.code !== code) {
    follow(drawn, paint);
    drawn.code = code;
  }
  return drawn.canvases;
}

/**
 * What is painted on an input, to be laid over its picture; null where nothing is.
 * @param {number} index
 */
export function canvasFor(index) {
  return canvases()[index] || null;
}
