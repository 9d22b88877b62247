/* Regions over the explore page's Plotly graphs: masks over the full pictures, points over the scatterplot. */
(function (fusevis) {
  "use strict";

  const { graphs, overlays, regionPictures, regions, state } = fusevis;
  const POINT = 2; // of the screen
  let waiting = false;

  /** The canvas of a panel for regions, under everything else that lies over the graph. */
  function canvasOf(one) {
    let canvas = one.element.querySelector(".region-canvas");
    if (!canvas) {
      canvas = document.createElement("canvas");
      canvas.className = "region-canvas";
      one.element.prepend(canvas);
    }
    return canvas;
  }

  function fit(canvas, width, height) {
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    return context;
  }

  function drawMask(panel) {
    const one = overlays.placed(panel);
    if (!one) return;
    const { area } = one;
    const density = window.devicePixelRatio || 1;
    const context = fit(canvasOf(one), Math.round(area.width * density), Math.round(area.height * density));
    const picture = regionPictures.canvas();
    if (!picture) return;
    const across = (area.width * density) / (area.x[1] - area.x[0]);
    const down = (area.height * density) / (area.y[0] - area.y[1]);
    context.imageSmoothingEnabled = false;
    context.drawImage(
      picture, (-0.5 - area.x[0]) * across, (-0.5 - area.y[1]) * down, picture.width * across, picture.height * down);
  }

  /** The guidance values of a pixel, x and y of the scatterplot; null until both images are complete. */
  function guidance() {
    const [first, second] = fusevis.paint.GRADIENTS.map(graphs.image);
    if (!first || !second || !state.limits || state.limits.provisional) return null;
    const { width } = state.scene;
    const value = (image) => (at) => image.rows[Math.floor(at / width)][at % width];
    return [value(first), value(second)];
  }

  function drawPoints() {
    const one = overlays.placed(graphs.SCATTER);
    if (!one) return;
    const { area } = one;
    const density = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(area.width * density), Math.round(area.height * density)];
    const context = fit(canvasOf(one), width, height);
    const values = guidance();
    if (!values) return;
    const across = width / (area.x[1] - area.x[0]);
    const up = height / (area.y[1] - area.y[0]);
    regionPictures.points(context, POINT * density, (at) => {
      const [x, y] = [values[0](at), values[1](at)];
      return Number.isFinite(x) && Number.isFinite(y) ? [(x - area.x[0]) * across, height - (y - area.y[0]) * up] : null;
    });
  }

  function drawAll() {
    waiting = false;
    graphs.FULL.forEach(drawMask);
    drawPoints();
  }

  /** Draw all at the next frame. */
  function draw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(drawAll);
  }

  regions.listen(draw);
  graphs.listen({ drawn: draw, relayout: draw });
  window.addEventListener("resize", draw);

  fusevis.regionOverlays = { draw, guidance };
})(window.fusevis);
