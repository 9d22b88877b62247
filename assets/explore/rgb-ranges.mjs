/* The ranges that red and green of guidance RGB have, in what the legend tells of them: each its own, as in the paper, or one. */

/** @import { Ranges } from "../painter/colours.mjs" */

import * as graphs from "./graphs.mjs";
import * as painting from "./paint.mjs";
import { number } from "../painter/bars.mjs";
import { joined, rangeOfRows } from "../painter/pixels.mjs";
import { state } from "./state.mjs";
import { withNames } from "../core/words.mjs";

/** @type {Record<Ranges, string>} */
const MEANT = {
  own: "its own: more of this colour than of the other does not say that it counts more",
  common: "that of both: red and green can be compared",
};
/** @type {{ name: string, rows: Float32Array[][], words: string[] }} */
let known = { name: "", rows: [], words: [] };

/**
 * Both ranges in words, empty where they are not known.
 * @param {Ranges} name
 */
function words(name) {
  const images = painting.GRADIENTS.flatMap((panel) => graphs.image(panel) || []);
  if (images.length < 2) return ["", ""];
  const all = images.map(({ rows }) => rows);
  if (name !== known.name || !all.every((one, at) => one === known.rows[at])) {
    const ranges = joined(images.map(({ rows, range }) => range || rangeOfRows(rows)), name);
    known = { name, rows: all, words: ranges.map(([low, high]) => (low <= high ? `${number(low)} to ${number(high)}` : "")) };
  }
  return known.words;
}

/** Print both ranges in the legend, in places that are kept for them, and say in tooltips what they mean. */
function refresh() {
  const { scene, display } = state;
  if (!scene) return;
  const both = words(display.rgb);
  painting.GRADIENTS.forEach((panel, at) => {
    const element = /** @type {HTMLElement | null} */ (document.querySelector(`.rgb-legend [data-range-of="${panel}"]`));
    const item = element?.parentElement;
    if (!element || !item) return;
    const meant = MEANT[display.rgb];
    const title = withNames(item.dataset.title || "", scene.modalities) + (both[at] && ` Range: ${both[at]}, ${meant}.`);
    if (item.title === title) return;
    element.dataset.range = both[at];
    item.title = title;
  });
}

painting.whenPainted(refresh);
