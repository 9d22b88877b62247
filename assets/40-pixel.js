/* The principal pixel: from a request to a painted update, its measurement, and the rest that follows. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  const { graphs, overlays, state } = fusevis;
  const REST_MILLISECONDS = 250;
  const KEPT_MEASURES = 1000;
  const MEASURE = "hover-to-paint";
  const DRAWING = "hover-painting";
  let restTimer = null;
  let rested = null; // key of the scene whose figures have been asked for
  let measures = [];
  let newest = 0; // number of the newest request that was answered
  let arrived = null; // an answer that has not been painted
  let painted = false; // whether one has been painted since the last frame began

  /** Make (row, col) the principal pixel; `start` is when the pointer or key event happened. */
  function choose(pixel, start, force) {
    if (!state.scene || !pixel) return;
    const same = state.pixel && state.pixel.row === pixel.row && state.pixel.col === pixel.col;
    if (same && !force) return;
    state.pixel = { row: pixel.row, col: pixel.col };
    graphs.FULL.forEach((panel) => overlays.moveBox(panel, state.pixel, state.display.half));
    if (state.pinned) fusevis.address.later();
    fusevis.transport.ask({ scene: state.scene, pixel: state.pixel, start: start || performance.now() });
  }

  fusevis.transport.deliver = (answer, request, milliseconds) => {
    if (!state.scene || answer.key !== state.scene.key || request.number < newest) return;
    newest = request.number;
    arrived = { answer, request, milliseconds };
    if (!painted) paint(false);
  };

  /** Paint what has arrived at once, as waiting for a frame to begin would often miss it; but once a frame. `begins`:
   *  whether a frame is just beginning, which then shows it. */
  function paint(begins) {
    const { answer, request, milliseconds } = arrived;
    arrived = null;
    painted = true;
    requestAnimationFrame(() => {
      painted = false;
      if (arrived && state.scene && arrived.answer.key === state.scene.key) paint(true);
    });
    state.window = answer;
    const began = performance.now();
    fusevis.paint.all();
    // A newer pixel may be on its way: the boxes belong to it.
    graphs.FULL.forEach((panel) => overlays.moveBox(panel, state.pixel, state.display.half));
    fusevis.readout.show();
    fusevis.readout.status(milliseconds, answer);
    const drawing = { start: began, end: performance.now() };
    // The frame that shows it has ended when the one after it begins.
    const shown = () => measure(request, drawing);
    requestAnimationFrame(begins ? shown : () => requestAnimationFrame(shown));
  }

  function measure({ start, pixel }, drawing) {
    const entry = { start, end: Math.max(performance.now(), start), detail: { row: pixel.row, col: pixel.col } };
    performance.measure(MEASURE, entry);
    performance.measure(DRAWING, drawing);
    measures.push(entry);
    if (measures.length > KEPT_MEASURES + 200) {
      measures = measures.slice(-KEPT_MEASURES);
      performance.clearMeasures(MEASURE);
      performance.clearMeasures(DRAWING);
      measures.forEach((kept) => performance.measure(MEASURE, kept));
    }
  }

  /** Let Plotly's figures follow once nothing has moved for a moment; a new scene's first ones need not wait. */
  function restLater() {
    clearTimeout(restTimer);
    const first = state.scene && state.limits && rested !== state.scene.key;
    restTimer = setTimeout(rest, first ? 0 : REST_MILLISECONDS);
  }

  function rest() {
    const shown = state.window;
    if (!shown || !state.scene || shown.key !== state.scene.key) return;
    if (state.isMoving()) return;
    if (fusevis.settle.settleAll()) return;
    if (state.limits) rested = state.scene.key;
    const { gamma1, gamma2, scale, half } = state.display;
    window.dash_clientside.set_props("rested-pixel", {
      data: {
        key: state.scene.key, row: shown.row, col: shown.col, half, gamma1, gamma2, scale,
        state: state.contentName(), display: state.displayName(),
      },
    });
  }

  /** Pin or let go; the readout says which. */
  function pin(pinned) {
    state.pinned = pinned;
    document.body.classList.toggle("pixel-pinned", pinned);
    fusevis.readout.show();
    fusevis.address.later();
    if (state.window) fusevis.readout.status(0, state.window);
  }

  fusevis.pixel = { choose, pin, restLater };
})(window.fusevis);
