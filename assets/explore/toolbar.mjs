/* What dragging does, and full pictures that zoom and pan together. */

import * as address from "../core/address.mjs";
import * as graphs from "./graphs.mjs";
import * as painting from "./paint.mjs";
import { dragmodeOf, plotArea } from "./plotly-internals.mjs";
import { state } from "./state.mjs";

const SIZES_BEYOND = 4; // how far a link's part may reach beyond the images, as in callbacks/link.py
let sharing = false;
let shared = null; // the part that all full pictures of a pair show: { pair, ranges }

function drawnGraphs(panels) {
  return panels.map(graphs.graph).filter((graph) => graph && graph.data && graph.data.length);
}

/** Zooming or panning one full picture does the same to all of them. */
function shareZoom(panel, event) {
  if (sharing || !graphs.FULL.includes(panel) || !Object.keys(event).some((key) => key.startsWith("xaxis"))) return;
  const { x, y } = plotArea(graphs.graph(panel));
  const ranges = { "xaxis.range": x, "yaxis.range": y };
  shared = { pair: graphs.meta(panel).pair, ranges };
  apply(graphs.FULL.filter((other) => other !== panel));
  address.later();
}

/** The part that all full pictures show, [top, left, bottom, right] in pixels; null where they are whole. */
export function area() {
  const { scene } = state;
  if (!shared || !scene || shared.pair !== scene.pair) return null;
  const [left, right] = shared.ranges["xaxis.range"];
  const [bottom, top] = shared.ranges["yaxis.range"];
  return linked([top, left, bottom, right], scene);
}

/** A part as a link has it, which callbacks/link.py takes: rounded to tenths of a pixel, at least a pixel high and wide and
 *  not too far beyond the images; null where it is all of them or nothing of them. */
export function linked(part, { height, width }) {
  const reach = SIZES_BEYOND * Math.max(height, width);
  const [top, bottom] = side(part[0], part[2], -reach, height + reach);
  const [left, right] = side(part[1], part[3], -reach, width + reach);
  if (bottom <= -0.5 || right <= -0.5 || top >= height - 0.5 || left >= width - 0.5) return null;
  const found = [top, left, bottom, right];
  const whole = [-0.5, -0.5, height - 0.5, width - 0.5];
  return found.some((value, index) => Math.abs(value - whole[index]) > 0.1) ? found : null;
}

/** Both ends of a side. They are counted in tenths, so that nothing is lost by rounding twice. */
function side(from, to, least, most) {
  const within = (value) => Math.round(10 * Math.min(Math.max(value, least), most));
  let [first, last] = [within(from), within(to)];
  if (last - first < 10) {
    first = Math.round((first + last) / 2) - 5;
    last = first + 10;
  }
  return [first / 10, last / 10];
}

/** Let all full pictures of a pair show this part. */
export function open([top, left, bottom, right], pair) {
  shared = { pair, ranges: { "xaxis.range": [left, right], "yaxis.range": [bottom, top] } };
  apply(graphs.FULL.filter((panel) => graphs.meta(panel).pair === pair));
}

function showsOther(panel) {
  const graph = graphs.graph(panel);
  const shown = graph && plotArea(graph);
  const wanted = shared.ranges["xaxis.range"];
  return Boolean(shown) && Math.abs(shown.x[0] - wanted[0]) + Math.abs(shown.x[1] - wanted[1]) > 1e-6;
}

function apply(panels) {
  const graphsToMove = drawnGraphs(panels.filter(showsOther));
  if (!graphsToMove.length) return;
  sharing = true;
  Promise.all(graphsToMove.map((graph) => window.Plotly.relayout(graph, shared.ranges))).finally(() => {
    sharing = false;
    painting.paintAll();
  });
}

/** Let dragging choose pixels, zoom or pan. */
export function changeMode(mode) {
  state.mode = mode || "pixel";
  document.body.dataset.mode = state.mode;
  const dragmode = ["zoom", "pan"].includes(state.mode) ? state.mode : false;
  drawnGraphs([...graphs.FULL, graphs.SCATTER]).forEach((graph) => {
    if (dragmodeOf(graph) !== dragmode) window.Plotly.relayout(graph, { dragmode });
  });
  return state.mode;
}

graphs.listen({
  relayout: shareZoom,
  // A figure that has just come from the server is whole and has the toolbar's first mode.
  drawn(panel) {
    if (sharing) return;
    if (state.mode !== "pixel") setTimeout(() => changeMode(state.mode), 0);
    const zoomed = shared && graphs.FULL.includes(panel) && graphs.meta(panel).pair === shared.pair;
    if (zoomed) setTimeout(() => !sharing && apply([panel]), 0);
  },
});
