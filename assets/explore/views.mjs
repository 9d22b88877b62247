/* The full pictures of a large pair, painted from tiles over Plotly's empty axes: what is in view, as fine as the screen shows it. */

import * as graphs from "./graphs.mjs";
import * as overlays from "./overlays.mjs";
import * as pyramid from "./pyramid.mjs";
import { shownScene, shownWindow, state } from "./state.mjs";
import * as colours from "../painter/colours.mjs";
import { contextOf, css, fill, fillValues, joined, ofScaled, picture } from "../painter/pixels.mjs";
import { above, edgesOf, levelOf, nameOf, tilesIn } from "../painter/pyramid.mjs";

/**
 * @import { Painter } from "../painter/colours.mjs"
 * @import { Context } from "../painter/pixels.mjs"
 * @import { Edges, Tile } from "../painter/pyramid.mjs"
 * @import { Tiles } from "../core/tiles.mjs"
 * @import { Placed } from "./overlays.mjs"
 *
 * @typedef {{ sources: string[], look: string, paint: (parts: Float32Array[], at: { width: number, height: number }, pixels: Uint32Array) => void }} Drawing
 * @typedef {{ canvas: HTMLCanvasElement, values: Float32Array, look: string }} Bitmap
 */

const RGB = "panel-guidance-rgb";
const RGB_SOURCES = ["panel-guidance-mri", "panel-guidance-pet", "panel-fused"];
const OF_PAIR = ["panel-mri", "panel-pet"];
const LEVELS = 32; // more than any image has
const MOST_BITMAPS = 400; // 256 kB each
/** @type {Map<string, Bitmap>} */
const bitmaps = new Map();

/** How far each image of guidance RGB goes; undefined while one is not known. */
export function rgbRanges() {
  const ranges = RGB_SOURCES.flatMap((panel) => {
    const image = pyramid.image(panel);
    return image ? [image.range] : [];
  });
  return ranges.length === RGB_SOURCES.length ? ranges : undefined;
}

/**
 * How a panel's tiles are painted; null while that is not known.
 * @param {string} panel
 * @param {Painter} guidance
 * @returns {Drawing | null}
 */
function drawingOf(panel, guidance) {
  if (panel === RGB) {
    const own = rgbRanges();
    if (!own) return null;
    const ranges = joined(own, state.display.rgb);
    return {
      sources: RGB_SOURCES,
      look: String(ranges),
      paint: (parts, { width, height }, pixels) => fill(pixels, width, height, ofScaled(parts, ranges, width)),
    };
  }
  const image = pyramid.image(panel);
  if (!image) return null;
  const ofGuidance = panel.startsWith("panel-guidance");
  const painter = ofGuidance ? guidance : colours.grayPainter(image.low, image.high);
  const look = ofGuidance ? `${state.displayName()},${state.guidanceEnd()}` : `${image.low},${image.high}`;
  return { sources: [panel], look, paint: ([values], _, pixels) => fillValues(pixels, values, painter) };
}

/**
 * A plot area's part of the image, and how many pixels of its canvas a pixel of the image has.
 * @param {Placed} one
 */
function viewOf({ area }) {
  const [width, height] = [area.width, area.height].map((side) => Math.max(1, Math.round(side * (window.devicePixelRatio || 1))));
  const part = { left: area.x[0] + 0.5, right: area.x[1] + 0.5, top: area.y[1] + 0.5, bottom: area.y[0] + 0.5 };
  return { width, height, part, across: width / (part.right - part.left), down: height / (part.bottom - part.top) };
}

/**
 * Let only the image itself be drawn on: the last pixels of a coarse level reach beyond it.
 * @param {Context} context
 * @param {ReturnType<typeof viewOf>} view
 */
function begin(context, { width, height, part, across, down }) {
  context.clearRect(0, 0, width, height);
  context.save();
  context.beginPath();
  const scene = shownScene();
  context.rect(-part.left * across, -part.top * down, scene.width * across, scene.height * down);
  context.clip();
}

/**
 * @param {Context} context
 * @param {CanvasImageSource & { width: number, height: number }} bitmap
 * @param {Edges} edges
 * @param {ReturnType<typeof viewOf>} view
 */
function lay(context, bitmap, { top, left, bottom, right }, { part, across, down }) {
  const width = (right - left) * across;
  context.imageSmoothingEnabled = width < bitmap.width;
  context.drawImage(bitmap, (left - part.left) * across, (top - part.top) * down, width, (bottom - top) * down);
}

