/* One canvas for the whole table: when to lay out, when to draw what stays, when only what moves. */

import * as background from "./background.mjs";
import * as heads from "./heads.mjs";
import * as layout from "./layout.mjs";
import * as maps from "./maps.mjs";
import * as overlay from "./overlay.mjs";
import * as readout from "./readout.mjs";
import * as rows from "./rows.mjs";
import * as scale from "./scale.mjs";
import * as scatter from "./scatter.mjs";
import * as waiting from "./waiting.mjs";
import { append } from "../core/elements.mjs";
import { paintBy, redraw } from "./frames.mjs";
import { state } from "./state.mjs";

/**
 * @import { Context } from "../painter/pixels.mjs"
 * @import { Pixel } from "../painter/shapes.mjs"
 * @import { Look } from "./background.mjs"
 * @import { Picture, Table } from "./layout.mjs"
 * @import { Parts } from "./rows.mjs"
 *
 * @typedef {Parts & { canvas: HTMLCanvasElement, context: Context, empty: HTMLElement, captions: HTMLElement, retries: HTMLElement }} Elements
 * @typedef {{ table: Table, pictures: Picture[], look: Look }} Drawn
 */

const MOST_PIXELS = 2 ** 24;
const behind = document.createElement("canvas");
/** @type {Elements | null} */
let parts = null; // the elements of the table
/** @type {Drawn | null} */
let drawn = null; // { table, pictures, look } of what is on the canvas

/** Make the elements of the table once. */
export function elements() {
  const host = document.getElementById("compare-table");
  if (!host) return null;
  if (!parts || parts.host !== host) {
    const body = append("div", "compare-body", host);
    const canvas = append("canvas", "compare-canvas", body);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", "Pictures of all rows; the numbers at the pinned pixels stand beside them");
    const head = append("div", "compare-columns", body);
    const captions = append("div", "compare-captions", body);
    const empty = append("p", "compare-empty", host);
    const [rows, retries] = ["compare-rows", "compare-retries"].map((name) => append("div", name, body));
    const context = /** @type {Context} */ (canvas.getContext("2d", { alpha: false }));
    parts = { host, head, captions, body, canvas, empty, context, rows, retries };
    new ResizeObserver(redraw).observe(host);
    // Its ground and its words have the theme's colours.
    new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
    document.addEventListener("theme-changed", () => paint(true));
  }
  return parts;
}

/** Why there is no table; empty where there is one. */
function nothing() {
  if (state.pair === null) return "Opening the pair and its methods …";
  if (!state.scenes.length) return "No method is chosen. Choose one or more under “Methods” above.";
  if (state.common() && !state.columns.length) return "No column is chosen. Choose one or more under “Columns” above.";
  return state.common() ? "" : "None of the chosen methods can be shown; the rows say why.";
}

/**
 * Pixels of the canvas a CSS pixel: the screen's, unless the table is so high that no browser has such a canvas.
 * @param {Table} table
 */
function densityOf({ width, height }) {
  return Math.min(window.devicePixelRatio || 1, Math.sqrt(MOST_PIXELS / Math.max(1, width * height)));
}

/**
 * @param {Elements} parts
 * @returns {Drawn}
 */
function layOut(parts) {
  const { host, body, canvas, empty, retries } = parts;
  const table = layout.lay(host.clientWidth, host.clientHeight - 2);
  const pictures = layout.pictures(table);
  const density = densityOf(table);
  host.dataset.picturePx = String(layout.pictureWidth(table, pictures));
  body.classList.toggle("captioned", table.captions);
  body.classList.toggle("stacked", !table.label);
  Object.assign(body.style, { width: `${table.width}px`, height: `${table.height}px` });
  const [width, height] = [table.width, table.height].map((side) => Math.round(side * density));
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  Object.assign(canvas.style, { width: `${table.width}px`, height: `${table.height}px` });
  empty.textContent = nothing();
  empty.hidden = !empty.textContent;
  body.hidden = !state.scenes.length;
  heads.show(parts, table);
  scale.showBars();
  maps.show();
  rows.show(parts, table);
  waiting.showRetries(retries, pictures);
  return { table, pictures, look: background.draw(behind, table, pictures, density) };
}

/**
 * Draw the table, everything or only what moves; false while there is none.
 * @param {boolean} everything
 */
function paint(everything) {
  const shown = elements();
  if (!shown) return false;
  if (everything || !drawn) drawn = layOut(shown);
  // A provisional scale is taken from the windows, and the growing pictures have it too.
  else if (scale.isProvisional()) scale.showBars();
  overlay.draw(shown.context, behind, drawn.table, drawn.pictures, drawn.look);
  readout.show();
  return true;
}

/**
 * A place of the window in the table's own pixels.
 * @param {number} clientX
 * @param {number} clientY
 */
function inTable(clientX, clientY) {
  const { left, top } = /** @type {Elements} */ (parts).canvas.getBoundingClientRect();
  return [clientX - left, clientY - top];
}

/**
 * The picture under a place of the window, null where there is none.
 * @param {number} clientX
 * @param {number} clientY
 */
export function pictureAt(clientX, clientY) {
  if (!drawn || !state.common()) return null;
  const [x, y] = inTable(clientX, clientY);
  return drawn.pictures.find((one) => {
    const area = layout.areaOf(one);
    return x >= area.left && y >= area.top && x < area.left + area.width && y < area.top + area.height;
  }) || null;
}

/**
 * The image's pixel under a place of the window in this picture, null outside of the image unless `clamp` wants the nearest.
 * @param {Picture} picture
 * @param {number} clientX
 * @param {number} clientY
 * @param {boolean} [clamp]
 * @returns {Pixel | null}
 */
export function pixelIn(picture, clientX, clientY, clamp) {
  const [x, y] = inTable(clientX, clientY);
  if (picture.kind === "scatter") return scatter.pixelAt(picture, x, y);
  const { height, width } = picture.scene;
  const [area, part] = [picture.area, layout.partOf(picture)];
  const row = part.row + Math.floor(((y - area.top) / area.height) * part.height);
  const col = part.col + Math.floor(((x - area.left) / area.width) * part.width);
  /** @type {(value: number, end: number) => number} */
  const limit = (value, end) => Math.min(Math.max(value, 0), end - 1);
  if (clamp) return { row: limit(row, height), col: limit(col, width) };
  return row >= 0 && col >= 0 && row < height && col < width ? { row, col } : null;
}

/** What is on the canvas: { table, pictures, look }; null before the first painting. */
export function shown() {
  return drawn;
}

paintBy(paint);
