/* What dragging does, and full pictures that zoom and pan together. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  const { graphs, state } = fusevis;
  let sharing = false;
  let shared = null; // the part that all full pictures of a pair show: { pair, ranges }

  function drawnGraphs(panels) {
    return panels.map(graphs.graph).filter((graph) => graph && graph.data && graph.data.length);
  }

  /** Zooming or panning one full picture does the same to all of them. */
  function shareZoom(panel, event) {
    if (sharing || !graphs.FULL.includes(panel) || !Object.keys(event).some((key) => key.startsWith("xaxis"))) return;
    const source = graphs.graph(panel)._fullLayout;
    const ranges = { "xaxis.range": [...source.xaxis.range], "yaxis.range": [...source.yaxis.range] };
    shared = { pair: graphs.meta(panel).pair, ranges };
    apply(graphs.FULL.filter((other) => other !== panel));
  }

  function showsOther(panel) {
    const graph = graphs.graph(panel);
    const range = graph && graph._fullLayout && graph._fullLayout.xaxis && graph._fullLayout.xaxis.range;
    const wanted = shared.ranges["xaxis.range"];
    return Boolean(range) && Math.abs(range[0] - wanted[0]) + Math.abs(range[1] - wanted[1]) > 1e-6;
  }

  function apply(panels) {
    const graphsToMove = drawnGraphs(panels.filter(showsOther));
    if (!graphsToMove.length) return;
    sharing = true;
    Promise.all(graphsToMove.map((graph) => window.Plotly.relayout(graph, shared.ranges))).finally(() => {
      sharing = false;
      fusevis.paint.all();
    });
  }

  /** Let dragging choose pixels, zoom or pan. */
  function changeMode(mode) {
    state.mode = mode || "pixel";
    document.body.dataset.mode = state.mode;
    const dragmode = state.mode === "pixel" ? false : state.mode;
    drawnGraphs([...graphs.FULL, graphs.SCATTER]).forEach((graph) => {
      if (graph._fullLayout.dragmode !== dragmode) window.Plotly.relayout(graph, { dragmode });
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

  fusevis.toolbar = { changeMode };
})(window.fusevis);
