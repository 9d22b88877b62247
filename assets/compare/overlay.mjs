/* What follows the pointer: boxes, zooms, Jacobian images and the points in the scatterplots. */

import * as background from "./background.mjs";
import * as difference from "./difference.mjs";
import * as images from "./images.mjs";
import * as layout from "./layout.mjs";
import * as scale from "./scale.mjs";
import * as scatter from "./scatter.mjs";
import { state } from "./state.mjs";
import * as tableRegions from "./table-regions.mjs";
import { absence } from "./waiting.mjs";
import { canvasOf } from "../core/elements.mjs";
import { OUTSIDE_SUPPORT } from "../painter/colours.mjs";
import { blank, contextOf, css, fillValues } from "../painter/pixels.mjs";
import { box, clipped, placePicture, unitOf } from "../painter/shapes.mjs";

/**
 * @import { Painter } from "../painter/colours.mjs"
 * @import { Area, Context } from "../painter/pixels.mjs"
 * @import { Look } from "./background.mjs"
 * @import { DifferenceRow } from "./difference.mjs"
 * @import { Picture, Table } from "./layout.mjs"
 * @import { Point, ShownWindow } from "./state.mjs"
 *
 * @typedef {Picture & { point: Point }} Moving - A picture that follows a pixel.
 * @typedef {{ canvas: HTMLCanvasElement, context: Context, data: ImageData, pixels: Uint32Array }} Scratch
 */

const COLOURS = ["#ff2a2a", "#2f8bff"]; // of the two pixels
const POINTS = [0xff53c800, 0xffff8b2f]; // alpha, blue, green, red
/** @type {Map<string, Scratch>} */
const scratch = new Map();

/**
 * Which of the two pixels a point is.
 * @param {Point} point
 */
function numberOf(point) {
  return point === state.b ? 1 : 0;
}

/**
 * A canvas for the windows of a scene, kept while they have this size.
 * @param {string} name
 * @param {number} width
 * @param {number} height
 */
function scratchOf(name, width, height) {
  let kept = scratch.get(name);
  if (!kept || kept.canvas.width !== width || kept.canvas.height !== height) {
    const canvas = canvasOf(width, height);
    kept = { canvas, context: contextOf(canvas), ...blank(width, height) };
    scratch.set(name, kept);
  }
  return kept;
}

/**
 * The window of a picture's pixel and method, null while it is on its way.
 * @param {Moving} picture
 */
function windowOf(picture) {
  const { shown } = picture.point;
  if (shown && picture.scene.difference) return difference.windowAt(/** @type {DifferenceRow} */ (picture.scene), shown);
  return (shown && shown.windows.get(picture.scene.key)) || null;
}

/**
 * @param {Scratch} kept
 * @param {ShownWindow} window
 * @param {number} index
 * @param {Painter} paint
 */
function paintWindow(kept, window, index, paint) {
  fillValues(kept.pixels, window.values, paint, index * window.height * window.width);
  kept.context.putImageData(kept.data, 0, 0);
}

/**
 * A zoom at the border of the image shows where that ends.
 * @param {Context} context
 * @param {Area} area
 * @param {Look} look
 */
function drawGround(context, area, look) {
  context.fillStyle = look.ground;
  context.fillRect(area.left, area.top, area.width, area.height);
}

/**
 * @param {Context} context
 * @param {Moving} picture
 * @param {number} half
 * @param {Look} look
 */
