/*
 * Regions as pictures of the size in which they are shown, each in its own look (look.mjs); and the colour of the region that
 * each pixel is in, by which the points around the principal pixel show that they are selected. Hidden ones are in none.
 */

import { contextOf, pixelOf } from "../painter/pixels.mjs";
import { drawOutlines, drawPoints, filling } from "../painter/regions.mjs";
import { canvasOf } from "../core/elements.mjs";
import { fillingOf } from "./look.mjs";
import * as regions from "./set.mjs";

/**
 * @import { Area, Context } from "../painter/pixels.mjs"
 * @import { Place } from "../painter/regions.mjs"
 * @import { Unit } from "../painter/shapes.mjs"
 * @import { ImageShape, Region } from "./set.mjs"
 *
 * @typedef {{ mask: Uint8Array, colour: string, opacity: number, outlined: boolean, canvas: HTMLCanvasElement }} Filling
 * @typedef {{ mask: Uint8Array, colour: string, opacity: number }} Outline
 * @typedef {Map<string, HTMLCanvasElement | null>} Canvases - By what is on them, null where nothing is.
 * @typedef {object} Drawn - All that was drawn of the regions as they were at a revision.
 * @property {number} revision
 * @property {Filling[]} fillings
 * @property {Outline[]} outlines
 * @property {Canvases} pictures
 * @property {Canvases} zooms
 */

const MOST = 24; // pictures that are kept: panels of some sizes and parts
const MOST_ZOOMS = 8; // two principal pixels, in the sizes that the zooms of a page have
/** @type {Drawn} */
let known = { revision: -1, fillings: [], outlines: [], pictures: new Map(), zooms: new Map() };

/** The images' shape; there are regions only once it is known. */
function shownShape() {
  return /** @type {ImageShape} */ (regions.imageShape());
}

/** The regions that are to be seen, the active one last. */
function ordered() {
  const last = regions.all()[regions.activeIndex()];
  return [...regions.all().filter((region) => region !== last), ...(last ? [last] : [])].filter(isSeen);
}

/** @param {Region} region */
const isSeen = ({ count, look }) => count > 0 && !look.hidden;

/** Whether there is anything to be drawn. */
export function some() {
  return regions.all().some(isSeen);
}

/**
 * A region's filling, which is taken from those of before where it has not changed.
 * @param {Region} region
 * @param {Filling[]} before
 * @returns {Filling}
 */
function fillingFor({ mask, colour, look }, before) {
  const opacity = fillingOf(look);
  const same = before.find((one) => one.mask === mask && one.colour === colour && one.opacity === opacity);
  return { mask, colour, opacity, outlined: look.outline, canvas: same?.canvas || filling(mask, colour, shownShape(), opacity) };
}

/** The regions as they are now, with all that was drawn of them; a region that stayed keeps its filling. */
function current() {
  if (known.revision !== regions.currentRevision()) {
    const seen = ordered();
    const before = known.fillings;
    known = {
      revision: regions.currentRevision(),
      fillings: seen.filter(({ look }) => look.filled).map((region) => fillingFor(region, before)),
      outlines: seen.filter(({ look }) => look.outline)
        .map(({ mask, colour, look }) => ({ mask, colour, opacity: look.opacity / 100 })),
      pictures: new Map(),
      zooms: new Map(),
    };
  }
  return known;
}

/**
 * What a map of canvases has under a name; else make(canvas) draws it, into that of the oldest where there are enough.
 * @param {Canvases} map
 * @param {number} most
 * @param {string} name
 * @param {number} width
 * @param {number} height
 * @param {(canvas: HTMLCanvasElement) => boolean} make
 */
function kept(map, most, name, width, height, make) {
  if (!map.has(name)) {
    const oldest = map.size >= most ? map.keys().next().value : undefined;
    const canvas = (oldest && map.get(oldest)) || canvasOf(width, height);
    if (oldest) map.delete(oldest);
    Object.assign(canvas, { width, height }); // which clears it too
    map.set(name, make(canvas) ? canvas : null);
  }
  return map.get(name) || null;
}

