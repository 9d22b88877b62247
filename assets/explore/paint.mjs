/* Painting what follows the pointer: zooms, Jacobian images, green points. Drawn from arrays that are already here. */

import * as graphs from "./graphs.mjs";
import * as overlays from "./overlays.mjs";
import { shownScene, shownWindow, state } from "./state.mjs";
import * as colours from "../painter/colours.mjs";
import { fill, fillValues, ofColours, ofRows, ofWindow, put, within } from "../painter/pixels.mjs";
import { neighbours, placing } from "../painter/points.mjs";
import * as regionPictures from "../regions/pictures.mjs";

/**
 * @import { Painter } from "../painter/colours.mjs"
 * @import { Colour } from "../painter/pixels.mjs"
 * @import { Marked } from "../painter/points.mjs"
 * @import { Rows } from "./graphs.mjs"
 */

/** @type {(() => void)[]} */
const listeners = [];
export const GRADIENTS = ["panel-guidance-mri", "panel-guidance-pet"];
export const JACOBIANS = ["panel-jacobian-mri", "panel-jacobian-pet"];

function guidancePainter() {
  const { scale, gamma2 } = state.display;
  return colours.gradientPainter(scale, gamma2, state.guidanceEnd());
}

function jacobianPainter() {
  const { scale, gamma1 } = state.display;
  return colours.gradientPainter(scale, gamma1, state.jacobianEnd());
}

/**
 * Paint the neighbourhood of the principal pixel in an image's colours.
 * @param {string} panel
 * @param {Colour} colour
 */
function paintZoom(panel, colour) {
  const one = overlays.placed(panel);
  if (!one) return;
  const { half } = state.display;
  const side = 2 * half + 1;
  // The zoom's own axes may still have the half-width before; the canvas fills the plot area in any case.
  overlays.fill(one, side, side);
  const { row, col } = shownWindow();
  put(one.context, { left: 0, top: 0, width: side, height: side }, (pixels) =>
    fill(pixels, side, side, within(shownScene(), colour), row - half, col - half));
  const cell = 100 / side;
  Object.assign(one.box.style, { left: `${half * cell}%`, top: `${half * cell}%`, width: `${cell}%`, height: `${cell}%` });
  one.box.style.visibility = "visible";
  overlays.show(panel, true);
}

/**
 * @param {string} panel
 * @param {Painter} [painter]
 */
function paintImageZoom(panel, painter) {
  const image = graphs.image(panel);
  if (!image) return;
  if (panel === "panel-guidance-rgb") paintZoom(`${panel}-zoom`, ofColours(image.rows));
  else paintZoom(`${panel}-zoom`, ofRows(image.rows, painter || colours.grayPainter(image.low, image.high)));
}

/**
 * Paint a Jacobian image: the window over a ground of exactly 0.
 * @param {string} panel
 * @param {number} index
 * @param {Painter} painter
 */
function paintJacobian(panel, index, painter) {
  const one = overlays.placed(panel);
  if (!one || graphs.meta(panel).pair !== shownScene().pair) return;
  const { height, width } = shownScene();
  overlays.spread(one, width, height, -0.5, -0.5);
  const shown = shownWindow();
  const ground = `${state.displayName()},${state.jacobianEnd()}`;
  const zero = painter(0);
  const stale = one.background === ground && one.last ? one.last : { left: 0, top: 0, width, height };
  put(one.context, stale, (pixels) => pixels.fill(zero));
  put(one.context, shown, (pixels) => fillValues(pixels, shown.values, painter, index * pixels.length));
  one.background = ground;
  one.last = { left: shown.left, top: shown.top, width: shown.width, height: shown.height };
  overlays.show(panel, true);
}

/**
 * Paint a whole guidance image.
 * @param {string} panel
 */
function paintGuidance(panel) {
  const image = graphs.image(panel);
  const one = image && overlays.placed(panel);
  if (!image || !one) return;
  const { height, width } = shownScene();
  const painter = guidancePainter();
  overlays.spread(one, width, height, -0.5, -0.5);
  put(one.context, { left: 0, top: 0, width, height }, (pixels) =>
    fill(pixels, width, height, ofRows(image.rows, painter)));
  overlays.show(panel, true);
}

/**
 * The points of the zoom window's pixels, [x, y, tint], from the upper left; `tint` is a region's colour, else 0.
 * @param {Rows} first
 * @param {Rows} second
 * @param {(value: number) => number} across
 * @param {(value: number) => number} up
 * @param {number} height
 */
function pointsAround(first, second, across, up, height) {
  const { half } = state.display;
  const { row, col } = shownWindow();
  const scene = shownScene();
  const all = regionPictures.tints();
  // For a moment after the pair has changed the regions may be of the one before.
  const tints = all && all.length === scene.height * scene.width ? all : null;
  /** @type {Marked[]} */
  const found = [];
  for (let i = Math.max(row - half, 0); i <= Math.min(row + half, scene.height - 1); i += 1) {
    for (let j = Math.max(col - half, 0); j <= Math.min(col + half, scene.width - 1); j += 1) {
      const [x, y] = [first.rows[i][j], second.rows[i][j]];
      if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
      found.push([across(x), height - up(y), tints ? tints[i * scene.width + j] : 0]);
    }
  }
  return found;
}

/** Paint the zoom window's pixels green over the scatterplot. */
export function paintGreenPoints() {
  const area = graphs.area(graphs.SCATTER);
  const [first, second] = GRADIENTS.map(graphs.image);
  const one = overlays.placed(graphs.SCATTER);
  if (!area || !first || !second || !state.window || !one) return;
  if (!state.limits || state.limits.provisional) {
    // The growing images are filled up for the eye: what they show between known pixels are no points.
    overlays.show(graphs.SCATTER, false);
    return;
  }
  const density = window.devicePixelRatio || 1;
  const width = Math.round(area.width * density);
  const height = Math.round(area.height * density);
  overlays.fill(one, width, height);
  const { context } = one;
  context.clearRect(0, 0, width, height);
  const points = pointsAround(first, second, placing(area.x, width), placing(area.y, height), height);
  neighbours(context, points, density);
  one.canvas.dataset.points = String(points.length);
  overlays.show(graphs.SCATTER, true);
}

/** Paint the whole guidance images, while gamma or the colour scale move. */
export function paintGuidanceImages() {
  GRADIENTS.forEach(paintGuidance);
}

/**
 * Call listener() after everything that depends on the principal pixel has been painted.
 * @param {() => void} listener
 */
export function whenPainted(listener) {
  listeners.push(listener);
}

/** Paint everything that depends on the principal pixel. */
export function paintAll() {
  const shown = state.window;
  if (!shown || !state.scene || shown.key !== state.scene.key) return;
  graphs.FULL.forEach((panel) => overlays.moveBox(panel, shown, state.display.half));
  ["panel-mri", "panel-pet", "panel-fused", "panel-guidance-rgb"].forEach((panel) => paintImageZoom(panel));
  const guidance = guidancePainter();
  GRADIENTS.forEach((panel) => paintImageZoom(panel, guidance));
  const jacobian = jacobianPainter();
  JACOBIANS.forEach((panel, index) => {
    paintJacobian(panel, index, jacobian);
    paintZoom(`${panel}-zoom`, ofWindow(shown, index, jacobian));
  });
  paintGreenPoints();
  const provisional = !state.limits || state.limits.provisional;
  document.body.classList.toggle("provisional-scale", provisional);
  listeners.forEach((listener) => listener());
}
