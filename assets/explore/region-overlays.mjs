/* Regions over the explore page's Plotly graphs: masks over the full pictures, points over the scatterplot. */

import * as graphs from "./graphs.mjs";
import * as overlays from "./overlays.mjs";
import * as painting from "./paint.mjs";
import { shownScene, state } from "./state.mjs";
import { contextOf } from "../painter/pixels.mjs";
import { WIDTH } from "../painter/regions.mjs";
import { unitOf } from "../painter/shapes.mjs";
import * as regionPictures from "../regions/pictures.mjs";
import * as regions from "../regions/set.mjs";

/**
 * @import { Placed } from "./overlays.mjs"
 * @import { Rows } from "./graphs.mjs"
 */

const POINT = 2; // of the screen
let waiting = false;
let bare = true; // whether the zooms show no region

/**
 * The canvas of a panel for regions. It lies over what is drawn as the pointer moves, which covers a whole picture; in
 * the scatterplot it lies below, so that the neighbourhood's points stay on top.
 * @param {Placed} one
 * @param {string} panel
 */
function regionContext(one, panel) {
  /** @type {HTMLCanvasElement | null} */
  let canvas = one.element.querySelector(".region-canvas");
  if (!canvas) {
    canvas = Object.assign(document.createElement("canvas"), { className: "region-canvas" });
    if (panel === graphs.SCATTER) one.canvas.before(canvas);
    else one.canvas.after(canvas);
  }
  const [width, height] = [one.area.width, one.area.height].map((side) => Math.round(side * density()));
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = contextOf(canvas);
  context.clearRect(0, 0, width, height);
  return context;
}

function density() {
  return window.devicePixelRatio || 1;
}

/** @param {string} panel */
function drawWhole(panel) {
  const one = overlays.placed(panel);
  if (!one) return;
  const context = regionContext(one, panel);
  const { x, y } = one.area;
  const { width, height } = context.canvas;
  const [across, down] = [width / (x[1] - x[0]), height / (y[0] - y[1])];
  const place = { left: (-0.5 - x[0]) * across, top: (-0.5 - y[1]) * down, across, down };
  const picture = regionPictures.placed(width, height, place, WIDTH * density());
  if (picture) context.drawImage(picture, 0, 0);
}

/** Draw the outlines in the zooms, around the pixel that they show. */
function drawZooms() {
  const shown = state.window;
  if (!shown || !state.scene || shown.key !== state.scene.key) return;
  if (bare && !regions.all().length) return;
  bare = !regions.all().length;
  const { half } = state.display;
  graphs.ZOOMS.forEach((panel) => {
    const one = overlays.placed(panel);
    if (!one) return;
    const context = regionContext(one, panel);
    const { width, height } = context.canvas;
    const [area, side] = [{ left: 0, top: 0, width, height }, 2 * half + 1];
    const unit = unitOf(area, { width: side, height: side }, shownScene().aspect);
    regionPictures.borders(context, area, { row: shown.row - half, col: shown.col - half, ...unit }, WIDTH * density());
  });
}

/** The guidance values of a pixel, x and y of the scatterplot; null until both images are complete, and of a large pair. */
export function guidance() {
  const [first, second] = painting.GRADIENTS.map(graphs.image);
  if (!first || !second || !state.limits || state.limits.provisional || shownScene().large) return null;
  const { width } = shownScene();
  /** @type {(image: Rows) => (at: number) => number} */
  const value = (image) => (at) => image.rows[Math.floor(at / width)][at % width];
  return [value(first), value(second)];
}

function drawPoints() {
  const one = overlays.placed(graphs.SCATTER);
  if (!one) return;
  const { area } = one;
  const context = regionContext(one, graphs.SCATTER);
  const { width, height } = context.canvas;
  const values = guidance();
  if (!values) return;
  const across = width / (area.x[1] - area.x[0]);
  const up = height / (area.y[1] - area.y[0]);
  regionPictures.points(context, POINT * density(), (at) => {
    const [x, y] = [values[0](at), values[1](at)];
    return Number.isFinite(x) && Number.isFinite(y) ? [(x - area.x[0]) * across, height - (y - area.y[0]) * up] : null;
  });
  if (coversPoints()) painting.paintGreenPoints();
}

/** Whether regions lie over the scatterplot's own points, so that the neighbourhood's must be drawn over them. */
export function coversPoints() {
  return regionPictures.some();
}

function drawAll() {
  waiting = false;
  graphs.FULL.forEach(drawWhole);
  drawZooms();
  drawPoints();
}

/** Draw all at the next frame. */
export function draw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(drawAll);
}

regions.listen(draw);
graphs.listen({ drawn: draw, relayout: draw });
window.addEventListener("resize", draw);
painting.whenPainted(drawZooms);
