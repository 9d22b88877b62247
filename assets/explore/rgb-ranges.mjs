/* The ranges that red and green of guidance RGB have, in what the legend tells of them: each its own, as in the paper. */

import * as graphs from "./graphs.mjs";
import * as painting from "./paint.mjs";
import { number } from "../painter/bars.mjs";
import { rangeOfRows } from "../painter/pixels.mjs";
import { state } from "./state.mjs";
import { withNames } from "../core/words.mjs";

/** @import { Rows } from "./graphs.mjs" */

/** @type {WeakMap<object, [number, number]>} */
const known = new WeakMap(); // by the rows of an image

/** @param {Rows} image */
function endsOf({ rows, range }) {
  const ends = known.get(rows) || range || rangeOfRows(rows);
  known.set(rows, ends);
  return ends;
}

/**
 * What guidance RGB does not show, as an image of one value has no range to stretch; nothing where both have one.
 * @param {([number, number] | null)[]} ranges - Of both guidance images, null while one is not known.
 * @param {string[]} names
 */
export function flatWords(ranges, names) {
  const flat = ranges.map((ends) => (ends && ends[0] === ends[1] ? number(ends[0]) : null));
  const [first, second] = flat;
  if (first !== null && first === second) return `both count ${first} everywhere: no red, no green; blue is the fused image`;
  const said = flat.flatMap((value, index) =>
    value === null ? [] : `${names[index]} counts ${value} everywhere: no ${index ? "green" : "red"}`);
  return said.join("; ");
}

/** Tell both ranges, nothing where they are not known. A tooltip, as words that come later would move the legend. */
function refresh() {
  const ranges = painting.GRADIENTS.map((panel) => {
    const image = graphs.image(panel);
    const ends = image ? endsOf(image) : null;
    return ends && ends[0] <= ends[1] ? ends : null;
  });
  const note = document.querySelector(".rgb-note");
  const flat = state.scene ? flatWords(ranges, state.scene.modalities) : "";
  if (note && note.textContent !== flat) note.textContent = flat;
  painting.GRADIENTS.forEach((panel, index) => {
    const element = /** @type {HTMLElement | null} */ (document.querySelector(`.rgb-legend [data-range-of="${panel}"]`));
    const ends = ranges[index];
    const words = ends ? `${number(ends[0])} to ${number(ends[1])}` : "";
    const item = element?.parentElement;
    if (!element || !item || !state.scene) return;
    const title = withNames(item.dataset.title || "", state.scene.modalities) + (words && ` Range: ${words}.`);
    if (item.title === title) return;
    element.dataset.range = words;
    item.title = title;
  });
}

painting.whenPainted(refresh);