function drawJacobian(context, picture, half, look) {
  const window = windowOf(picture);
  if (!window) {
    drawGround(context, picture.area, look);
    if (!picture.point.failed) background.write(context, absence(picture), picture.area, look.quiet);
    return;
  }
  if (picture.zoom) drawGround(context, picture.area, look);
  const { area, index, scene } = picture;
  const painter = scene.difference
    ? scale.differencePainter(/** @type {DifferenceRow} */ (scene), "jacobian")
    : scale.painterFor(scene, state.display.gamma1);
  const kept = scratchOf(scene.key, window.width, window.height);
  paintWindow(kept, window, index, painter.paint);
  const origin = layout.partOf(picture);
  const unit = unitOf(area, origin, scene.aspect);
  clipped(context, area, () => {
    // Outside the window the method does not reach, outside the image there is nothing.
    context.fillStyle = css(OUTSIDE_SUPPORT);
    context.fillRect(
      area.left - origin.col * unit.across, area.top - origin.row * unit.down, scene.width * unit.across, scene.height * unit.down);
    placePicture(context, area, unit, origin, kept.canvas, { row: window.top, col: window.left });
  });
  const { drawBorders, drawWhole } = tableRegions;
  if (picture.zoom) drawBorders(context, area, { row: origin.row, col: origin.col, ...unit });
  else drawWhole(context, picture, look.density);
  const { row, col } = picture.zoom ? window : state.centreOf(picture.point);
  box(context, area, unit, { row: row - origin.row, col: col - origin.col }, picture.zoom ? 0 : half, COLOURS[numberOf(picture.point)]);
}

/**
 * Cut the neighbourhood out of the bitmap of a whole picture.
 * @param {Context} context
 * @param {Moving} picture
 * @param {Look} look
 */
function drawZoom(context, picture, look) {
  const bitmap = background.bitmapOf({ ...picture, zoom: false });
  const { area } = picture;
  const pixel = picture.point.shown || picture.point.pixel;
  if (!bitmap || !pixel) {
    drawGround(context, area, look);
    background.write(context, absence(picture), area, look.quiet);
    return;
  }
  const origin = layout.partOf(picture);
  const { row, col } = origin;
  const unit = unitOf(area, origin, picture.scene.aspect);
  drawGround(context, area, look);
  clipped(context, area, () => placePicture(context, area, unit, origin, bitmap, { row: 0, col: 0 }));
  tableRegions.drawBorders(context, area, { row, col, ...unit });
  box(context, area, unit, { row: pixel.row - row, col: pixel.col - col }, 0, COLOURS[numberOf(picture.point)]);
}

/**
 * @param {Context} context
 * @param {Moving} picture
 */
function drawLetter(context, picture) {
  context.font = "bold 11px system-ui, sans-serif";
  context.textAlign = "left";
  context.textBaseline = "top";
  context.fillStyle = COLOURS[numberOf(picture.point)];
  context.fillText(picture.point === state.a ? "A" : "B", picture.area.left + 3, picture.area.top + 2);
}

/**
 * @param {Context} context
 * @param {Picture} picture
 * @param {Look} look
 * @param {number} half
 */
function drawOne(context, picture, look, half) {
  const points = state.points();
  if (picture.point) {
    const moving = /** @type {Moving} */ (picture);
    if (picture.kind === "jacobian") drawJacobian(context, moving, half, look);
    else drawZoom(context, moving, look);
    if (points.length > 1) drawLetter(context, moving);
  } else if (picture.kind === "scatter") {
    const guidance = images.get(picture.scene, "guidance");
    if (!look.axes || !guidance || !guidance.complete || picture.scene.difference) return;
    const shown = points.filter((point) => point.shown)
      .map((point) => ({ ...state.centreOf(point), colour: POINTS[numberOf(point)] }));
    scatter.drawMoving(context, picture, look.axes, look.density, shown, half, tableRegions.tints());
  } else if (background.bitmapOf(picture)) {
    // The boxes belong to the pixel that is pointed at, even while its windows are on their way.
    const unit = unitOf(picture.area, picture.scene, picture.scene.aspect);
    [...points].reverse().forEach((point) => {
      const centre = (point === state.a && state.held) || point.pixel;
      if (centre) box(context, picture.area, unit, centre, half, COLOURS[numberOf(point)]);
    });
  }
}

/**
 * Lay what stays over the canvas and draw what moves.
 * @param {Context} context
 * @param {HTMLCanvasElement} canvas
 * @param {Table} table
 * @param {Picture[]} pictures
 * @param {Look} look
 */
export function draw(context, canvas, table, pictures, look) {
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.drawImage(canvas, 0, 0);
  context.setTransform(look.density, 0, 0, look.density, 0, 0);
  const half = state.half();
  pictures.forEach((picture) => drawOne(context, picture, look, half));
}
