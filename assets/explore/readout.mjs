/* The numbers of the principal pixel, and the line that says what they rest on. */

import { say } from "../core/announce.mjs";
import { PATHS, waiting } from "../core/channel.mjs";
import * as graphs from "./graphs.mjs";
import { ATLAS } from "./read-ahead.mjs";
import { state } from "./state.mjs";
import { poleWords, withNames } from "../core/words.mjs";
import { reachSentence, reachWords } from "../maps/kinds.mjs";
import { influences } from "../painter/influence.mjs";

/**
 * @import { JacobianWindow } from "../core/channel.mjs"
 *
 * @typedef {{ size: number, index: number, row: number, col: number, value: number }} Neighbour
 * @typedef {{ element: HTMLElement, warning: HTMLElement, values: Record<string, HTMLElement> }} Fields
 */

const FIELDS = [
  ["row", "row"], ["col", "col"], ["x1", "{0}"], ["x2", "{1}"], ["y", "fused y"],
  ["g1", "∂y/∂{0}"], ["g2", "∂y/∂{1}"], ["sums1", "Σ|J|, ΣJ of {0}"], ["sums2", "of {1}"], ["reach", "linear to"],
  ["neighbour", "strongest neighbour"],
]; // {0} and {1} are the names of the inputs
const POLE = "h1 + h2 of these of 64 features is within 0.05 of 0, where the rule max(h1, h2) / (h1 + h2) jumps: "
  + "a small change of the inputs may do what no derivative tells";
/** @type {Fields | null} */
let fields = null;
const STATUS_MILLISECONDS = 1000; // after which the status line says nothing of an answer any more
const PINNED = "pinned (click or Esc lets go)";
/** @type {number[]} */
let painted = [];
/** @type {ReturnType<typeof setTimeout> | undefined} */
let emptying;

/** @returns {Fields | null} */
function build() {
  const element = document.getElementById("pixel-readout");
  if (!element) return null;
  if (fields && fields.element === element && element.firstChild) return fields;
  element.replaceChildren();
  /** @type {Record<string, HTMLElement>} */
  const values = {};
  FIELDS.forEach(([name, label]) => {
    const part = document.createElement("span");
    part.className = "readout-part";
    const caption = document.createElement("span");
    caption.className = "readout-label";
    caption.dataset.words = `${label} `;
    caption.textContent = withNames(caption.dataset.words, state.scene?.modalities || ["x1", "x2"]);
    const value = document.createElement("b");
    value.dataset.field = name;
    part.append(caption, value, " ");
    element.append(part);
    values[name] = value;
  });
  const warning = document.createElement("span");
  warning.className = "readout-warning";
  element.append(warning);
  fields = { element, warning, values };
  return fields;
}

/**
 * A number of the readout.
 * @param {number | null | undefined} value
 */
export function number(value) {
  if (value === undefined || value === null || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e4) ? value.toExponential(3) : value.toFixed(4);
}

/**
 * @param {string} panel
 * @param {number} row
 * @param {number} col
 */
function at(panel, row, col) {
  const image = graphs.image(panel);
  return image ? image.rows[row][col] : NaN;
}

/**
 * The largest |gradient| but at the principal pixel, or null.
 * @param {Omit<JacobianWindow, "values" | "suspicious" | "path"> & { values: ArrayLike<number> }} window
 * @returns {Neighbour | null}
 */
export function strongestNeighbour({ row, col, top, left, height, width, values }) {
  /** @type {Neighbour | null} */
  let best = null;
  for (let index = 0, at = 0; index < 2; index += 1) {
    for (let i = 0; i < height; i += 1) {
      for (let j = 0; j < width; j += 1, at += 1) {
        if (top + i === row && left + j === col) continue;
        const size = Math.abs(values[at]);
        if (size > (best ? best.size : 0)) best = { size, index, row: top + i, col: left + j, value: values[at] };
      }
    }
  }
  return best;
}

