/* Pointer and keyboard on the pictures. Own listeners: Plotly's hover is throttled and would tie every move to a callback. */

import * as brush from "./brush.mjs";
import * as graphs from "./graphs.mjs";
import * as principal from "./pixel.mjs";
import { state } from "./state.mjs";

const CLICK_DISTANCE = 4;
const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
let press = null;

function panelOf(target) {
  const section = target.closest && target.closest("section.panel-pointer");
  return section ? section.dataset.panel : null;
}

function inPlot(target) {
  return !(target.closest && target.closest("button, .rgb-legend"));
}

document.addEventListener("pointermove", (event) => {
  if (press && press.id === event.pointerId) {
    if (Math.hypot(event.clientX - press.x, event.clientY - press.y) >= CLICK_DISTANCE) press.moved = true;
    if (state.mode === "pixel" && press.moved) {
      principal.choose(graphs.pixelAt(press.panel, event.clientX, event.clientY, true), event.timeStamp);
    }
    return;
  }
  follow(event);
});

/** Let the principal pixel follow the pointer, where none is pinned. */
function follow(event) {
  if (state.pinned) return;
  const panel = panelOf(event.target);
  if (panel) principal.choose(graphs.pixelAt(panel, event.clientX, event.clientY), event.timeStamp);
}

// Moves are held back until a frame begins; these are not, where the browser has them (Chromium, over HTTPS or on this
// machine). The same move's second event changes nothing.
document.addEventListener("pointerrawupdate", (event) => press || follow(event));

document.addEventListener("pointerdown", (event) => {
  if (brush.begin(event)) return;
  const panel = event.button === 0 && panelOf(event.target);
  if (!panel || !inPlot(event.target) || !graphs.pixelAt(panel, event.clientX, event.clientY)) return;
  press = { id: event.pointerId, panel, x: event.clientX, y: event.clientY, moved: false };
  if (state.mode === "pixel") event.preventDefault();
  const section = event.target.closest("section.panel-pointer");
  if (section) section.focus({ preventScroll: true });
}, true);

function release(event) {
  if (!press || press.id !== event.pointerId) return;
  const { panel, moved } = press;
  press = null;
  // The end of a drag never pins; in the other modes a still click pins all the same.
  if (moved || event.type === "pointercancel") return;
  principal.choose(graphs.pixelAt(panel, event.clientX, event.clientY), event.timeStamp);
  principal.pin(!state.pinned);
}

document.addEventListener("pointerup", release, true);
document.addEventListener("pointercancel", release, true);

function typing(target) {
  return target.closest && target.closest("input, select, textarea, [role=slider], [role=listbox], [contenteditable], .offcanvas");
}

document.addEventListener("keydown", (event) => {
  if (!state.scene || !state.pixel || event.altKey || event.ctrlKey || event.metaKey || typing(event.target)) return;
  const arrow = ARROWS[event.key];
  if (arrow && state.pinned) {
    const step = event.shiftKey ? 10 : 1;
    const row = Math.min(Math.max(state.pixel.row + arrow[0] * step, 0), state.scene.height - 1);
    const col = Math.min(Math.max(state.pixel.col + arrow[1] * step, 0), state.scene.width - 1);
    event.preventDefault();
    principal.choose({ row, col }, event.timeStamp);
  } else if (event.key === "Escape" && state.pinned) {
    principal.pin(false);
  } else if ((event.key === "Enter" || event.key === " ") && event.target.matches && event.target.matches("section.panel-pointer")) {
    event.preventDefault();
    principal.pin(!state.pinned);
  }
});
