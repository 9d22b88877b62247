/* The colour bars of a difference, which has scales of its own: in its row, one for each kind of picture that it shows. */

import * as scale from "./scale.mjs";
import { state } from "./state.mjs";
import { append } from "../core/elements.mjs";
import { drawBar, number } from "../painter/bars.mjs";

/** @import { DifferenceRow } from "./difference.mjs" */

/** @type {[string, string][]} */
const KINDS = [["fused", "fused"], ["guidance", "guidance"], ["jacobian", "Jacobian"]];
/** @type {WeakMap<HTMLElement, string>} */
const drawn = new WeakMap(); // by the element that has them

/** The kinds of pictures that a difference shows now. */
function kindsShown() {
  const columns = state.columns.filter((column) => !["guidance_rgb", "fused_colour"].includes(column));
  return KINDS.filter(([kind]) => columns.some((column) => column.startsWith(kind)));
}

/**
 * Draw the bars into an element, where colours or ends have changed.
 * @param {HTMLElement} holder
 * @param {DifferenceRow} scene
 */
export function show(holder, scene) {
  const bars = kindsShown().map(([kind, word]) => ({ kind, word, ...scale.differencePainter(scene, kind) }));
  const name = bars.map((bar) => `${bar.kind},${bar.name}`).join(";");
  if (drawn.get(holder) === name && holder.children.length === bars.length) return;
  drawn.set(holder, name);
  holder.replaceChildren();
  for (const { kind, word, end, paint } of bars) {
    const line = append("div", "compare-difference-bar", holder);
    line.dataset.kind = kind;
    append("span", "", line).textContent = number(-end);
    drawBar(append("canvas", "", line), paint, -end, end);
    append("span", "", line).textContent = `${number(end)} ${word}`;
  }
}
