/*
 * What is needed of Plotly that its documentation does not promise. All of it stands here, as it was seen in plotly.js 4.1.1, which
 * dash 4.4 takes from plotly 7.1: a graph's full layout (`_fullLayout`), its axes' places (`_offset`, `_length`) and scales (`p2c`), the first
 * range of an axis (`_inputRange`), and its decoded data (`_fullData`). The class `nsewdrag` of styles/*.css belongs to it.
 */

/**
 * @typedef {{ _offset: number, _length: number, range: number[], p2c: (place: number) => number, _inputRange: unknown }} Axis
 *
 * @typedef {object} Private
 * @property {{ xaxis?: Axis, yaxis?: Axis, dragmode?: string | false }} [_fullLayout]
 * @property {{ z?: any }[]} [_fullData]
 * @property {any[]} data
 * @property {any} layout
 * @property {(kind: string, listener: (event: any) => void) => void} on
 *
 * @typedef {HTMLElement & Private} Graph
 * @typedef {{ left: number, top: number, width: number, height: number, x: [number, number], y: [number, number] }} PlotArea
 */

/**
 * Whether a graph has been drawn.
 * @param {Graph} graph
 */
export function isDrawn(graph) {
  return Boolean(graph._fullLayout);
}

/** @param {Graph} graph */
function axesOf(graph) {
  const { xaxis, yaxis } = graph._fullLayout || {};
  return xaxis && yaxis ? { xaxis, yaxis } : null;
}

/**
 * The plot area of a graph: its place in the graph in CSS pixels, and the axes' ranges; null where it has no axes.
 * @param {Graph} graph
 * @returns {PlotArea | null}
 */
export function plotArea(graph) {
  const axes = axesOf(graph);
  if (!axes) return null;
  const { xaxis, yaxis } = axes;
  return {
    left: xaxis._offset,
    top: yaxis._offset,
    width: xaxis._length,
    height: yaxis._length,
    x: [xaxis.range[0], xaxis.range[1]],
    y: [yaxis.range[0], yaxis.range[1]],
  };
}

/**
 * Where a place of the window lies in the data, { x, y }, and whether that is inside of the plot.
 * @param {Graph} graph
 * @param {number} clientX
 * @param {number} clientY
 */
export function placeIn(graph, clientX, clientY) {
  const { xaxis, yaxis } = /** @type {{ xaxis: Axis, yaxis: Axis }} */ (axesOf(graph));
  const { left, top } = graph.getBoundingClientRect();
  const [x, y] = [clientX - left - xaxis._offset, clientY - top - yaxis._offset];
  const inside = x >= 0 && y >= 0 && x < xaxis._length && y < yaxis._length;
  return { x: xaxis.p2c(x), y: yaxis.p2c(y), inside };
}

/**
 * What dragging in a graph does.
 * @param {Graph} graph
 */
export function dragmodeOf(graph) {
  return graph._fullLayout?.dragmode;
}

/**
 * The rows of a graph's first trace. Plotly decodes base64 into typed arrays, in place or in its own copy.
 * @param {Graph} graph
 */
export function rowsOf(graph) {
  const { z } = graph.data[0];
  const rows = Array.isArray(z) ? z : graph._fullData?.[0]?.z;
  return rows && rows.length ? rows : null;
}

/**
 * Let a graph forget the first ranges of its axes. Plotly remembers the first range of an axis that it has to shrink, and
 * measures a new figure's range by it: a smaller one would be widened until it fills the panel. Its own relayout does the same.
 * @param {Graph} graph
 */
export function forgetFirstRanges(graph) {
  const { xaxis, yaxis } = graph._fullLayout || {};
  for (const axis of [xaxis, yaxis]) if (axis) axis._inputRange = null;
}
