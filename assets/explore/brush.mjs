/* Box and lasso on the explore page: from a drag on any picture or on the scatterplot to a selection of pixels. */

import { closest } from "../core/elements.mjs";
import * as graphs from "./graphs.mjs";
import { placeIn } from "./plotly-internals.mjs";
import * as readout from "./readout.mjs";
import * as regionOverlays from "./region-overlays.mjs";
import { shownWindow, state } from "./state.mjs";
import * as regionList from "../regions/list.mjs";
import * as selection from "../regions/selection.mjs";
import * as regions from "../regions/set.mjs";

/**
 * @import { Drawing } from "../regions/selection.mjs"
 * @import { Graph, PlotArea } from "./plotly-internals.mjs"
 */

const TOOLS = ["box", "lasso"];

/** @param {Event} event */
function panelOf(event) {
  const panel = closest(event, "section[data-panel]")?.dataset.panel;
  return panel && graphs.ALL.includes(panel) ? panel : null;
}

/**
 * Turns a place of the window into one of the panel's axes; in a zoom into one of the image.
 * @param {string} panel
 * @returns {Drawing["convert"]}
 */
function converter(panel) {
  const graph = /** @type {Graph} */ (graphs.graph(panel));
  if (graphs.ZOOMS.includes(panel)) return inZoom(graph, /** @type {PlotArea} */ (graphs.area(panel)));
  return (clientX, clientY) => {
    const { x, y } = placeIn(graph, clientX, clientY);
    return [x, y];
  };
}

/**
 * A zoom's axes count from the principal pixel, and follow a new half-width only when the pointer rests.
 * @param {Graph} graph
 * @param {PlotArea} area
 * @returns {Drawing["convert"]}
 */
function inZoom(graph, area) {
  const { half } = state.display;
  const { row, col } = shownWindow();
  const side = 2 * half + 1;
  return (clientX, clientY) => {
    const { left, top } = graph.getBoundingClientRect();
    return [
      col - half - 0.5 + ((clientX - left - area.left) / area.width) * side,
      row - half - 0.5 + ((clientY - top - area.top) / area.height) * side,
    ];
  };
}

/**
 * @param {string} panel
 * @param {PointerEvent} event
 */
function inPlot(panel, event) {
  const graph = graphs.graph(panel);
  return graph !== null && graphs.area(panel) !== null && placeIn(graph, event.clientX, event.clientY).inside;
}

/**
 * Begin a selection if the toolbar says so; true where it did.
 * @param {PointerEvent} event
 */
export function begin(event) {
  if (!TOOLS.includes(state.mode) || event.button !== 0 || !state.scene || !state.window) return false;
  const panel = panelOf(event);
  if (!panel || !inPlot(panel, event)) return false;
  const values = panel === graphs.SCATTER ? regionOverlays.guidance() : null;
  if (panel === graphs.SCATTER && !values) {
    readout.fail(state.scene.large
      ? "The scatterplot of so large a pair shows a sample, in which nothing can be selected; the pictures can."
      : "Points can be selected once the guidance images are complete.");
    return true;
  }
  const { height, width } = state.scene;
  selection.start(event, state.mode, converter(panel), (inside, ended) => {
    const [xOf, yOf] = values || [(at) => at % width, (at) => Math.floor(at / width)];
    regions.combine(selection.maskOf(height * width, inside, xOf, yOf), regions.operationAt(ended), values !== null);
  });
  return true;
}

selection.leaveByEscape(
  () => TOOLS.includes(state.mode), () => window.dash_clientside.set_props("toolbar-mode", { value: "pixel" }));

let started = false;

// The page's elements come after its scripts.
regions.listen(() => {
  if (started) return;
  started = true;
  regionList.start();
});
