/* How well a prediction tells a change of the fused image, in numbers and in words. */

/** @typedef {import("../core/channel.mjs").Part} Part */

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
