/* Painting what follows the pointer: zooms, Jacobian images, green points. Drawn from arrays that are already here. */

import { overAir } from "./air.mjs";
import * as cover from "./cover.mjs";
import * as graphs from "./graphs.mjs";
import * as overlays from "./overlays.mjs";
import * as pyramid from "./pyramid.mjs";
import * as views from "./views.mjs";
import { shownScene, shownWindow, state } from "./state.mjs";
import * as colours from "../painter/colours.mjs";
import { fill, fillValues, ofGuidance, ofRows, ofWindow, put, within } from "../painter/pixels.mjs";
import { axisEnds, density, ground, neighbours, placing } from "../painter/points.mjs";
import * as regionPictures from "../regions/pictures.mjs";

/**
 * @import { Painter, Ranges } from "../painter/colours.mjs"
 * @import { Colour } from "../painter/pixels.mjs"
 * @import { Marked } from "../painter/points.mjs"
 * @import { Rows } from "./graphs.mjs"
 */

/** @type {(() => void)[]} */
const listeners = [];
export const GRADIENTS = ["panel-guidance-mri", "panel-guidance-pet"];
const RGB = "panel-guidance-rgb";
/** @type {{ rows: Float32Array[][], ranges: Ranges, colour: Colour | null }} */
let mixed = { rows: [], ranges: "own", colour: null }; // guidance RGB, and what it was made of
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

/** @param {string} panel */
function paintImageZoom(panel) {
  const image = graphs.image(panel);
  if (image) paintZoom(`${panel}-zoom`, ofRows(image.rows, colours.grayPainter(image.low, image.high)));
}

/** The colours of guidance RGB, from the images that other panels show; null while one of them is not here. */
function guidanceColours() {
  if (graphs.meta(RGB).key !== shownScene().key) return null;
  const images = [...GRADIENTS, "panel-fused"].flatMap((panel) => graphs.image(panel) || []);
  if (images.length < 3) return null;
  const rows = images.map((image) => image.rows);
  const { rgb: ranges } = state.display;
  if (ranges !== mixed.ranges || !rows.every((one, at) => one === mixed.rows[at])) {
    mixed = { rows, ranges, colour: ofGuidance(rows, ranges, views.rgbRanges()) };
  }
  return mixed.colour;
}

/**
 * Paint a Jacobian image: the window on the ground of what the method does not reach.
 * @param {string} panel
 * @param {number} index
 * @param {Painter} painter
 */
function paintJacobian(panel, index, painter) {
  const one = overlays.placed(panel);
  if (!one || graphs.meta(panel).pair !== shownScene().pair) return;
  if (shownScene().large) {
    views.paintJacobian(panel, index, painter);
    return;
  }
  const { height, width } = shownScene();
  overlays.spread(one, width, height, -0.5, -0.5);
  const shown = shownWindow();
  const ground = `${state.displayName()},${state.jacobianEnd()}`;
  const stale = one.background === ground && one.last ? one.last : { left: 0, top: 0, width, height };
  put(one.context, stale, (pixels) => pixels.fill(colours.OUTSIDE_SUPPORT));
  put(one.context, shown, (pixels) => fillValues(pixels, shown.values, painter, index * pixels.length));
  one.background = ground;
  one.last = { left: shown.left, top: shown.top, width: shown.width, height: shown.height };
  overlays.show(panel, true);
}

/**
 * Paint a whole image in its colours.
 * @param {string} panel
 * @param {Colour} colour
 */
function paintWhole(panel, colour) {
  const one = overlays.placed(panel);
  if (!one) return;
  const { height, width } = shownScene();
  overlays.spread(one, width, height, -0.5, -0.5);
  put(one.context, { left: 0, top: 0, width, height }, (pixels) => fill(pixels, width, height, colour));
  overlays.show(panel, true);
}

