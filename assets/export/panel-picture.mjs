/*
 * Saving a panel's picture as PNG, with what only the overlays show: the red box and the regions, which are drawn anew at the
 * picture's size, because the page's own canvases have the screen's.
 */

import * as graphs from "../explore/graphs.mjs";
import * as overlays from "../explore/overlays.mjs";
import * as regionOverlays from "../explore/region-overlays.mjs";
import { state } from "../explore/state.mjs";
import { neighbours, placing } from "../painter/points.mjs";
import { WIDTH } from "../painter/regions.mjs";
import * as regionPictures from "../regions/pictures.mjs";
import * as regions from "../regions/set.mjs";

const OVER = { layer: "above", sizing: "stretch", xref: "x", yref: "y", xanchor: "left", yanchor: "top" };
const SCALE = 3; // times the size on the screen

function box() {
  const { row, col } = state.pixel;
  const reach = state.display.half + 0.5;
  return { type: "rect", x0: col - reach, x1: col + reach, y0: row - reach, y1: row + reach, line: { color: "#ff2a2a", width: 2 } };
}

/** What is painted over the empty axes of a picture that grows. */
function grown(panel) {
  if (!graphs.grows(panel)) return [];
  const { canvas, area } = overlays.overlay(panel);
  const { height, width } = state.scene;
  const { x, y } = area;
  const place = panel === graphs.SCATTER
    ? { x: x[0], y: y[1], sizex: x[1] - x[0], sizey: y[1] - y[0] }
    : { x: -0.5, y: -0.5, sizex: width, sizey: height };
  return [{ source: canvas.toDataURL(), ...OVER, ...place }];
}

function save(panel) {
  const graph = graphs.graph(panel);
  if (!graph || !graph.data || !graph.data.length) return;
  const dark = document.documentElement.dataset.bsTheme === "dark";
  const layout = {
    ...graph.layout,
    paper_bgcolor: dark ? "#212529" : "#ffffff",
    font: { color: dark ? "#dee2e6" : "#212529" },
    images: [...(graph.layout.images || []), ...grown(panel), ...images(panel, SCALE)],
    shapes: [...(graph.layout.shapes || []), ...(graphs.FULL.includes(panel) && state.pixel ? [box()] : [])],
  };
  const { method_id: method, pair_address: pair } = state.scene;
  const pixel = state.pixel ? `-${state.pixel.row}-${state.pixel.col}` : "";
  window.Plotly.downloadImage(
    { data: graph.data, layout, config: { staticPlot: true } },
    { format: "png", scale: SCALE, width: graph.clientWidth, height: graph.clientHeight, filename: `${pair}-${method}-${panel}${pixel}` },
  );
}

document.addEventListener("click", (event) => {
  const button = event.target.closest && event.target.closest(".panel-export");
  if (button) save(button.dataset.panel);
});

const REGION_POINT = 2; // the side of a region's points, in pixels of the screen, as on the page

function empty(area, scale) {
  const [width, height] = [area.width, area.height].map((side) => Math.round(side * scale));
  return Object.assign(document.createElement("canvas"), { width, height });
}

function whole({ x, y }, { width, height }, scale) {
  const [across, down] = [width / (x[1] - x[0]), height / (y[0] - y[1])];
  const place = { left: (-0.5 - x[0]) * across, top: (-0.5 - y[1]) * down, across, down };
  return regionPictures.placed(width, height, place, WIDTH * scale);
}

function zoom(_area, canvas, scale) {
  const { half } = state.display;
  const { width, height } = canvas;
  const origin = { row: state.window.row - half, col: state.window.col - half, unit: width / (2 * half + 1) };
  regionPictures.borders(canvas.getContext("2d"), { left: 0, top: 0, width, height }, origin, WIDTH * scale);
  return canvas;
}

/** The pixels around the principal pixel, as numbers in reading order. */
function neighbourhood() {
  const { half } = state.display;
  const { row, col } = state.window;
  const { height, width } = state.scene;
  const found = [];
  for (let i = Math.max(row - half, 0); i <= Math.min(row + half, height - 1); i += 1) {
    for (let j = Math.max(col - half, 0); j <= Math.min(col + half, width - 1); j += 1) found.push(i * width + j);
  }
  return found;
}

/** The regions' points, over them those around the principal pixel, and over all a core in these that are in a region too. */
function points({ x, y }, canvas, scale) {
  const values = regionOverlays.guidance();
  if (!values) return null;
  const context = canvas.getContext("2d");
  const [across, up] = [placing(x, canvas.width), placing(y, canvas.height)];
  const place = (at) => {
    const [first, second] = values.map((value) => value(at));
    return Number.isFinite(first) && Number.isFinite(second) ? [across(first), canvas.height - up(second)] : null;
  };
  regionPictures.points(context, REGION_POINT * scale, place);
  const tints = regionPictures.tints();
  const near = neighbourhood().map((at) => [place(at), tints[at]]).filter(([found]) => found);
  neighbours(context, near.map(([found, tint]) => [...found, tint]), scale);
  return canvas;
}

/** The regions of a panel as images of Plotly's, `scale` times as fine as the screen; none where the panel shows none. */
export function images(panel, scale) {
  const area = graphs.area(panel);
  const shown = regions.all().some(({ count }) => count) && area && state.window && state.scene;
  if (!shown || state.window.key !== state.scene.key || graphs.meta(panel).pair !== state.scene.pair) return [];
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
