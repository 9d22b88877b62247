/* Pointer and keyboard on the pictures. Own listeners: Plotly's hover is throttled and would tie every move to a callback. */

import { whenResting } from "../core/announce.mjs";
import { step } from "../core/arrows.mjs";
import { isForPage } from "../core/dialogs.mjs";
import { closest } from "../core/elements.mjs";
import * as brush from "./brush.mjs";
import * as graphs from "./graphs.mjs";
import * as principal from "./pixel.mjs";
import * as readout from "./readout.mjs";
import { state } from "./state.mjs";

/** @typedef {{ id: number, panel: string, x: number, y: number, moved: boolean }} Press */

const CLICK_DISTANCE = 4;
/** @type {Press | null} */
let press = null;

/** @param {Event} event */
function panelOf(event) {
  return closest(event, "section.panel-pointer")?.dataset.panel;
}

/** @param {Event} event */
function inPlot(event) {
  return !closest(event, "button, .rgb-legend");
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

/**
 * Let the principal pixel follow the pointer, where none is pinned.
 * @param {PointerEvent} event
 */
function follow(event) {
  if (state.pinned) return;
  const panel = panelOf(event);
  if (panel) principal.choose(graphs.pixelAt(panel, event.clientX, event.clientY), event.timeStamp);
}

// Moves are held back until a frame begins; these are not, where the browser has them (Chromium, over HTTPS or on this
// machine). The same move's second event changes nothing.
document.addEventListener("pointerrawupdate", (event) => {
  if (!press) follow(event);
});

document.addEventListener("pointerdown", (event) => {
  if (brush.begin(event)) return;
  const panel = event.button === 0 && panelOf(event);
  if (!panel || !inPlot(event) || !graphs.pixelAt(panel, event.clientX, event.clientY)) return;
  press = { id: event.pointerId, panel, x: event.clientX, y: event.clientY, moved: false };
  if (state.mode === "pixel") event.preventDefault();
  const section = closest(event, "section.panel-pointer");
  if (section) section.focus({ preventScroll: true });
}, true);

/** @param {PointerEvent} event */
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

document.addEventListener("keydown", (event) => {
  const { scene, pixel, pinned } = state;
  if (!scene || !pixel || !isForPage(event)) return;
  const onPicture = event.target instanceof Element && event.target.matches("section.panel-pointer");
  const moved = pinned || onPicture ? step(event, pixel, scene) : null;
  if (moved) principal.choose(moved, event.timeStamp);
  else if (event.key === "Escape" && pinned) principal.pin(false);
  else if (["Enter", " "].includes(event.key) && onPicture) principal.pin(!pinned);
  else return;
  event.preventDefault();
  whenResting(readout.words);
});
