/* The Plotly graphs of the panels: finding them, their plot areas, and the arrays that they hold. */

import { whenDrawn } from "./plot-queue.mjs";
import { state } from "./state.mjs";

const SOURCES = ["mri", "pet", "fused", "guidance-mri", "guidance-pet", "guidance-rgb", "jacobian-mri", "jacobian-pet"];
export const FULL = SOURCES.map((source) => `panel-${source}`);
export const ZOOMS = FULL.map((panel) => `${panel}-zoom`);
export const SCATTER = "panel-scatter";
export const ALL = [...FULL, ...ZOOMS, SCATTER];

const listeners = [];
const attached = new Map();
const areas = new Map();
const arrays = new Map();

/** The Plotly graph of a panel once it is drawn, else null. */
export function graph(panel) {
  const known = attached.get(panel);
  if (known && known.isConnected) return known;
  const element = document.getElementById(panel);
  const drawn = element && element.querySelector(".js-plotly-plot");
  if (!drawn || !drawn.on || !drawn._fullLayout) return null;
  attached.set(panel, drawn);
  drawn.on("plotly_afterplot", () => changed(panel));
  drawn.on("plotly_relayout", (event) => listeners.forEach((one) => one.relayout && one.relayout(panel, event)));
  return drawn;
}

function changed(panel) {
  areas.delete(panel);
  listeners.forEach((one) => one.drawn && one.drawn(panel));
}

/** Call listener.drawn(panel) after each drawing and listener.relayout(panel, event) after each zoom or pan. */
export function listen(listener) {
  listeners.push(listener);
}

/** Attach to every graph; false while some are not drawn yet. */
export function attach() {
  return ALL.map(graph).every(Boolean);
}

/** The plot area of a panel: its place in the graph in CSS pixels, and the axes' ranges. */
export function area(panel) {
  if (!areas.has(panel)) {
    const drawn = graph(panel);
    const layout = drawn && drawn._fullLayout;
    if (!layout || !layout.xaxis || !layout.yaxis || !drawn.data || !drawn.data.length) return null;
    const { xaxis, yaxis } = layout;
    areas.set(panel, {
      left: xaxis._offset,
      top: yaxis._offset,
      width: xaxis._length,
      height: yaxis._length,
      x: [xaxis.range[0], xaxis.range[1]],
      y: [yaxis.range[0], yaxis.range[1]],
    });
  }
  return areas.get(panel);
}

/** The pixel of the image under a pointer position, or null; `clamp` takes the nearest instead. */
export function pixelAt(panel, clientX, clientY, clamp) {
  const drawn = graph(panel);
  const scene = state.scene;
  if (!drawn || !scene || !area(panel)) return null;
  const box = drawn.getBoundingClientRect();
  const { xaxis, yaxis } = drawn._fullLayout;
  const x = clientX - box.left - xaxis._offset;
  const y = clientY - box.top - yaxis._offset;
  if (!clamp && (x < 0 || y < 0 || x >= xaxis._length || y >= yaxis._length)) return null;
  const col = Math.round(xaxis.p2c(x));
  const row = Math.round(yaxis.p2c(y));
  if (clamp) {
    return {
      row: Math.min(Math.max(row, 0), scene.height - 1),
      col: Math.min(Math.max(col, 0), scene.width - 1),
    };
  }
  return row >= 0 && col >= 0 && row < scene.height && col < scene.width ? { row, col } : null;
}

/** The image that a full panel holds as rows of numbers (or of colours), or null where it is not of this scene. */
export function image(panel) {
  const drawn = graph(panel);
  const scene = state.scene;
  const meta = drawn && drawn.layout && drawn.layout.meta;
  if (!scene || !meta || meta.pair !== scene.pair) return null;
  const ofPair = panel === "panel-mri" || panel === "panel-pet";
  if (!ofPair && meta.key !== scene.key) return null;
  const trace = drawn.data && drawn.data[0];
  if (!trace || !trace.z) return null;
  // Plotly decodes base64 into typed arrays, in place or in its own copy.
  const rows = Array.isArray(trace.z) ? trace.z : drawn._fullData && drawn._fullData[0] && drawn._fullData[0].z;
  if (!rows || !rows.length) return null;
  const known = arrays.get(panel);
  if (!known || known.rows !== rows) arrays.set(panel, { rows, low: trace.zmin, high: trace.zmax });
  return arrays.get(panel);
}

export function meta(panel) {
  const drawn = graph(panel);
  return (drawn && drawn.layout && drawn.layout.meta) || {};
}

whenDrawn((drawn) => {
  const section = drawn.closest("section[data-panel]");
  if (section && graph(section.dataset.panel)) changed(section.dataset.panel);
});
window.addEventListener("resize", () => areas.clear());
