/* The ranges that red and green of guidance RGB have, beside their meanings in the legend: each its own, as in the paper. */

import * as graphs from "./graphs.mjs";
import * as painting from "./paint.mjs";
import { number } from "../painter/bars.mjs";
import { rangeOf } from "../painter/colours.mjs";

/** @type {WeakMap<object, string>} */
const known = new WeakMap(); // by the rows of an image

/** @param {ArrayLike<number>[]} rows */
function wordsOf(rows) {
  const words = known.get(rows);
  if (words !== undefined) return words;
  const ranges = rows.map((row) => rangeOf(Array.from(row)));
  const [low, high] = [Math.min(...ranges.map(([first]) => first)), Math.max(...ranges.map(([, last]) => last))];
  const made = low <= high ? `${number(low)} to ${number(high)}` : "";
  known.set(rows, made);
  return made;
}

/** Write both ranges, nothing where they are not known. */
function refresh() {
  painting.GRADIENTS.forEach((panel) => {
    const element = /** @type {HTMLElement | null} */ (document.querySelector(`.rgb-legend [data-range-of="${panel}"]`));
    const image = graphs.image(panel);
    const words = image ? wordsOf(image.rows) : "";
    if (element && element.dataset.range !== words) element.dataset.range = words;
  });
}

painting.whenPainted(refresh);
