/* Regions in the compare page's pictures: masks over all images, points in all scatterplots. */

import * as scatter from "./scatter.mjs";
import { state } from "./state.mjs";
import { WIDTH } from "../painter/regions.mjs";
import * as regionPictures from "../regions/pictures.mjs";
import * as regions from "../regions/set.mjs";

const POINT = 2; // pixels of the plot
const points = new Map(); // by scene: a canvas with the regions' points

/** Whether the regions are of images of this size; for a moment after the pair has changed they may not be. */
function fits() {
  const [shape, common] = [regions.imageShape(), state.common()];
  return Boolean(shape && common) && shape.height === common.height && shape.width === common.width;
}

/** Draw the regions' borders over a zoom that starts at pixel (col, row). */
export function drawBorders(context, area, origin) {
  if (fits()) regionPictures.borders(context, area, origin, WIDTH);
}

/** Draw the regions over a picture of a whole image. */
export function drawWhole(context, { area, scene }, density) {
  if (!fits()) return;
  const [width, height] = [area.width, area.height].map((side) => Math.round(side * density));
  const place = { left: 0, top: 0, across: width / scene.width, down: height / scene.height };
  const picture = regionPictures.placed(width, height, place, WIDTH * density);
  if (picture) context.drawImage(picture, area.left, area.top, area.width, area.height);
}

/** Draw the regions' points over a scatterplot that is drawn already. */
export function drawPoints(context, picture, axes, density) {
  if (!regions.all().some((region) => region.count)) return;
  const area = scatter.plot(picture.box);
  const [width, height] = [area.width, area.height].map((side) => Math.round(side * density));
  const name = `${regions.currentRevision()},${width},${height},${axes}`;
  let kept = points.get(picture.scene.key);
  if (!kept || kept.name !== name) {
    const place = scatter.placing(picture.scene, axes, width, height);
    if (!place) return;
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    regionPictures.points(canvas.getContext("2d"), POINT * density, place);
    kept = { name, canvas };
    points.set(picture.scene.key, kept);
  }
  context.drawImage(kept.canvas, area.left, area.top, area.width, area.height);
}

/** The regions' colours at each pixel, null where there are none. */
export function tints() {
  return fits() ? regionPictures.tints() : null;
}