/** Write the numbers of the window that is shown. */
export function show() {
  const shown = state.window;
  const fieldsOf = build();
  const { scene } = state;
  if (!fieldsOf || !shown || !scene) return;
  const { row, col, top, left, height, width, values } = shown;
  const centre = (row - top) * width + (col - left);
  const neighbour = strongestNeighbour(shown);
  const { values: to } = fieldsOf;
  to.row.textContent = String(row);
  to.col.textContent = String(col);
  to.x1.textContent = number(at("panel-mri", row, col));
  to.x2.textContent = number(at("panel-pet", row, col));
  to.y.textContent = number(at("panel-fused", row, col));
  to.g1.textContent = number(values[centre]);
  to.g2.textContent = number(values[height * width + centre]);
  to.neighbour.textContent = neighbour
    ? `${scene.modalities[neighbour.index]} (${neighbour.row}, ${neighbour.col}) ${number(neighbour.value)}`
    : "none";
  influences(shown).forEach(({ total, signed }, index) => {
    to[`sums${index + 1}`].textContent = `${number(total)}, ${number(signed)}`;
  });
  showReach();
  const { poles } = state;
  const pole = poles?.key === scene.key ? poleWords(poles.image.band(0)[row * scene.width + col]) : "";
  fieldsOf.warning.textContent = shown.suspicious ? "⚠ gradients not finite or absurdly large here" : pole;
  fieldsOf.warning.title = pole && !shown.suspicious ? POLE : "";
  fieldsOf.element.classList.toggle("pinned", state.pinned);
  fieldsOf.element.dataset.pinned = String(state.pinned);
}

/** Write how far the derivatives of the shown pixel reach: of each input the shorter of both changes. */
export function showReach() {
  const { reach, scene, window: shown } = state;
  if (!fields || !scene) return;
  const { reach: field } = fields.values;
  const known = reach && shown && reach.row === shown.row && reach.col === shown.col ? reach.levels : null;
  field.textContent = known ? reachWords(known, scene.modalities) : scene.support_radius ? "…" : "–";
  field.title = known ? reachSentence(known, scene.modalities) : "";
}

/** What is said of the principal pixel; null until its numbers are there. */
export function words() {
  const { window: shown, pixel, pinned } = state;
  if (!fields || !shown || shown.row !== pixel?.row || shown.col !== pixel.col) return null;
  return `${pinned ? "Pinned" : "Not pinned"}. ${fields.element.textContent}`;
}

/**
 * Write what the shown numbers rest on, after an answer that took `milliseconds` (0: remembered); the
 * server says how much of it went into computing. A second later only what still holds is left.
 * @param {number} milliseconds
 * @param {{ compute: number | null, path: number }} answer
 */
export function status(milliseconds, { compute, path: way }) {
  const line = document.getElementById("status-line");
  if (!line || !state.scene) return;
  const now = performance.now();
  painted = painted.filter((time) => now - time < 1000);
  painted.push(now);
  const radius = state.scene.support_radius;
  const reach = radius ? ` ±${Math.max(...radius)} px` : "";
  const path = `${PATHS[way] || "exact"}${reach}`;
  const computed = typeof compute === "number" ? `computed in ${compute.toFixed(1)} ms, ` : "";
  const here = compute === null && way === ATLAS ? "read ahead" : "remembered";
  const time = milliseconds ? `${computed}${waiting(milliseconds, compute)}` : here;
  const pinned = state.pinned ? ` · ${PINNED}` : "";
  const rate = `${painted.length} ${painted.length === 1 ? "update" : "updates"} in the last second`;
  line.textContent = `${state.scene.device} · ${path} · ${time} · ${rate}${pinned}`;
  line.classList.remove("failed");
  clearTimeout(emptying);
  emptying = setTimeout(() => {
    line.textContent = state.pinned ? PINNED : "";
  }, STATUS_MILLISECONDS);
}

/**
 * Say that an answer did not come.
 * @param {string} message
 */
export function fail(message) {
  const line = document.getElementById("status-line");
  if (!line) return;
  clearTimeout(emptying);
  say(message);
  line.textContent = message;
  line.classList.add("failed");
}
