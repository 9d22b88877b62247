/*
 * Regions as pictures of the size in which they are shown: filled a little, with an outline of even thickness; and the colour
 * of the region that each pixel is in, by which the points around the principal pixel show that they are selected.
 */

import { pixelOf } from "../painter/pixels.mjs";
import { drawOutlines, drawPoints, filling } from "../painter/regions.mjs";
import { canvasOf } from "../core/elements.mjs";
import * as regions from "./set.mjs";

const MOST = 24; // pictures that are kept: panels of some sizes and parts
const MOST_ZOOMS = 8; // two principal pixels, in the sizes that the zooms of a page have
let known = { revision: -1, filled: [], fillings: [], pictures: new Map(), zooms: new Map() };

/** The regions that have pixels, the active one last. */
function ordered() {
  const last = regions.all()[regions.activeIndex()];
  return [...regions.all().filter((region) => region !== last), ...(last ? [last] : [])].filter((one) => one.count);
}

/** The regions as they are now, with all that was drawn of them; a region that stayed keeps its filling. */
function current() {
  if (known.revision !== regions.currentRevision()) {
    const before = known.fillings;
    const fillings = ordered().map(({ mask, colour }) =>
      before.find((one) => one.mask === mask && one.colour === colour) ||
        { mask, colour, canvas: filling(mask, colour, regions.imageShape()) });
    known = { revision: regions.currentRevision(), filled: ordered(), fillings, pictures: new Map(), zooms: new Map() };
  }
  return known;
}

/** What a map of canvases has under a name; else make(canvas) draws it, into that of the oldest where there are enough. */
function kept(map, most, name, width, height, make) {
  if (!map.has(name)) {
    const oldest = map.size >= most ? map.keys().next().value : null;
    const canvas = (oldest && map.get(oldest)) || canvasOf(width, height);
    if (oldest) map.delete(oldest);
    Object.assign(canvas, { width, height }); // which clears it too
    map.set(name, make(canvas) ? canvas : null);
  }
  return map.get(name);
}

/**
 * A canvas of width × height pixels of the screen with all regions, null where there are none. The image's upper left
 * corner lies at (left, top) of it, and a pixel of the image is across × down; outlines are `thickness` wide.
 */
export function placed(width, height, place, thickness) {
  const { filled, fillings, pictures } = current();
  if (!filled.length || !width || !height) return null;
  const name = [width, height, place.left, place.top, place.across, place.down].join();
  return kept(pictures, MOST, name, width, height, (canvas) => {
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = place.across < 1;
    for (const { canvas: whole } of fillings) {
      const { width: columns, height: rows } = whole;
      context.drawImage(whole, place.left, place.top, columns * place.across, rows * place.down);
    }
    const outlines = canvasOf(width, height);
    drawOutlines(outlines, filled, regions.imageShape(), place, thickness);
    context.drawImage(outlines, 0, 0);
    return true;
  });
}

/**
 * Draw the outlines over a zoom that starts at pixel (row, col): a filling would change its colours. All zooms of a page
 * show the same part, so that it is drawn once for those of a size.
 */
export function borders(context, area, { row, col, unit }, thickness) {
  const { filled, zooms } = current();
  const density = context.getTransform().a;
  const [width, height, side] = [area.width, area.height, unit].map((length) => length * density);
  if (!filled.length || width < 1 || height < 1) return;
  const place = { left: -col * side, top: -row * side, across: side, down: side };
  const name = [width, height, row, col, side].join();
  const picture = kept(zooms, MOST_ZOOMS, name, Math.round(width), Math.round(height), (canvas) =>
    drawOutlines(canvas, filled, regions.imageShape(), place, thickness * density));
  if (!picture) return;
  context.save();
  context.imageSmoothingEnabled = false;
  context.drawImage(picture, area.left, area.top, area.width, area.height);
  context.restore();
}

/** Draw the regions' points of a scatterplot, as drawPoints of the painter does. */
export function points(context, side, place) {
  drawPoints(context, ordered(), side, place);
}

let tinted = { revision: -1, tints: null };

/** One number a pixel of the image, 0 outside of all regions; the chosen region is on top. Null where there is no region. */
export function tints() {
  if (tinted.revision === regions.currentRevision()) return tinted.tints;
  const shape = regions.imageShape();
  const found = shape && regions.all().some((region) => region.count) ? new Uint32Array(shape.height * shape.width) : null;
  for (const region of ordered()) {
    const colour = pixelOf(region.colour);
    for (let at = 0; at < region.mask.length; at += 1) if (region.mask[at]) found[at] = colour;
  }
  tinted = { revision: regions.currentRevision(), tints: found };
  return found;
}
