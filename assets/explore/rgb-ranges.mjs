/* The ranges that red and green of guidance RGB have, in what the legend tells of them: each its own, as in the paper. */

import * as graphs from "./graphs.mjs";
import * as painting from "./paint.mjs";
import { number } from "../painter/bars.mjs";
import { rangeOfRows } from "../painter/pixels.mjs";
import { state } from "./state.mjs";
import { withNames } from "../core/words.mjs";

/** @import { Rows } from "./graphs.mjs" */

/** @type {WeakMap<object, string>} */
const known = new WeakMap(); // by the rows of an image

/** @param {Rows} image */
function wordsOf({ rows, range }) {
  const words = known.get(rows);
  if (words !== undefined) return words;
  const [low, high] = range || rangeOfRows(rows);
  const made = low <= high ? `${number(low)} to ${number(high)}` : "";
  known.set(rows, made);
  return made;
}

/** Tell both ranges, nothing where they are not known. A tooltip, as words that come later would move the legend. */
function refresh() {
  painting.GRADIENTS.forEach((panel) => {
    const element = /** @type {HTMLElement | null} */ (document.querySelector(`.rgb-legend [data-range-of="${panel}"]`));
    const image = graphs.image(panel);
    const words = image ? wordsOf(image) : "";
    const item = element?.parentElement;
    if (!element || !item || !state.scene) return;
    const title = withNames(item.dataset.title || "", state.scene.modalities) + (words && ` Range: ${words}.`);
    if (item.title === title) return;
    element.dataset.range = words;
    item.title = title;
  });
}

painting.whenPainted(refresh);
