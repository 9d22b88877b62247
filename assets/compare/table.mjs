/* One canvas for the whole table: when to lay out, when to draw what stays, when only what moves. */

import * as background from "./background.mjs";
import * as heads from "./heads.mjs";
import * as layout from "./layout.mjs";
import * as overlay from "./overlay.mjs";
import * as readout from "./readout.mjs";
import * as rows from "./rows.mjs";
import * as scale from "./scale.mjs";
import * as scatter from "./scatter.mjs";
import { append } from "../core/elements.mjs";
import { paintBy, redraw } from "./frames.mjs";
import { state } from "./state.mjs";

const behind = document.createElement("canvas");
let parts = null; // the elements of the table
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
    const empty = append("p", "compare-empty", host);
    parts = { host, head, body, canvas, empty, context: canvas.getContext("2d", { alpha: false }), rows: append("div", "compare-rows", body) };
    new ResizeObserver(redraw).observe(host);
    // Its ground and its words have the theme's colours.
    new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  }
  return parts;
}

function nothing() {
  if (!state.scenes.length) return "No method is chosen. Choose one or more under “Methods” above.";
  if (state.common() && !state.columns.length) return "No column is chosen. Choose one or more under “Columns” above.";
  return state.common() ? "" : "None of the chosen methods can be shown; the rows say why.";
}

function layOut() {
  const { host, body, canvas, empty } = parts;
  const density = window.devicePixelRatio || 1;
  const table = layout.lay(host.clientWidth, host.clientHeight - 2);
  const pictures = layout.pictures(table);
  Object.assign(body.style, { width: `${table.width}px`, height: `${table.height}px` });
  const [width, height] = [table.width, table.height].map((side) => Math.round(side * density));
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  Object.assign(canvas.style, { width: `${table.width}px`, height: `${table.height}px` });
  empty.textContent = nothing();
  empty.hidden = !empty.textContent;
  body.hidden = !state.scenes.length;
  heads.show(parts, table);
  rows.show(parts, table);
  drawn = { table, pictures, look: background.draw(behind, table, pictures, density) };
}

/** Draw the table, everything or only what moves; false while there is none. */
function paint(everything) {
  if (!elements()) return false;
  if (everything || !drawn) layOut();
  // A provisional scale is taken from the windows, and the growing pictures have it too.
  else if (scale.isProvisional()) heads.showEnds(parts, drawn.table);
  overlay.draw(parts.context, behind, drawn.table, drawn.pictures, drawn.look);
  readout.show();
  return true;
}

/** A place of the window in the table's own pixels. */
function inTable(clientX, clientY) {
  const { left, top } = parts.canvas.getBoundingClientRect();
  return [clientX - left, clientY - top];
}

/** The picture under a place of the window, null where there is none. */
export function pictureAt(clientX, clientY) {
  if (!drawn || !state.common()) return null;
  const [x, y] = inTable(clientX, clientY);
  return drawn.pictures.find((one) => {
    const area = layout.areaOf(one);
    return x >= area.left && y >= area.top && x < area.left + area.width && y < area.top + area.height;
  }) || null;
}

/** The image's pixel under a place of the window in this picture, null outside of the image unless `clamp` wants the nearest. */
export function pixelIn(picture, clientX, clientY, clamp) {
  const [x, y] = inTable(clientX, clientY);
  if (picture.kind === "scatter") return scatter.pixelAt(picture, x, y);
  const { height, width } = picture.scene;
  const [area, part] = [picture.area, layout.partOf(picture)];
  const row = part.row + Math.floor(((y - area.top) / area.height) * part.height);
  const col = part.col + Math.floor(((x - area.left) / area.width) * part.width);
  const limit = (value, end) => Math.min(Math.max(value, 0), end - 1);
  if (clamp) return { row: limit(row, height), col: limit(col, width) };
  return row >= 0 && col >= 0 && row < height && col < width ? { row, col } : null;
}

/** What is on the canvas: { table, pictures, look }; null before the first painting. */
export function shown() {
  return drawn;
}

paintBy(paint);
