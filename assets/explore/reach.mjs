/* How far the derivatives of the principal pixel reach: asked for when the pixel rests, given up when it moves on. */

import * as channel from "../core/channel.mjs";
import { showReach } from "./readout.mjs";
import { state } from "./state.mjs";

/** @import { Pixel } from "../painter/shapes.mjs" */

const RESTS_MILLISECONDS = 300;
const SHORT = 2; // gray levels: below that a Jacobian image is marked
// In the title of the zoom, where there is room, and where the colours are seen.
const PANELS = ["panel-jacobian-mri-zoom", "panel-jacobian-pet-zoom"];
/** @type {string | null} */
let wanted = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

const reaches = channel.make({
  nameOf: ({ address }) => address,
  addressOf: ({ address }) => address,
  decode: (buffer) => ({ levels: [...new Int32Array(buffer)] }),
  isCurrent: ({ address }) => address === wanted,
  deliver({ levels }, { address, row, col }) {
    if (address !== wanted) return;
    state.reach = { row, col, levels };
    showReach();
    mark(levels);
  },
  // What is missing stays an ellipsis: the picture itself is there, and the next rest asks again.
  fail() {},
});

/**
 * Mark the Jacobian images whose derivative does not even tell what two gray levels do.
 * @param {number[] | null} levels
 */
function mark(levels) {
  PANELS.forEach((panel, index) => {
    const badge = document.querySelector(`section[data-panel="${panel}"] .reach-mark`);
    const short = levels !== null && Math.min(levels[index], levels[index + 2]) < SHORT;
    if (badge instanceof HTMLElement) badge.hidden = !short;
  });
}

/** Give up what is asked for: the pixel moves on. */
export function leave() {
  clearTimeout(timer);
  wanted = null;
  if (!state.reach) return;
  state.reach = null;
  mark(null);
}

/**
 * Ask once this pixel, whose window is shown, has rested; `path` is where reaches of its scene are.
 * @param {string} path
 * @param {Pixel} pixel
 */
export function rest(path, { row, col }) {
  const address = `${path}/${row}/${col}`;
  if (address === wanted) return;
  leave();
  if (row !== state.pixel?.row || col !== state.pixel.col) return; // a newer one is on its way
  wanted = address;
  timer = setTimeout(() => reaches.ask({ address, row, col }), RESTS_MILLISECONDS);
}