/**
 * A canvas of width × height pixels of the screen with all regions, null where there are none. The image's upper left
 * corner lies at (left, top) of it, and a pixel of the image is across × down; outlines are `thickness` wide.
 * @param {number} width
 * @param {number} height
 * @param {Place} place
 * @param {number} thickness
 */
export function placed(width, height, place, thickness) {
  const { fillings, outlines, pictures } = current();
  if ((!fillings.length && !outlines.length) || !width || !height) return null;
  const name = [width, height, place.left, place.top, place.across, place.down].join();
  return kept(pictures, MOST, name, width, height, (canvas) => drawn(canvas, fillings, outlines, place, thickness));
}

/**
 * Draw fillings and the outlines over them; whether there is anything.
 * @param {HTMLCanvasElement} canvas
 * @param {Filling[]} fillings
 * @param {Outline[]} outlines
 * @param {Place} place
 * @param {number} thickness
 */
function drawn(canvas, fillings, outlines, place, thickness) {
  if (!fillings.length) return drawOutlines(canvas, outlines, shownShape(), place, thickness);
  const context = contextOf(canvas);
  context.imageSmoothingEnabled = place.across < 1;
  for (const { canvas: whole } of fillings) {
    const { width: columns, height: rows } = whole;
    context.drawImage(whole, place.left, place.top, columns * place.across, rows * place.down);
  }
  if (!outlines.length) return true;
  const above = canvasOf(canvas.width, canvas.height);
  drawOutlines(above, outlines, shownShape(), place, thickness);
  context.drawImage(above, 0, 0);
  return true;
}

/**
 * Draw the outlines over a zoom that starts at pixel (row, col): a filling would change its colours, so that only regions
 * without an outline have it there. All zooms of a page show the same part, so that it is drawn once for those of a size.
 * @param {Context} context
 * @param {Area} area
 * @param {Unit & { row: number, col: number }} origin
 * @param {number} thickness
 */
export function borders(context, area, { row, col, across, down }, thickness) {
  const { fillings, outlines, zooms } = current();
  const alone = fillings.filter(({ outlined }) => !outlined);
  const density = context.getTransform().a;
  const [width, height, wide, high] = [area.width, area.height, across, down].map((length) => length * density);
  if ((!alone.length && !outlines.length) || width < 1 || height < 1) return;
  const place = { left: -col * wide, top: -row * high, across: wide, down: high };
  const name = [width, height, row, col, wide, high].join();
  const picture = kept(zooms, MOST_ZOOMS, name, Math.round(width), Math.round(height), (canvas) =>
    drawn(canvas, alone, outlines, place, thickness * density));
  if (!picture) return;
  context.save();
  context.imageSmoothingEnabled = false;
  context.drawImage(picture, area.left, area.top, area.width, area.height);
  context.restore();
}

/**
 * Draw the regions' points of a scatterplot, as drawPoints of the painter does.
 * @param {Context} context
 * @param {number} side
 * @param {(at: number) => number[] | null} place
 */
export function points(context, side, place) {
  drawPoints(context, ordered(), side, place);
}

/** @type {{ revision: number, tints: Uint32Array | null }} */
let tinted = { revision: -1, tints: null };

/** One number a pixel of the image, 0 outside of all regions; the chosen region is on top. Null where there is no region. */
export function tints() {
  if (tinted.revision === regions.currentRevision()) return tinted.tints;
  const shape = regions.imageShape();
  const found = shape && some() ? new Uint32Array(shape.height * shape.width) : null;
  for (const region of ordered()) {
    const colour = pixelOf(region.colour);
    for (let at = 0; found && at < region.mask.length; at += 1) if (region.mask[at]) found[at] = colour;
  }
  tinted = { revision: regions.currentRevision(), tints: found };
  return found;
}
