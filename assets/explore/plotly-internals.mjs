/*
 * What is needed of Plotly that its documentation does not promise. All of it stands here, as it was seen in plotly.js 4.1.1, which
 * dash 4.4 takes from plotly 7.1: a graph's full layout (`_fullLayout`), its axes' places (`_offset`, `_length`) and scales (`p2c`), the first
 * range of an axis (`_inputRange`), and its decoded data (`_fullData`). The class `nsewdrag` of styles/*.css belongs to it.
 */

/** Whether a graph has been drawn. */
export function isDrawn(graph) {
  return Boolean(graph._fullLayout);
}

function axesOf(graph) {
  const { xaxis, yaxis } = graph._fullLayout || {};
  return xaxis && yaxis ? { xaxis, yaxis } : null;
}

/** The plot area of a graph: its place in the graph in CSS pixels, and the axes' ranges; null where it has no axes. */
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

/** Where a place of the window lies in the data, { x, y }, and whether that is inside of the plot. */
export function placeIn(graph, clientX, clientY) {
  const { xaxis, yaxis } = axesOf(graph);
  const { left, top } = graph.getBoundingClientRect();
  const [x, y] = [clientX - left - xaxis._offset, clientY - top - yaxis._offset];
  const inside = x >= 0 && y >= 0 && x < xaxis._length && y < yaxis._length;
  return { x: xaxis.p2c(x), y: yaxis.p2c(y), inside };
}

/** What dragging in a graph does. */
export function dragmodeOf(graph) {
  return graph._fullLayout.dragmode;
}

/** The rows of a graph's first trace. Plotly decodes base64 into typed arrays, in place or in its own copy. */
export function rowsOf(graph) {
  const { z } = graph.data[0];
  const rows = Array.isArray(z) ? z : graph._fullData && graph._fullData[0] && graph._fullData[0].z;
  return rows && rows.length ? rows : null;
}

/**
 * Let a graph forget the first ranges of its axes. Plotly remembers the first range of an axis that it has to shrink, and
 * measures a new figure's range by it: a smaller one would be widened until it fills the panel. Its own relayout does the same.
 */
export function forgetFirstRanges(graph) {
  const { xaxis, yaxis } = graph._fullLayout;
  for (const axis of [xaxis, yaxis]) if (axis) axis._inputRange = null;
}
