/* Painting what follows the pointer: zooms, Jacobian images, green points. Pure drawing from arrays already here. */

import * as graphs from "./graphs.mjs";
import * as overlays from "./overlays.mjs";
import { state } from "./state.mjs";
import * as colours from "../painter/colours.mjs";
import * as regionPictures from "../regions/pictures.mjs";

const GREEN = "#00c853";
const listeners = [];
export const GRADIENTS = ["panel-guidance-mri", "panel-guidance-pet"];
export const JACOBIANS = ["panel-jacobian-mri", "panel-jacobian-pet"];

/** The pixels of a canvas of this size, as one 32-bit number each. */
function blank(width, height) {
  const data = new ImageData(width, height);
  return { data, pixels: new Uint32Array(data.data.buffer) };
}

function guidancePainter() {
  const { scale, gamma2 } = state.display;
  return colours.gradientPainter(scale, gamma2, state.guidanceEnd());
}

function jacobianPainter() {
  const { scale, gamma1 } = state.display;
  return colours.gradientPainter(scale, gamma1, state.jacobianEnd());
}

/** Paint the neighbourhood of the principal pixel; colour(row, col) gives an opaque pixel, 0 outside the image. */
function paintZoom(panel, colour) {
  const one = overlays.placed(panel);
  if (!one) return;
  const { half } = state.display;
  const side = 2 * half + 1;
  const { data, pixels } = blank(side, side);
  for (let i = 0, at = 0; i < side; i += 1) {
    for (let j = 0; j < side; j += 1, at += 1) pixels[at] = colour(state.window.row + i - half, state.window.col + j - half);
  }
  // The zoom's own axes may still have the half-width before; the canvas fills the plot area in any case.
  overlays.fill(one, side, side);
  one.context.putImageData(data, 0, 0);
  const cell = 100 / side;
  Object.assign(one.box.style, { left: `${half * cell}%`, top: `${half * cell}%`, width: `${cell}%`, height: `${cell}%` });
  one.box.style.visibility = "visible";
  overlays.show(panel, true);
}

function inside(row, col) {
  return row >= 0 && col >= 0 && row < state.scene.height && col < state.scene.width;
}

function ofRows(image, painter) {
  return (row, col) => (inside(row, col) ? painter(image.rows[row][col]) : 0);
}

function ofColours(image) {
  return (row, col) => {
    if (!inside(row, col)) return 0;
    const [red, green, blue] = image.rows[row][col];
    return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  };
}

function ofWindow(index, painter) {
  const { top, left, height, width, values } = state.window;
  const outside = painter(0);
  return (row, col) => {
    if (!inside(row, col)) return 0;
    const i = row - top;
    const j = col - left;
    if (i < 0 || j < 0 || i >= height || j >= width) return outside;
    return painter(values[(index * height + i) * width + j]);
  };
}

function paintImageZoom(panel, painter) {
  const image = graphs.image(panel);
  if (!image) return;
  if (panel === "panel-guidance-rgb") paintZoom(`${panel}-zoom`, ofColours(image));
  else paintZoom(`${panel}-zoom`, ofRows(image, painter || colours.grayPainter(image.low, image.high)));
}

/** Paint a Jacobian image: the window over a ground of exactly 0. */
function paintJacobian(panel, index, painter) {
  const one = overlays.placed(panel);
  if (!one || graphs.meta(panel).pair !== state.scene.pair) return;
  const { height, width } = state.scene;
  overlays.spread(one, width, height, -0.5, -0.5);
  const shown = state.window;
  const ground = `${state.displayName()},${state.jacobianEnd()}`;
  const zero = painter(0);
  const fill = (box) => {
    const { data, pixels } = blank(box.width, box.height);
    pixels.fill(zero);
    one.context.putImageData(data, box.left, box.top);
  };
  if (one.background === ground && one.last) fill(one.last);
  else fill({ left: 0, top: 0, width, height });
  const { data, pixels } = blank(shown.width, shown.height);
  const start = index * pixels.length;
  for (let at = 0; at < pixels.length; at += 1) pixels[at] = painter(shown.values[start + at]);
  one.context.putImageData(data, shown.left, shown.top);
  one.background = ground;
  one.last = { left: shown.left, top: shown.top, width: shown.width, height: shown.height };
  overlays.show(panel, true);
}