/**
 * Paint what is in view of a full picture, as far as its tiles are here; the others are asked for.
 * @param {string} panel
 * @param {Painter} guidance
 */
export function paint(panel, guidance) {
  const one = overlays.placed(panel);
  const drawing = drawingOf(panel, guidance);
  const { pair, key } = graphs.meta(panel);
  const scene = shownScene();
  if (!one || !drawing || pair !== scene.pair || (key !== scene.key && !OF_PAIR.includes(panel))) return;
  const found = drawing.sources.flatMap((source) => pyramid.tilesOf(source) || []);
  if (found.length < drawing.sources.length) return;
  const view = viewOf(one);
  overlays.fill(one, view.width, view.height);
  begin(one.context, view);
  const { side, levels } = found[0].facts;
  const level = levelOf(1 / Math.max(view.across, view.down), levels);
  const wanted = tilesIn(view.part, scene, level, side);
  found.forEach(({ tiles }) => wanted.forEach((tile) => tiles.tile(tile)));
  // What grows is painted over what there was before.
  const layers = [...(found[0].before ? [found.map((source) => ({ ...source, tiles: source.before || source.tiles }))] : []), found];
  for (const sources of layers) {
    for (const { tile, parts, shape } of present(sources, wanted)) {
      lay(one.context, bitmapOf(`${panel}/${nameOf(tile)}`, drawing, parts, shape), edgesOf(tile, shape, side), view);
    }
  }
  one.context.restore();
  overlays.show(panel, true);
}

/**
 * What is here of the tiles that are wanted, coarser ones in the place of those that are not, the coarsest first.
 * @param {{ tiles: Tiles, band: number }[]} sources - Images of one colour, whose tiles have to be of one level.
 * @param {Tile[]} wanted
 */
function present(sources, wanted) {
  /** @type {Map<string, { tile: Tile, parts: Float32Array[], shape: { width: number, height: number } }>} */
  const found = new Map();
  for (const tile of wanted) {
    const shown = [tile, ...above(tile, LEVELS)].find((one) => sources.every(({ tiles }) => tiles.kept.get(nameOf(one))));
    if (!shown || found.has(nameOf(shown))) continue;
    const images = sources.flatMap(({ tiles }) => tiles.kept.get(nameOf(shown)) || []);
    found.set(nameOf(shown), { tile: shown, parts: images.map((one, at) => one.band(sources[at].band)), shape: images[0] });
  }
  return [...found.values()].sort((one, other) => other.tile.level - one.tile.level);
}

/**
 * @param {string} name
 * @param {Drawing} drawing
 * @param {Float32Array[]} parts
 * @param {{ width: number, height: number }} shape
 */
function bitmapOf(name, drawing, parts, shape) {
  const known = bitmaps.get(name);
  bitmaps.delete(name);
  const { buffer, byteOffset } = parts[0];
  const same = known && known.look === drawing.look && known.values.buffer === buffer && known.values.byteOffset === byteOffset;
  const canvas = same ? known.canvas : picture(shape.width, shape.height, (pixels) => drawing.paint(parts, shape, pixels), known?.canvas);
  bitmaps.set(name, { canvas, values: parts[0], look: drawing.look });
  for (const oldest of bitmaps.keys()) {
    if (bitmaps.size <= MOST_BITMAPS) break;
    bitmaps.delete(oldest);
  }
  return canvas;
}

/** Let go of all bitmaps: another scene is shown. */
export function leave() {
  bitmaps.clear();
}

/**
 * Paint a Jacobian image: the window over a ground of exactly 0, as far as it is in view.
 * @param {string} panel
 * @param {number} index
 * @param {Painter} painter
 */
export function paintJacobian(panel, index, painter) {
  const one = overlays.placed(panel);
  if (!one) return;
  const view = viewOf(one);
  const shown = shownWindow();
  const { height, width, top, left, values } = shown;
  overlays.fill(one, view.width, view.height);
  begin(one.context, view);
  one.context.fillStyle = css(painter(0));
  one.context.fillRect(0, 0, view.width, view.height);
  const bitmap = picture(width, height, (pixels) => fillValues(pixels, values, painter, index * height * width), scratch);
  lay(one.context, bitmap, { top, left, bottom: top + height, right: left + width }, view);
  one.context.restore();
  overlays.show(panel, true);
}

const scratch = contextOf(document.createElement("canvas")).canvas;
