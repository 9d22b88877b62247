/* The ranges that red and green of guidance RGB have, in what the legend tells of them: each its own, as in the paper, or one. */

import * as graphs from "./graphs.mjs";
import * as painting from "./paint.mjs";
import { number } from "../painter/bars.mjs";
import { joined, rangeOfRows } from "../painter/pixels.mjs";
import { state } from "./state.mjs";
import { withNames } from "../core/words.mjs";

/**
 * @import { Ranges } from "../painter/colours.mjs"
 * @import { Rows } from "./graphs.mjs"
 */

/** @type {Record<Ranges, string>} */
const MEANT = {
  own: "its own: more of this colour than of the other does not say that it counts more",
  common: "that of both: red and green can be compared",
};
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

/**
 * The range of each guidance image's colour, null while one is not known.
 * @param {Ranges} name
 * @returns {([number, number] | null)[]}
 */
function rangesOf(name) {
  const images = painting.GRADIENTS.flatMap((panel) => graphs.image(panel) || []);
  const ends = images.map(endsOf);
  return ends.length === 2 && ends.every(([low, high]) => low <= high) ? joined(ends, name) : [null, null];
}

/**
 * What both ranges are, in the legend's words; nothing while they are not known.
 * @param {([number, number] | null)[]} ranges
 * @param {string[]} names
 * @param {Ranges} name
 */
export function rangeWords([first, second], names, name) {
  if (!first || !second) return "";
  const [red, green] = [first, second].map(([low, high]) => `${number(low)} to ${number(high)}`);
  return name === "common" ? `red and green ${red}, one range` : `red: ${names[0]} ${red}, green: ${names[1]} ${green}`;
}

/** Print both ranges in the legend, and what is not seen, and say in tooltips what they mean. */
function refresh() {
  const { scene, display } = state;
  if (!scene) return;
  const ranges = rangesOf(display.rgb);
  const said = [rangeWords(ranges, scene.modalities, display.rgb), flatWords(ranges, scene.modalities)].filter(Boolean).join("; ");
  const note = document.querySelector(".rgb-note");
  if (note && note.textContent !== said) note.textContent = said;
  painting.GRADIENTS.forEach((panel, index) => {
    const element = /** @type {HTMLElement | null} */ (document.querySelector(`.rgb-legend [data-range-of="${panel}"]`));
    const item = element?.parentElement;
    if (!element || !item) return;
    const ends = ranges[index];
    const words = ends ? `${number(ends[0])} to ${number(ends[1])}` : "";
    const title = withNames(item.dataset.title || "", scene.modalities) + (words && ` Range: ${words}, ${MEANT[display.rgb]}.`);
    if (item.title === title) return;
    element.dataset.range = words;
    item.title = title;
  });
}

painting.whenPainted(refresh);
