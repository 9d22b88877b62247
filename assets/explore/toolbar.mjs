/* What dragging does, and full pictures that zoom and pan together. */

import * as graphs from "./graphs.mjs";
import * as painting from "./paint.mjs";
import { dragmodeOf, plotArea } from "./plotly-internals.mjs";
import { link, state } from "./state.mjs";

/**
 * @typedef {{ "xaxis.range": [number, number], "yaxis.range": [number, number] }} Ranges
 * @typedef {[number, number, number, number]} Part - Of the images: top, left, bottom, right.
 */

const SIZES_BEYOND = 4; // how far a link's part may reach beyond the images, as in callbacks/link.py
let sharing = false;
/** @type {{ pair: string | undefined, ranges: Ranges } | null} */
let shared = null; // the part that all full pictures of a pair show: { pair, ranges }
/** @type {string | null} */
let mover = null; // the panel in which somebody has chosen that part, and may be choosing another one
/** @type {Set<string>} */
const drawnMeanwhile = new Set(); // panels that were drawn while others got the part

/** @param {string[]} panels */
function drawnGraphs(panels) {
  return panels.flatMap((panel) => graphs.graph(panel) || []).filter((graph) => graph.data && graph.data.length);
}

/**
 * Zooming or panning one full picture does the same to all of them.
 * @param {string} panel
 * @param {object} event
 */
function shareZoom(panel, event) {
  if (sharing || !graphs.FULL.includes(panel) || !Object.keys(event).some((key) => key.startsWith("xaxis"))) return;
  const graph = graphs.graph(panel);
  const source = graph && plotArea(graph);
  if (!source) return;
  /** @type {Ranges} */
  const ranges = { "xaxis.range": source.x, "yaxis.range": source.y };
  shared = { pair: graphs.meta(panel).pair, ranges };
  mover = panel;
  apply(graphs.FULL.filter((other) => other !== panel));
  noteArea();
}

/** Tell the link which part all full pictures show. */
export function noteArea() {
  link.parts.area.value = area();
}

/** The part that all full pictures show, [top, left, bottom, right] in pixels; null where they are whole. */
function area() {
  const { scene } = state;
  if (!shared || !scene || shared.pair !== scene.pair) return null;
  const [left, right] = shared.ranges["xaxis.range"];
  const [bottom, top] = shared.ranges["yaxis.range"];
  return linked([top, left, bottom, right], scene);
}

/**
 * A part as a link has it, which callbacks/link.py takes: rounded to tenths of a pixel, at least a pixel high and wide and
 * not too far beyond the images; null where it is all of them or nothing of them.
 * @param {number[]} part
 * @param {{ height: number, width: number }} shape
 * @returns {Part | null}
 */
export function linked(part, { height, width }) {
  const reach = SIZES_BEYOND * Math.max(height, width);
  const [top, bottom] = side(part[0], part[2], -reach, height + reach);
  const [left, right] = side(part[1], part[3], -reach, width + reach);
  if (bottom <= -0.5 || right <= -0.5 || top >= height - 0.5 || left >= width - 0.5) return null;
  /** @type {Part} */
  const found = [top, left, bottom, right];
  const whole = [-0.5, -0.5, height - 0.5, width - 0.5];
  return found.some((value, index) => Math.abs(value - whole[index]) > 0.1) ? found : null;
}

/**
 * Both ends of a side. They are counted in tenths, so that nothing is lost by rounding twice.
 * @param {number} from
 * @param {number} to
 * @param {number} least
 * @param {number} most
 * @returns {[number, number]}
 */
function side(from, to, least, most) {
  /** @param {number} value */
  const within = (value) => Math.round(10 * Math.min(Math.max(value, least), most));
  let [first, last] = [within(from), within(to)];
  if (last - first < 10) {
    first = Math.round((first + last) / 2) - 5;
    last = first + 10;
  }
  return [first / 10, last / 10];
}

/**
 * Let all full pictures of a pair show this part.
 * @param {Part} part
 * @param {string} pair
 */
export function open([top, left, bottom, right], pair) {
  shared = { pair, ranges: { "xaxis.range": [left, right], "yaxis.range": [bottom, top] } };
  mover = null;
  apply(graphs.FULL.filter((panel) => graphs.meta(panel).pair === pair));
  noteArea();
}

/** @param {string} panel */
function showsOther(panel) {
  const graph = graphs.graph(panel);
  const shown = graph && plotArea(graph);
  const wanted = shared?.ranges["xaxis.range"];
  if (!shown || !wanted) return false;
  return Math.abs(shown.x[0] - wanted[0]) + Math.abs(shown.x[1] - wanted[1]) > 1e-6;
}

/** @param {string[]} panels */
function apply(panels) {
  const graphsToMove = drawnGraphs(panels.filter(showsOther));
  const ranges = shared?.ranges;
  if (!graphsToMove.length || !ranges) return;
  sharing = true;
  Promise.all(graphsToMove.map((graph) => window.Plotly.relayout(graph, ranges))).finally(() => {
    sharing = false;
    painting.paintAll();
    const panelsToMove = [...drawnMeanwhile];
    drawnMeanwhile.clear();
    followShared(panelsToMove);
  });
}

/**
 * Give figures that have just come from the server, whole and with the toolbar's first mode, the part and the mode of the others.
 * @param {string[]} panels
 */
function followShared(panels) {
  if (panels.length && state.mode !== "pixel") changeMode(state.mode);
  apply(panels.filter((panel) => shared && graphs.FULL.includes(panel) && graphs.meta(panel).pair === shared.pair));
}

/**
 * Do so at once, or where others get the part now, after them.
 * @param {string} panel
 */
function followLater(panel) {
  if (!sharing) followShared([panel]);
  else if (panel !== mover) drawnMeanwhile.add(panel);
}

/**
 * Let dragging choose pixels, zoom or pan.
 * @param {string | null} mode
 */
export function changeMode(mode) {
  state.mode = mode || "pixel";
  document.body.dataset.mode = state.mode;
  document.dispatchEvent(new CustomEvent("tool-chosen"));
  const dragmode = ["zoom", "pan"].includes(state.mode) ? state.mode : false;
  drawnGraphs([...graphs.FULL, graphs.SCATTER]).forEach((graph) => {
    if (dragmodeOf(graph) !== dragmode) window.Plotly.relayout(graph, { dragmode });
  });
  return state.mode;
}

graphs.listen({
  relayout: shareZoom,
  drawn(panel) {
    if (sharing) followLater(panel);
    else setTimeout(() => followLater(panel), 0);
  },
});
