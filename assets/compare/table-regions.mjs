/* Regions in the compare page's pictures: masks over all images, points in all scatterplots. */

import * as scatter from "./scatter.mjs";
import { state } from "./state.mjs";
import { canvasOf } from "../core/elements.mjs";
import { contextOf } from "../painter/pixels.mjs";
import { WIDTH } from "../painter/regions.mjs";
import * as regionPictures from "../regions/pictures.mjs";
import * as regions from "../regions/set.mjs";

/**
 * @import { Area, Context } from "../painter/pixels.mjs"
 * @import { Ends } from "../painter/points.mjs"
 * @import { Unit } from "../painter/shapes.mjs"
 * @import { Scene } from "./state.mjs"
 */

const POINT = 2; // pixels of the plot
/** @type {Map<string, { name: string, canvas: HTMLCanvasElement }>} */
const points = new Map(); // by scene: a canvas with the regions' points

/** Whether the regions are of images of this size; for a moment after the pair has changed they may not be. */
function fits() {
  const [shape, common] = [regions.imageShape(), state.common()];
  return shape !== null && common !== null && shape.height === common.height && shape.width === common.width;
}

/**
 * Draw the regions' borders over a zoom that starts at pixel (col, row).
 * @param {Context} context
 * @param {Area} area
 * @param {Unit & { row: number, col: number }} origin
 */
export function drawBorders(context, area, origin) {
  if (fits()) regionPictures.borders(context, area, origin, WIDTH);
}

/**
 * Draw the regions over a picture of a whole image.
 * @param {Context} context
 * @param {{ area: Area, scene: Scene }} picture
 * @param {number} density
 */
export function drawWhole(context, { area, scene }, density) {
  if (!fits()) return;
  const [width, height] = [area.width, area.height].map((side) => Math.round(side * density));
  const place = { left: 0, top: 0, across: width / scene.width, down: height / scene.height };
  const picture = regionPictures.placed(width, height, place, WIDTH * density);
  if (picture) context.drawImage(picture, area.left, area.top, area.width, area.height);
}

/**
 * Draw the regions' points over a scatterplot that is drawn already.
 * @param {Context} context
 * @param {{ box: Area, scene: Scene }} picture
 * @param {Ends[]} axes
 * @param {number} density
 */
export function drawPoints(context, picture, axes, density) {
  if (!regionPictures.some()) return;
  const area = scatter.plot(picture.box);
  const [width, height] = [area.width, area.height].map((side) => Math.round(side * density));
  const name = `${regions.currentRevision()},${width},${height},${axes}`;
  let kept = points.get(picture.scene.key);
  if (!kept || kept.name !== name) {
    const place = scatter.placing(picture.scene, axes, width, height);
    if (!place) return;
    const canvas = canvasOf(width, height);
    regionPictures.points(contextOf(canvas), POINT * density, place);
    kept = { name, canvas };
    points.set(picture.scene.key, kept);
  }
  context.drawImage(kept.canvas, area.left, area.top, area.width, area.height);
}

/** The regions' colours at each pixel, null where there are none. */
export function tints() {
  return fits() ? regionPictures.tints() : null;
}