/** Paint all points that are known while the guidance images grow; the same ones are left as they are. */
function paintGrowingPoints() {
  const one = overlays.placed(graphs.SCATTER);
  const points = state.grown?.points;
  if (!one || !points || !graphs.grows(graphs.SCATTER)) return;
  if (one.points !== points || one.pointsArea !== one.area) {
    const unit = window.devicePixelRatio || 1;
    const [width, height] = [one.area.width, one.area.height].map((side) => Math.round(side * unit));
    overlays.fill(one, width, height);
    const [xs, ys] = [0, 1].map(points.band);
    const axes = [xs, ys].map((values) => axisEnds(...colours.rangeOf(values)));
    one.context.putImageData(density(xs, ys, axes, width, height), 0, 0);
    ground(one.context);
    Object.assign(one, { points, pointsArea: one.area });
  }
  overlays.show(graphs.SCATTER, true);
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
  if (graphs.grows(graphs.SCATTER)) {
    cover.lift("");
    paintGrowingPoints();
    return;
  }
  const area = graphs.area(graphs.SCATTER);
  const [first, second] = GRADIENTS.map(graphs.image);
  const one = overlays.placed(graphs.SCATTER);
  if (!area || !first || !second || !state.window || !one) return;
  if (!state.limits || state.limits.provisional) {
    // What was stopped is filled up for the eye: what it shows between known pixels are no points.
    overlays.show(graphs.SCATTER, false);
    cover.lift("");
    return;
  }
  one.points = null;
  const { large } = shownScene();
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
  // Plotly never gets the green points of a large pair.
  if (!large) cover.lay(state.contentName(), first, second);
}

/** Paint the whole guidance images, while gamma or the colour scale move. */
export function paintGuidanceImages() {
  const painter = guidancePainter();
  if (shownScene().large) {
    paintViews();
    return;
  }
  GRADIENTS.forEach((panel) => {
    const image = graphs.image(panel);
    if (image) paintWhole(panel, overAir(ofRows(image.rows, painter)));
  });
}

/** Paint the full pictures of a large pair, as far as they are in view and here. */
export function paintViews() {
  if (!state.scene?.large) return;
  const painter = guidancePainter();
  graphs.FULL.filter((panel) => !JACOBIANS.includes(panel)).forEach((panel) => views.paint(panel, painter));
}

/** Paint everything that grows with the guidance images, as far as they are here. */
export function paintGrowing() {
  if (!state.grown || !graphs.grows(RGB)) return;
  paintGuidanceImages();
  const mix = state.scene?.large ? null : guidanceColours();
  if (mix) paintWhole(RGB, overAir(mix));
  paintGrowingPoints();
}

/**
 * Call listener() after everything that depends on the principal pixel has been painted.
 * @param {() => void} listener
 */
export function whenPainted(listener) {
  listeners.push(listener);
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let later;

/** Paint the Jacobian images, once the end of their scale is known or was waited for long enough. */
function paintJacobians() {
  const wait = state.endWait();
  clearTimeout(later);
  if (wait) {
    later = setTimeout(paintAll, wait);
    return;
  }
  const painter = jacobianPainter();
  JACOBIANS.forEach((panel, index) => {
    paintJacobian(panel, index, painter);
    paintZoom(`${panel}-zoom`, ofWindow(shownWindow(), index, painter));
  });
}

/** Paint everything that depends on the principal pixel. */
export function paintAll() {
  const shown = state.window;
  if (!shown || !state.scene || shown.key !== state.scene.key) return;
  graphs.FULL.forEach((panel) => overlays.moveBox(panel, shown, state.display.half));
  if (state.scene.large) pyramid.near(shown, state.display.half);
  ["panel-mri", "panel-pet", "panel-fused"].forEach(paintImageZoom);
  const mix = guidanceColours();
  if (mix) paintZoom(`${RGB}-zoom`, overAir(mix));
  const guidance = guidancePainter();
  GRADIENTS.forEach((panel) => {
    const image = graphs.image(panel);
    if (image) paintZoom(`${panel}-zoom`, overAir(ofRows(image.rows, guidance)));
  });
  paintJacobians();
  paintGreenPoints();
  const provisional = !state.limits || state.limits.provisional;
  document.body.classList.toggle("provisional-scale", provisional);
  listeners.forEach((listener) => listener());
}
