/* What a change does to the fused image and what the derivative predicts of it: numbers, words and pictures. */

import { gradientPainter, rangeOf } from "../painter/colours.mjs";
import { fillValues, picture } from "../painter/pixels.mjs";

/**
 * @typedef {import("../core/channel.mjs").Part} Part
 *
 * @typedef {object} Responses - Images in reading order; a prediction may not be known yet.
 * @property {Float32Array} truth - y(x + Δ) − y(x).
 * @property {Float32Array} [linear] - J·Δ.
 * @property {Float32Array} [path] - The same with the mean of eight Jacobians on the way.
 */

/**
 * Put a part of an image into the image, in reading order.
 * @param {Float32Array} image
 * @param {number} width
 * @param {Part} part
 */
export function lay(image, width, part) {
  for (let row = 0; row < part.height; row += 1) {
    image.set(part.values.subarray(row * part.width, (row + 1) * part.width), (part.top + row) * width + part.left);
  }
}

/**
 * ‖true − predicted‖ / ‖true‖ as fusion.Response has it; NaN where nothing changes.
 * @param {Float32Array} truth
 * @param {Float32Array} predicted
 */
export function error(truth, predicted) {
  let [missed, size] = [0, 0];
  truth.forEach((value, at) => {
    missed += (value - predicted[at]) ** 2;
    size += value ** 2;
  });
  return size ? Math.sqrt(missed / size) : NaN;
}

/**
 * @param {number} error
 */
function percent(error) {
  return `${Math.round(100 * (1 - error))} %`;
}

/**
 * What an error of the derivative means.
 * @param {number} error
 */
export function reading(error) {
  if (Number.isNaN(error)) return "The fused image does not change.";
  if (error < 1) return `The derivative predicts ${percent(error)} of this change.`;
  return "The derivative does not predict this change: it is farther off than predicting none.";
}

/**
 * The same of the mean of eight derivatives on the way.
 * @param {number} error
 */
export function pathReading(error) {
  if (Number.isNaN(error)) return "";
  return error < 1 ? `Eight derivatives along the way predict ${percent(error)}.` : "Eight derivatives along the way do not predict it either.";
}

/**
 * What is known of both predictions, as sentences with the numbers behind them.
 * @param {Responses} responses
 */
export function summary({ truth, linear, path }) {
  if (!linear) return "Predicting …";
  const missed = error(truth, linear);
  if (Number.isNaN(missed)) return reading(missed);
  const ratio = `‖Δy − J·Δ‖ / ‖Δy‖ = ${missed.toFixed(3)}`;
  if (!path) return `${reading(missed)} (${ratio})`;
  const along = error(truth, path);
  return `${reading(missed)} ${pathReading(along)} (${ratio}, along the way ${along.toFixed(3)})`;
}

/**
 * Draw a response, its prediction and what that misses, on one signed scale; gives where that ends.
 * @param {(name: string) => HTMLCanvasElement | null} canvasOf - By the names `truth`, `linear` and `missed`.
 * @param {Responses} responses
 * @param {{ height: number, width: number }} shape
 */
export function draw(canvasOf, { truth, linear }, { height, width }) {
  const ranges = [truth, ...(linear ? [linear] : [])].flatMap(rangeOf).map(Math.abs).filter(Number.isFinite);
  const end = Math.max(0, ...ranges) || 1;
  const missed = linear && truth.map((value, at) => value - linear[at]);
  const painter = gradientPainter("signed", 1, end);
  for (const [name, values] of Object.entries({ truth, linear, missed })) {
    const canvas = canvasOf(name);
    if (!canvas) continue;
    canvas.dataset.known = String(Boolean(values));
    picture(width, height, (pixels) => fillValues(pixels, values || new Float32Array(pixels.length), painter), canvas);
  }
  return end;
}

/**
 * What the colours of `draw` mean.
 * @param {number} end
 */
export function scaleWords(end) {
  return `Colours from −${end.toPrecision(3)} (blue) to ${end.toPrecision(3)} (red).`;
}
