/* The inputs as they are painted, to be laid over the pictures of what they were. */

import * as painted from "../change/set.mjs";
import * as strokes from "../change/strokes.mjs";
import { canvasOf } from "../core/elements.mjs";
import { contextOf, fill, put } from "../painter/pixels.mjs";
import * as images from "./images.mjs";
import * as scale from "./scale.mjs";
import { state } from "./state.mjs";

/** @typedef {{ name: string, canvases: HTMLCanvasElement[] }} Drawn */

/** @type {Drawn} */
let drawn = { name: "", canvases: [] };

/** The inputs as they are painted, in the grays of the pictures; nothing where nothing is painted, or an input is not here. */
function canvases() {
  const common = state.common();
  const code = painted.code();
  const inputs = common && code && images.get(common, "inputs");
  if (!common || !inputs) return [];
  const { paint, name: look } = scale.grayPainter(common, "inputs");
  const name = `${common.pair_id}/${code}/${look}`;
  if (drawn.name === name) return drawn.canvases;
  const { height, width } = common;
  const originals = [0, 1].map((index) => Float64Array.from(inputs.band(index)));
  const changed = strokes.painted([...painted.all()], originals, common);
  drawn = {
    name,
    canvases: changed.map((values, index) => {
      const canvas = canvasOf(width, height);
      const before = originals[index];
      // What is not changed stays as it is below, in colour where it has one.
      put(contextOf(canvas), { left: 0, top: 0, width, height }, (pixels) => fill(pixels, width, height, (row, col) => {
        const at = row * width + col;
        return values[at] === before[at] ? 0 : paint(values[at]);
      }));
      return canvas;
    }),
  };
  return drawn.canvases;
}

/**
 * What is painted on an input, to be laid over its picture; null where nothing is.
 * @param {number} index
 */
export function canvasFor(index) {
  return canvases()[index] || null;
}
