/* Saving a picture as PNG, with what only the overlays show: the red box and the regions. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  const { graphs, state } = fusevis;
  const SCALE = 3; // times the size on the screen

  function box() {
    const { row, col } = state.pixel;
    const reach = state.display.half + 0.5;
    return { type: "rect", x0: col - reach, x1: col + reach, y0: row - reach, y1: row + reach, line: { color: "#ff2a2a", width: 2 } };
  }

  function save(panel) {
    const graph = graphs.graph(panel);
    if (!graph || !graph.data || !graph.data.length) return;
    const dark = document.documentElement.dataset.bsTheme === "dark";
    const layout = {
      ...graph.layout,
      paper_bgcolor: dark ? "#212529" : "#ffffff",
      font: { color: dark ? "#dee2e6" : "#212529" },
      images: [...(graph.layout.images || []), ...fusevis.exportRegions.images(panel, SCALE)],
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
})(window.fusevis);
