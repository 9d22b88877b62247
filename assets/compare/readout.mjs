/* The numbers of the table: both pixels in the first row, y and both gradients of each method. */

import * as difference from "./difference.mjs";
import * as images from "./images.mjs";
import * as reach from "./reach.mjs";
import * as rows from "./rows.mjs";
import { state } from "./state.mjs";
import * as status from "./status-line.mjs";
import { append } from "../core/elements.mjs";
import { poleWords } from "../core/words.mjs";
import { reachShort } from "../maps/kinds.mjs";

/**
 * @import { Pixel } from "../painter/shapes.mjs"
 * @import { DifferenceRow } from "./difference.mjs"
 * @import { Point, Scene } from "./state.mjs"
 */

const HEADED = ["y", "g1", "g2"];

/**
 * A number of a row; an ellipsis while it is not known.
 * @param {number | null | undefined} value
 */
export function digits(value) {
  if (value === null || value === undefined) return "…";
  if (!Number.isFinite(value)) return String(value);
  const text = value.toFixed(Math.abs(value) >= 100 ? 1 : 4);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/**
 * @param {Scene} scene
 * @param {string} kind
 * @param {number} index
 * @param {Pixel} pixel
 */
function valueAt(scene, kind, index, { row, col }) {
  const image = images.get(scene, kind);
  return image ? image.band(index)[row * image.width + col] : null;
}

/**
 * The numbers of a method at a point: y, dy/dx1, dy/dx2, and whether any gradient of its window is suspicious.
 * @param {Scene} scene
 * @param {Point} point
 */
function numbersAt(scene, point) {
  const { shown } = point;
  const window = shown && (scene.difference ? difference.windowAt(/** @type {DifferenceRow} */ (scene), shown) : shown.windows.get(scene.key));
  if (!window) return { y: null, gradients: [null, null], suspicious: false };
  const at = (window.row - window.top) * window.width + (window.col - window.left);
  return {
    y: valueAt(scene, "fused", 0, window),
    gradients: [0, 1].map((index) => window.values[index * window.height * window.width + at]),
    suspicious: window.suspicious,
  };
}

/**
 * Write [name, text, field] into a line, whose elements are made once.
 * @param {HTMLElement} holder
 * @param {number} number
 * @param {Point} point
 * @param {string[][]} parts
 * @param {string} warning
 */
function write(holder, number, point, parts, warning) {
  const line = /** @type {HTMLElement} */ (holder.children[number] || append("div", "compare-line", holder));
  const letter = point === state.a ? "A" : "B";
  const all = [["", letter, "letter"], ...parts, ["", warning, "warning"]];
  if (line.children.length !== all.length) {
    line.replaceChildren();
    all.forEach(([, , field]) => {
      const part = append("span", "compare-part", line);
      // The names of a method's numbers stand in the head; those who hear the page hear them with each number.
      append("span", HEADED.includes(field) ? "compare-name compare-headed" : "compare-name", part);
      append("span", "compare-value", part);
    });
  }
  all.forEach(([name, text, field], index) => {
    const part = /** @type {HTMLElement} */ (line.children[index]);
    part.dataset.field = field;
    if (part.children[0].textContent !== name) part.children[0].textContent = name;
    if (part.children[1].textContent !== text) part.children[1].textContent = text;
  });
  line.dataset.point = letter;
}

/**
 * How far the derivatives of a method hold at a point, in words.
 * @param {Scene} scene
 * @param {Point} point
 */
function reachOf(scene, point) {
  if (scene.difference || !scene.support_radius) return "–";
  const levels = reach.levelsOf(scene, point);
  return levels ? reachShort(levels, scene.modalities) : "…";
}

/**
 * @param {HTMLElement} holder
 * @param {number} count
 */
function trim(holder, count) {
  while (holder.children.length > count) holder.lastChild?.remove();
}

/** Show all numbers as they are now. */
export function show() {
  status.refresh();
  const common = state.common();
  const points = state.points();
  const first = rows.numbersOf("");
  if (!common || !first) return;
  const names = common.modalities;
  points.forEach((point, number) => {
    const pixel = point.shown || /** @type {Pixel} */ (point.pixel);
    write(first, number, point, [
      ["row ", String(pixel.row), "row"],
      ["column ", String(pixel.col), "col"],
      [`${names[0]} `, digits(valueAt(common, "inputs", 0, pixel)), "x1"],
      [`${names[1]} `, digits(valueAt(common, "inputs", 1, pixel)), "x2"],
    ], point === state.a && state.a.pinned ? "pinned" : "");
  });
  trim(first, points.length);
  for (const scene of difference.rows().filter((row) => !row.error)) {
    const holder = rows.numbersOf(scene.method_id);
    if (!holder) continue;
    points.forEach((point, number) => {
      const { y, gradients, suspicious } = numbersAt(scene, point);
      const pole = scene.pole && !scene.difference && point.shown ? poleWords(valueAt(scene, "pole", 0, point.shown)) : "";
      write(holder, number, point, [
        ["y ", digits(y), "y"],
        [`∂y/∂${names[0]} `, digits(gradients[0]), "g1"],
        [`∂y/∂${names[1]} `, digits(gradients[1]), "g2"],
        ["linear to ", reachOf(scene, point), "reach"],
      ], suspicious ? "⚠ not finite or above 1,000" : pole);
    });
    trim(holder, points.length);
  }
}

/** What is said of both pixels; null until their numbers are there. */
export function words() {
  const points = state.points();
  const known = points.every(({ pixel, shown }) => shown && shown.row === pixel?.row && shown.col === pixel.col);
  const first = rows.numbersOf("");
  if (!known || !first) return null;
  const parts = [...first.querySelectorAll(".compare-part")].map((part) => part.textContent?.trim()).filter(Boolean);
  return points.length ? parts.join(" ") : "No pixel";
}
