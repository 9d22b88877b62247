/* What the page shows now. One object, changed only through the functions here. */

import * as colours from "../painter/colours.mjs";

export const state = {
  scene: null, // what is shown: pair, method, size, support (from the server)
  pixel: null, // { row, col }: the principal pixel that the pointer asks for
  window: null, // the Jacobian window last painted
  pinned: false,
  mode: "pixel", // what dragging does: pixel, zoom, pan
  display: { gamma1: 0.3, gamma2: 0.5, scale: "paper", half: 12, followsSupport: false },
  limits: null, // how far the guidance images are, and the ends of the colour scales that come from them
  grown: null, // the guidance images while they grow (guidance.mjs)
  viewer: "", // this page's name on the server
};

/** Whether the window of the principal pixel is still on its way. */
state.isMoving = () => {
  const { pixel, window: shown } = state;
  return !pixel || !shown || pixel.row !== shown.row || pixel.col !== shown.col;
};

/** Whether guidance images are being computed, and painted as they come. */
state.isGrowing = () => Boolean(state.limits && state.limits.stage === "running");

/** Names of what the zooms and Jacobian panels show, and of how; figures carry them in layout.meta. */
state.contentName = () => {
  const shown = state.window;
  return shown ? `${shown.row},${shown.col},${state.display.half}` : "";
};
state.displayName = () => {
  const { gamma1, gamma2, scale } = state.display;
  const ends = state.limits && !state.limits.provisional ? state.limits.revision : "provisional";
  return `${gamma1},${gamma2},${scale},${ends}`;
};

/** End of the guidance images' colour scale. */
state.guidanceEnd = () => colours.endOf(state.limits, state.display.scale);

/** End of the Jacobian images' scale: the guidance images', or the window's own until those are known. */
state.jacobianEnd = () => {
  if (state.limits && !state.limits.provisional) return state.guidanceEnd();
  if (!state.window) return 1;
  if (own.window !== state.window || own.scale !== state.display.scale) {
    own = { window: state.window, scale: state.display.scale, end: ownEnd() };
  }
  return own.end;
};

let own = {};

/** The end that the shown window alone would give. */
function ownEnd() {
  return colours.endOf(colours.limitsOf(state.window.values), state.display.scale);
}