/** Paint a whole guidance image. */
function paintGuidance(panel) {
  const image = graphs.image(panel);
  const one = image && overlays.placed(panel);
  if (!one) return;
  const { height, width } = state.scene;
  const painter = guidancePainter();
  overlays.spread(one, width, height, -0.5, -0.5);
  const { data, pixels } = blank(width, height);
  for (let i = 0, at = 0; i < height; i += 1) {
    for (let j = 0; j < width; j += 1, at += 1) pixels[at] = painter(image.rows[i][j]);
  }
  one.context.putImageData(data, 0, 0);
  overlays.show(panel, true);
}

/** Paint the zoom window's pixels green over the scatterplot. */
export function paintGreenPoints() {
  const area = graphs.area(graphs.SCATTER);
  const [first, second] = GRADIENTS.map(graphs.image);
  if (!area || !first || !second || !state.window) return;
  const one = overlays.placed(graphs.SCATTER);
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
  context.fillStyle = GREEN;
  const { half } = state.display;
  const { row, col } = state.window;
  const across = width / (area.x[1] - area.x[0]);
  const up = height / (area.y[1] - area.y[0]);
  const all = regionPictures.tints();
  // For a moment after the pair has changed the regions may be of the one before.
  const tints = all && all.length === state.scene.height * state.scene.width ? all : null;
  const square = (x, y, size) => context.fillRect(x - size / 2, y - size / 2, size, size);
  const cores = []; // x, y and colour of those in regions
  let points = 0;
  for (let i = row - half; i <= row + half; i += 1) {
    for (let j = col - half; j <= col + half; j += 1) {
      if (!inside(i, j)) continue;
      const x = first.rows[i][j];
      const y = second.rows[i][j];
      if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
      const [left, top] = [(x - area.x[0]) * across, height - (y - area.y[0]) * up];
      const tint = tints ? tints[i * state.scene.width + j] : 0;
      if (tint) cores.push([left, top, tint]);
      square(left, top, (tint ? 5 : 3) * density);
      points += 1;
    }
  }
  // What is selected is seen among them too.
  for (const [left, top, tint] of cores) {
    context.fillStyle = regionPictures.css(tint);
    square(left, top, 3 * density);
  }
  one.canvas.dataset.points = points;
  overlays.show(graphs.SCATTER, true);
}

/** Paint the whole guidance images, while gamma or the colour scale move. */
export function paintGuidanceImages() {
  GRADIENTS.forEach(paintGuidance);
}

/** Call listener() after everything that depends on the principal pixel has been painted. */
export function whenPainted(listener) {
  listeners.push(listener);
}

/** Paint everything that depends on the principal pixel. */
export function paintAll() {
  if (!state.window || !state.scene || state.window.key !== state.scene.key) return;
  graphs.FULL.forEach((panel) => overlays.moveBox(panel, state.window, state.display.half));
  ["panel-mri", "panel-pet", "panel-fused", "panel-guidance-rgb"].forEach((panel) => paintImageZoom(panel));
  const guidance = guidancePainter();
  GRADIENTS.forEach((panel) => paintImageZoom(panel, guidance));
  const jacobian = jacobianPainter();
  JACOBIANS.forEach((panel, index) => {
    paintJacobian(panel, index, jacobian);
    paintZoom(`${panel}-zoom`, ofWindow(index, jacobian));
  });
  paintGreenPoints();
  const provisional = !state.limits || state.limits.provisional;
  document.body.classList.toggle("provisional-scale", provisional);
  listeners.forEach((listener) => listener());
}
