/*
 * Saving a panel's picture as PNG, with what only the overlays show: the red box and the regions, which are drawn anew at the
 * picture's size, because the page's own canvases have the screen's.
 */

import { closest } from "../core/elements.mjs";
import * as colour from "../explore/colour.mjs";
import * as graphs from "../explore/graphs.mjs";
import * as overlays from "../explore/overlays.mjs";
import * as regionOverlays from "../explore/region-overlays.mjs";
import { shownScene, shownWindow, state } from "../explore/state.mjs";
import { OUTSIDE_SUPPORT } from "../painter/colours.mjs";
import { contextOf, css } from "../painter/pixels.mjs";
import { neighbours, placing } from "../painter/points.mjs";
import { WIDTH } from "../painter/regions.mjs";
import { unitOf } from "../painter/shapes.mjs";
import * as regionPictures from "../regions/pictures.mjs";

/**
 * @import { PlotArea } from "../explore/plotly-internals.mjs"
 * @import { Marked } from "../painter/points.mjs"
 * @import { Pixel } from "../painter/shapes.mjs"
 */

// Plotly draws one image of those with the same x, y and size: each kind has a corner of its own.
const OVER = { layer: "above", sizing: "stretch", xref: "x", yref: "y", xanchor: "left", yanchor: "top" };
const SCALE = 3; // times the size on the screen
const FURNITURE = { l: 40, r: 8, b: 62 }; // pixels around a picture for what the page has once for all: axes and colour bar

/** @param {Pixel} pixel */
function box(pixel) {
  const { row, col } = pixel;
  const reach = state.display.half + 0.5;
  return { type: "rect", x0: col - reach, x1: col + reach, y0: row - reach, y1: row + reach, line: { color: "#ff2a2a", width: 2 } };
}

/**
 * What is painted over the empty axes of a picture that grows, or of a large pair's.
 * @param {string} panel
 */
function grown(panel) {
  const { large } = shownScene();
  const one = graphs.grows(panel) || large ? overlays.overlay(panel) : null;
  if (!one?.area) return [];
  const { height, width } = shownScene();
  const { x, y } = one.area;
  const place = panel === graphs.SCATTER || large
    ? { x: x[1], y: y[1], sizex: x[1] - x[0], sizey: Math.abs(y[1] - y[0]) }
    : { x: width - 0.5, y: -0.5, sizex: width, sizey: height };
  return [{ source: one.canvas.toDataURL(), ...OVER, ...place, xanchor: "right" }];
}

/**
 * The colours over a zoom of a picture in colour.
 * @param {string} panel
 */
function coloured(panel) {
  const area = graphs.area(panel);
  const canvas = colour.canvasOver(panel);
  if (!area || !canvas) return [];
  const { x, y } = area;
  return [{ source: canvas.toDataURL(), ...OVER, x: x[0], y: y[1], sizex: x[1] - x[0], sizey: y[0] - y[1] }];
}

/**
 * The gray of what the method does not reach as an image, below those of the regions: Plotly draws shapes over all images.
 * @param {string} panel
 * @param {{ path: string }} cover
 */
function covered(panel, { path }) {
  const area = graphs.area(panel);
  if (!area) return [];
  const { x, y } = area;
  const canvas = empty(area, SCALE);
  const context = contextOf(canvas);
  const [across, down] = [canvas.width / (x[1] - x[0]), canvas.height / (y[0] - y[1])];
  context.setTransform(across, 0, 0, down, -x[0] * across, -y[1] * down);
  context.fillStyle = css(OUTSIDE_SUPPORT);
  context.fill(new Path2D(path), "evenodd");
  return [{ source: canvas.toDataURL(), ...OVER, yanchor: "bottom", x: x[0], y: y[0], sizex: x[1] - x[0], sizey: y[0] - y[1] }];
}

/**
 * A picture's data and layout with the axes and the colour bar that it needs away from the page, and the size of that.
 * @param {import("../explore/plotly-internals.mjs").Graph} graph
 */
function furnished({ data, layout, clientWidth: width, clientHeight: height }) {
  const { l, r, b } = FURNITURE;
  return {
    data: data.map((trace) => (trace.colorbar && trace.opacity !== 0 ? { ...trace, showscale: true } : trace)),
    layout: {
      ...layout, margin: { ...layout.margin, ...FURNITURE },
      xaxis: { ...layout.xaxis, visible: true }, yaxis: { ...layout.yaxis, visible: true },
    },
    width: width + l + r, height: height + b,
  };
}

/**
 * What a picture's title and its file's name say besides: that its colours, or what it shows, are not final yet.
 * @param {string} panel
 */
function caveat(panel) {
  return /guidance|jacobian|scatter/.test(panel) && (!state.limits || state.limits.provisional) ? "provisional" : "";
}

