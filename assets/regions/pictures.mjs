/*
 * Regions as pictures of the size in which they are shown: filled a little, with an outline of even thickness; and the colour
 * of the region that each pixel is in, by which the points around the principal pixel show that they are selected.
 */

import * as regionOutline from "../painter/outline.mjs";
import { canvasOf } from "../core/elements.mjs";
import * as regions from "./set.mjs";

const FILL = 0.28;
const MOST = 24; // pictures that are kept: panels of some sizes and parts
const MOST_ZOOMS = 8; // two principal pixels, in the sizes that the zooms of a page have
let known = { revision: -1, filled: [], fillings: [], pictures: new Map(), zooms: new Map() };

/** The regions that have pixels, the active one last. */
function ordered() {
  const last = regions.all()[regions.activeIndex()];
  return [...regions.all().filter((region) => region !== last), ...(last ? [last] : [])].filter((one) => one.count);
}

function filling(mask, colour, { height, width }) {
  const canvas = canvasOf(width, height);
  const data = new ImageData(width, height);
  const pixels = new Uint32Array(data.data.buffer);
  const value = regionOutline.pixel(colour, FILL);
  for (let at = 0; at < mask.length; at += 1) if (mask[at]) pixels[at] = value;
  canvas.getContext("2d").putImageData(data, 0, 0);
  return { mask, colour, canvas };
}

/** The regions as they are now, with all that was drawn of them; a region that stayed keeps its filling. */
function current() {
  if (known.revision !== regions.currentRevision()) {
    const before = known.fillings;
    const fillings = ordered().map(({ mask, colour }) =>
      before.find((one) => one.mask === mask && one.colour === colour) || filling(mask, colour, regions.imageShape()));
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
    for (const { canvas: filling } of fillings) {
      const { width: columns, height: rows } = filling;
      context.drawImage(filling, place.left, place.top, columns * place.across, rows * place.down);
    }
    const outlines = canvasOf(width, height);
    regionOutline.draw(outlines, filled, regions.imageShape(), place, thickness);
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
    regionOutline.draw(canvas, filled, regions.imageShape(), place, thickness * density));
  if (!picture) return;
  context.save();
  context.imageSmoothingEnabled = false;
  context.drawImage(picture, area.left, area.top, area.width, area.height);
  context.restore();
}

/**
 * Draw the regions' points of a scatterplot, squares of `side` pixels, into a canvas' context: place(at) gives the pixel of
 * the canvas where the image's pixel `at` lies, [x, y], and null where it is not shown.
 */
export function points(context, side, place) {
  const { width, height } = context.canvas;
  const data = new ImageData(width, height);
  const pixels = new Uint32Array(data.data.buffer);
  const reach = Math.max(1, Math.round(side));
  for (const { mask, colour } of ordered()) {
    const value = regionOutline.pixel(colour);
    for (let at = mask.indexOf(1); at >= 0; at = mask.indexOf(1, at + 1)) {
      const found = place(at);
      if (!found) continue;
      const [left, top] = [Math.round(found[0] - side / 2), Math.round(found[1] - side / 2)];
      const [from, to] = [Math.max(left, 0), Math.min(left + reach, width)];
      for (let y = Math.max(top, 0); y < Math.min(top + reach, height); y += 1) {
        for (let x = from; x < to; x += 1) pixels[y * width + x] = value;
      }
    }
  }
  const drawn = canvasOf(width, height);
  drawn.getContext("2d").putImageData(data, 0, 0);
  context.drawImage(drawn, 0, 0);
}

let tinted = { revision: -1, tints: null };

/** One number a pixel of the image, 0 outside of all regions; the chosen region is on top. Null where there is no region. */
export function tints() {
  if (tinted.revision === regions.currentRevision()) return tinted.tints;
  const shape = regions.imageShape();
  const found = shape && regions.all().some((region) => region.count) ? new Uint32Array(shape.height * shape.width) : null;
  for (const region of ordered()) {
    const colour = regionOutline.pixel(region.colour, 1);
    for (let at = 0; at < region.mask.length; at += 1) if (region.mask[at]) found[at] = colour;
  }
  tinted = { revision: regions.currentRevision(), tints: found };
  return found;
}

/** The colour of a pixel's number, for a context's fillStyle. */
export function css(tint) {
  return `rgb(${tint & 255} ${(tint >> 8) & 255} ${(tint >> 16) & 255})`;
}
