/*
 * The scatterplot's dots while the pixel moves: Plotly's own have the green ones of the pixel at which the pointer rested
 * before, and drawing them anew takes it a quarter of a second. They are hidden for as long, and these lie in their place.
 */

import * as graphs from "./graphs.mjs";
import * as overlays from "./overlays.mjs";
import { contextOf } from "../painter/pixels.mjs";
import { darkDots } from "../painter/points.mjs";

/**
 * @import { PlotArea } from "./plotly-internals.mjs"
 * @import { Rows } from "./graphs.mjs"
 */

/** @type {{ area: PlotArea, rows: Float32Array[][], canvas: HTMLCanvasElement } | null} */
let drawn = null;
let settled = ""; // whose green dots Plotly has

/** @param {Float32Array[]} rows */
function flat(rows) {
  const values = new Float32Array(rows.length * rows[0].length);
  rows.forEach((row, at) => values.set(row, at * row.length));
  return values;
}

/**
 * Draw the dots of two images, unless they are there.
 * @param {Rows} first
 * @param {Rows} second
 */
function prepare(first, second) {
  const one = overlays.placed(graphs.SCATTER);
  if (!one) return;
  const rows = [first.rows, second.rows];
  const same = drawn && drawn.area === one.area && drawn.canvas.isConnected && rows.every((image, at) => image === drawn?.rows[at]);
  if (same) return;
  const canvas = drawn?.canvas.isConnected ? drawn.canvas : document.createElement("canvas");
  canvas.className = "dots-canvas";
  const unit = window.devicePixelRatio || 1;
  [canvas.width, canvas.height] = [one.area.width, one.area.height].map((side) => Math.round(side * unit));
  darkDots(contextOf(canvas), flat(rows[0]), flat(rows[1]), [one.area.x, one.area.y], unit);
  if (!canvas.isConnected) one.element.prepend(canvas);
  drawn = { area: one.area, rows, canvas };
}

/** @param {boolean} visible */
function show(visible) {
  overlays.overlay(graphs.SCATTER)?.section.classList.toggle("covered", visible && Boolean(drawn?.canvas.isConnected));
}

/**
 * Show the dots of two images unless Plotly's green ones are those that are wanted.
 * @param {string} content - Name of the pixel and neighbourhood.
 * @param {Rows} first
 * @param {Rows} second
 */
export function lay(content, first, second) {
  if (content !== settled) prepare(first, second);
  show(content !== settled);
}

/**
 * Let Plotly's dots be seen, with the green ones of this pixel and neighbourhood, or without any.
 * @param {string} content
 */
export function lift(content) {
  settled = content;
  show(false);
}