/** @param {string} panel */
function save(panel) {
  const graph = graphs.graph(panel);
  if (!graph || !graph.data || !graph.data.length) return;
  const plain = { data: graph.data, layout: graph.layout, width: graph.clientWidth, height: graph.clientHeight };
  const picture = panel === graphs.SCATTER ? plain : furnished(graph);
  const dark = document.documentElement.dataset.bsTheme === "dark";
  /** @type {{ type: string, path: string }[]} */
  const shapes = graph.layout.shapes || [];
  const covers = shapes.filter(({ type }) => type === "path");
  const unfinished = caveat(panel);
  const layout = {
    ...picture.layout,
    title: { ...picture.layout.title, text: [picture.layout.title?.text, unfinished].filter(Boolean).join(" · ") },
    paper_bgcolor: dark ? "#212529" : "#ffffff",
    font: { color: dark ? "#dee2e6" : "#212529" },
    images: [
      ...(graph.layout.images || []), ...covers.flatMap((cover) => covered(panel, cover)), ...grown(panel), ...coloured(panel), ...images(panel, SCALE),
    ],
    shapes: [...shapes.filter(({ type }) => type !== "path"), ...(graphs.FULL.includes(panel) && state.pixel ? [box(state.pixel)] : [])],
  };
  const { method_id: method, pair_address: pair } = shownScene();
  const pixel = state.pixel ? `-${state.pixel.row}-${state.pixel.col}` : "";
  window.Plotly.downloadImage(
    { data: picture.data, layout, config: { staticPlot: true } },
    { format: "png", scale: SCALE, width: picture.width, height: picture.height, filename: `${pair}-${method}-${panel}${pixel}${unfinished && `-${unfinished}`}` },
  );
}

document.addEventListener("click", (event) => {
  const button = closest(event, ".panel-export");
  if (button) save(button.dataset.panel || "");
});

const REGION_POINT = 2; // the side of a region's points, in pixels of the screen, as on the page

/**
 * @param {PlotArea} area
 * @param {number} scale
 */
function empty(area, scale) {
  const [width, height] = [area.width, area.height].map((side) => Math.round(side * scale));
  return Object.assign(document.createElement("canvas"), { width, height });
}

/**
 * @param {PlotArea} area
 * @param {HTMLCanvasElement} canvas
 * @param {number} scale
 */
function whole({ x, y }, { width, height }, scale) {
  const [across, down] = [width / (x[1] - x[0]), height / (y[0] - y[1])];
  const place = { left: (-0.5 - x[0]) * across, top: (-0.5 - y[1]) * down, across, down };
  return regionPictures.placed(width, height, place, WIDTH * scale);
}

/**
 * @param {PlotArea} _area
 * @param {HTMLCanvasElement} canvas
 * @param {number} scale
 */
function zoom(_area, canvas, scale) {
  const { half } = state.display;
  const { width, height } = canvas;
  const [area, side, { row, col }] = [{ left: 0, top: 0, width, height }, 2 * half + 1, shownWindow()];
  const unit = unitOf(area, { width: side, height: side }, shownScene().aspect);
  regionPictures.borders(contextOf(canvas), area, { row: row - half, col: col - half, ...unit }, WIDTH * scale);
  return canvas;
}

/** The pixels around the principal pixel, as numbers in reading order. */
function neighbourhood() {
  const { half } = state.display;
  const { row, col } = shownWindow();
  const { height, width } = shownScene();
  /** @type {number[]} */
  const found = [];
  for (let i = Math.max(row - half, 0); i <= Math.min(row + half, height - 1); i += 1) {
    for (let j = Math.max(col - half, 0); j <= Math.min(col + half, width - 1); j += 1) found.push(i * width + j);
  }
  return found;
}

/**
 * The regions' points, over them those around the principal pixel, and over all a core in these that are in a region too.
 * @param {PlotArea} area
 * @param {HTMLCanvasElement} canvas
 * @param {number} scale
 */
function points({ x, y }, canvas, scale) {
  const values = regionOverlays.guidance();
  if (!values) return null;
  const context = contextOf(canvas);
  const [across, up] = [placing(x, canvas.width), placing(y, canvas.height)];
  /** @type {(at: number) => [number, number] | null} */
  const place = (at) => {
    const [first, second] = values.map((value) => value(at));
    return Number.isFinite(first) && Number.isFinite(second) ? [across(first), canvas.height - up(second)] : null;
  };
  regionPictures.points(context, REGION_POINT * scale, place);
  const tints = regionPictures.tints();
  /** @type {(at: number) => Marked[]} */
  const marked = (at) => {
    const found = place(at);
    return found ? [[...found, tints ? tints[at] : 0]] : [];
  };
  neighbours(context, neighbourhood().flatMap(marked), scale);
  return canvas;
}

/**
 * The regions of a panel as images of Plotly's, `scale` times as fine as the screen; none where the panel shows none.
 * @param {string} panel
 * @param {number} scale
 */
export function images(panel, scale) {
  const area = graphs.area(panel);
  const { window: shown, scene } = state;
  if (!area || !shown || !scene || !regionPictures.some()) return [];
  if (shown.key !== scene.key || graphs.meta(panel).pair !== scene.pair) return [];
  const canvas = empty(area, scale);
  const draw = panel === graphs.SCATTER ? points : graphs.ZOOMS.includes(panel) ? zoom : whole;
  const drawn = draw(area, canvas, scale);
  if (!drawn) return [];
  const { x, y } = area;
  return [{
    source: drawn.toDataURL(), ...OVER,
    x: x[0], y: y[1], sizex: Math.abs(x[1] - x[0]), sizey: Math.abs(y[1] - y[0]),
  }];
}
