/* The Plotly graphs of the panels: finding them, their plot areas, and the arrays that they hold. */

import { isDrawn, placeIn, plotArea, rowsOf } from "./plotly-internals.mjs";
import { whenDrawn } from "./plot-queue.mjs";
import * as pyramid from "./pyramid.mjs";
import { state } from "./state.mjs";

/**
 * @import { Graph, PlotArea } from "./plotly-internals.mjs"
 *
 * @typedef {{ rows: Float32Array[], low: number, high: number, range?: [number, number] }} Rows - An image row by row, the ends of its
 *   colours, and of one of which only parts are here its smallest and its largest number.
 * @typedef {{ key?: string, pair?: string, state?: string, display?: string, revision?: string,
 *   titles?: [string, string] }} Meta
 * @typedef {{ drawn?: (panel: string) => void, relayout?: (panel: string, event: object) => void }} Listener
 */

const SOURCES = ["mri", "pet", "fused", "guidance-mri", "guidance-pet", "guidance-rgb", "jacobian-mri", "jacobian-pet"];
export const FULL = SOURCES.map((source) => `panel-${source}`);
export const ZOOMS = FULL.map((panel) => `${panel}-zoom`);
export const SCATTER = "panel-scatter";
const GROWING = ["panel-guidance-mri", "panel-guidance-pet", "panel-guidance-rgb", SCATTER];
export const ALL = [...FULL, ...ZOOMS, SCATTER];

/** @type {Listener[]} */
const listeners = [];
/** @type {Map<string, Graph>} */
const attached = new Map();
/** @type {Map<string, PlotArea>} */
const areas = new Map();
/** @type {Map<string, Rows>} */
const arrays = new Map();

/**
 * The Plotly graph of a panel once it is drawn, else null.
 * @param {string} panel
 * @returns {Graph | null}
 */
export function graph(panel) {
  const known = attached.get(panel);
  if (known && known.isConnected) return known;
  const element = document.getElementById(panel);
  const drawn = /** @type {Graph | null} */ (element && element.querySelector(".js-plotly-plot"));
  if (!drawn || !drawn.on || !isDrawn(drawn)) return null;
  attached.set(panel, drawn);
  drawn.on("plotly_afterplot", () => changed(panel));
  drawn.on("plotly_relayout", (event) => listeners.forEach((one) => one.relayout && one.relayout(panel, event)));
  return drawn;
}

/** @param {string} panel */
function changed(panel) {
  areas.delete(panel);
  listeners.forEach((one) => one.drawn && one.drawn(panel));
}

/**
 * Call listener.drawn(panel) after each drawing and listener.relayout(panel, event) after each zoom or pan.
 * @param {Listener} listener
 */
export function listen(listener) {
  listeners.push(listener);
}

/** Attach to every graph; false while some are not drawn yet. */
export function attach() {
  return ALL.map(graph).every(Boolean);
}

/**
 * The plot area of a panel: its place in the graph in CSS pixels, and the axes' ranges.
 * @param {string} panel
 * @returns {PlotArea | null}
 */
export function area(panel) {
  if (!areas.has(panel)) {
    const drawn = graph(panel);
    const found = drawn && drawn.data && drawn.data.length ? plotArea(drawn) : null;
    if (!found) return null;
    areas.set(panel, found);
  }
  return areas.get(panel) || null;
}

/**
 * The pixel of the image under a pointer position, or null; `clamp` takes the nearest instead.
 * @param {string} panel
 * @param {number} clientX
 * @param {number} clientY
 * @param {boolean} [clamp]
 */
export function pixelAt(panel, clientX, clientY, clamp) {
  const drawn = graph(panel);
  const scene = state.scene;
  if (!drawn || !scene || !area(panel)) return null;
  const { x, y, inside } = placeIn(drawn, clientX, clientY);
  if (!clamp && !inside) return null;
  const [row, col] = [Math.round(y), Math.round(x)];
  if (clamp) {
    return {
      row: Math.min(Math.max(row, 0), scene.height - 1),
      col: Math.min(Math.max(col, 0), scene.width - 1),
    };
  }
  return row >= 0 && col >= 0 && row < scene.height && col < scene.width ? { row, col } : null;
}

/**
 * The image that a full panel holds as rows of numbers, or null where it is not of this scene, or one of colours.
 * @param {string} panel
 * @returns {Rows | null}
 */
export function image(panel) {
  const drawn = graph(panel);
  const scene = state.scene;
  const { pair, key } = meta(panel);
  if (!drawn || !scene || !pair || pair !== scene.pair) return null;
  const ofPair = panel === "panel-mri" || panel === "panel-pet";
  if (!ofPair && key !== scene.key) return null;
  if (scene.large) return pyramid.image(panel);
  if (grows(panel)) return (state.grown && state.grown.images.get(panel)) || null;
  const trace = drawn.data && drawn.data[0];
  if (!trace || !trace.z) return null;
  const rows = rowsOf(drawn);
  if (!rows) return null;
  const known = arrays.get(panel);
  if (!known || known.rows !== rows) arrays.set(panel, { rows, low: trace.zmin, high: trace.zmax });
  return arrays.get(panel) || null;
}

/**
 * Whether a panel's picture grows just now: its graph has nothing but axes, or something older than what is painted.
 * @param {string} panel
 */
export function grows(panel) {
  if (!GROWING.includes(panel) || !state.scene || meta(panel).key !== state.scene.key) return false;
  return meta(panel).state === "growing" || (state.isGrowing() && Boolean(state.grown));
}

/**
 * What the server says of a panel's figure, as its scene's pair and key; empty where there is none.
 * @param {string} panel
 * @returns {Meta}
 */
export function meta(panel) {
  const drawn = graph(panel);
  return (drawn && drawn.layout && drawn.layout.meta) || {};
}

/**
 * The title of a panel's figure.
 * @param {string} panel
 * @returns {string}
 */
export function titleOf(panel) {
  return graph(panel)?.layout?.title?.text || "";
}

whenDrawn((drawn) => {
  const section = /** @type {HTMLElement | null} */ (drawn.closest("section[data-panel]"));
  const panel = section?.dataset.panel;
  if (panel && graph(panel)) changed(panel);
});
window.addEventListener("resize", () => areas.clear());
