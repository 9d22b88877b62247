/* Canvases and red boxes laid over the static Plotly graphs: what moves with the pointer is drawn here. */

import * as graphs from "./graphs.mjs";
import { contextOf } from "../painter/pixels.mjs";

/**
 * @import { Images } from "../core/channel.mjs"
 * @import { Context } from "../painter/pixels.mjs"
 * @import { Area } from "../painter/pixels.mjs"
 * @import { Pixel } from "../painter/shapes.mjs"
 * @import { PlotArea } from "./plotly-internals.mjs"
 *
 * @typedef {object} Overlay
 * @property {HTMLElement} section
 * @property {HTMLElement} element
 * @property {HTMLCanvasElement} canvas
 * @property {Context} context
 * @property {HTMLElement} box
 * @property {PlotArea} [area]
 * @property {"whole" | { x: number, y: number } | null} [laidOut] - Where the canvas lies: over all, or from where in the data on.
 * @property {string | null} [background] - Name of the ground that is on the canvas.
 * @property {Area} [last] - What was drawn on it.
 * @property {Images | null} [points] - The growing points that are on it, and where they were drawn.
 * @property {PlotArea} [pointsArea]
 *
 * @typedef {Overlay & { area: PlotArea }} Placed
 */

/** @type {Map<string, Overlay>} */
const overlays = new Map();

/**
 * The overlay of a panel: its elements, looked up once.
 * @param {string} panel
 * @returns {Overlay | null}
 */
export function overlay(panel) {
  const known = overlays.get(panel);
  if (known && known.element.isConnected) return known;
  const section = /** @type {HTMLElement | null} */ (document.querySelector(`section[data-panel="${panel}"]`));
  if (!section) return null;
  const element = /** @type {HTMLElement} */ (section.querySelector(".overlay"));
  const canvas = /** @type {HTMLCanvasElement} */ (element.querySelector("canvas"));
  const box = /** @type {HTMLElement} */ (element.querySelector(".pixel-box"));
  /** @type {Overlay} */
  const made = { section, element, canvas, context: contextOf(canvas), box };
  overlays.set(panel, made);
  return made;
}

/**
 * Lay the overlay exactly over the plot area; null where there is none.
 * @param {string} panel
 * @returns {Placed | null}
 */
export function placed(panel) {
  const area = graphs.area(panel);
  const one = overlay(panel);
  if (!area || !one) return null;
  if (one.area !== area) {
    one.area = area;
    Object.assign(one.element.style, {
      left: `${area.left}px`,
      top: `${area.top}px`,
      width: `${area.width}px`,
      height: `${area.height}px`,
    });
    lay(/** @type {Placed} */ (one));
  }
  return /** @type {Placed} */ (one);
}

// What lies over a graph that has another size now must follow it, whether or not anything is painted again.
graphs.listen({ drawn: placed });

/**
 * @param {Overlay} one
 * @param {number} width
 * @param {number} height
 */
function resize(one, width, height) {
  if (one.canvas.width === width && one.canvas.height === height) return;
  one.canvas.width = width;
  one.canvas.height = height;
  one.background = null;
}

/**
 * Make the canvas width×height pixels and let it fill the plot area.
 * @param {Overlay} one
 * @param {number} width
 * @param {number} height
 */
export function fill(one, width, height) {
  resize(one, width, height);
  if (one.laidOut === "whole") return;
  one.laidOut = "whole";
  Object.assign(one.canvas.style, { left: 0, top: 0, width: "100%", height: "100%" });
}

/**
 * Make the canvas width×height pixels and lay it over the data rectangle that starts at (x, y).
 * @param {Placed} one
 * @param {number} width
 * @param {number} height
 * @param {number} x
 * @param {number} y
 */
export function spread(one, width, height, x, y) {
  const { width: before, height: high } = one.canvas;
  resize(one, width, height);
  const at = one.laidOut;
  if (before === width && high === height && at && at !== "whole" && at.x === x && at.y === y) return;
  one.laidOut = { x, y };
  lay(one);
}

/**
 * Put a canvas that was spread over a part of the data where that is by now.
 * @param {Placed} one
 */
function lay({ canvas, area, laidOut }) {
  if (!laidOut || laidOut === "whole") return; // 100 % follow by themselves
  const across = area.width / (area.x[1] - area.x[0]);
  const down = area.height / (area.y[0] - area.y[1]);
  Object.assign(canvas.style, {
    left: `${(laidOut.x - area.x[0]) * across}px`,
    top: `${(laidOut.y - area.y[1]) * down}px`,
    width: `${canvas.width * across}px`,
    height: `${canvas.height * down}px`,
  });
}

/**
 * @param {string} panel
 * @param {boolean} visible
 */
export function show(panel, visible) {
  const one = overlay(panel);
  if (one) one.canvas.style.visibility = visible ? "visible" : "hidden";
}

/**
 * Move the red box of a full panel around the principal pixel.
 * @param {string} panel
 * @param {Pixel} pixel
 * @param {number} half
 */
export function moveBox(panel, pixel, half) {
  const one = placed(panel);
  if (!one) return;
  const across = one.area.width / (one.area.x[1] - one.area.x[0]);
  const down = one.area.height / (one.area.y[0] - one.area.y[1]);
  const left = (pixel.col - half - 0.5 - one.area.x[0]) * across;
  const top = (pixel.row - half - 0.5 - one.area.y[1]) * down;
  one.box.style.width = `${(2 * half + 1) * across}px`;
  one.box.style.height = `${(2 * half + 1) * down}px`;
  one.box.style.transform = `translate(${left}px, ${top}px)`;
  one.box.style.visibility = "visible";
  one.box.dataset.row = String(pixel.row);
  one.box.dataset.col = String(pixel.col);
}

/** Hide what belongs to a scene that is gone. */
export function hideAll() {
  graphs.ALL.forEach((panel) => {
    const one = overlay(panel);
    if (!one) return;
    one.canvas.style.visibility = "hidden";
    one.box.style.visibility = "hidden";
    one.background = null;
  });
}
