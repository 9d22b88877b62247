/* Pointer and keyboard on the pictures. Own listeners: Plotly's hover is throttled and would tie every move to a callback. */

import * as changeTool from "../change/tool.mjs";
import { whenResting } from "../core/announce.mjs";
import { step } from "../core/arrows.mjs";
import { isForPage } from "../core/dialogs.mjs";
import { closest } from "../core/elements.mjs";
import * as brush from "./brush.mjs";
import * as graphs from "./graphs.mjs";
import { learned } from "../core/hint.mjs";
import * as large from "./large.mjs";
import * as principal from "./pixel.mjs";
import * as readout from "./readout.mjs";
import { state } from "./state.mjs";

/**
 * @import { Pixel } from "../painter/shapes.mjs"
 *
 * @typedef {{ id: number, panel: string, x: number, y: number, moved: boolean }} Press
 * @typedef {{ time: number, pixel: Pixel | null, pinned: boolean }} Before - A click: when it was, and what it found.
 */

const CLICK_DISTANCE = 4;
const DOUBLE_CLICK_MILLISECONDS = 500;
const DRAGGING = ["zoom", "pan"]; // tools whose drags and double clicks are Plotly's
/** @type {Press | null} */
let press = null;
/** @type {Before} */
let before = { time: -Infinity, pixel: null, pinned: false };
/** @type {{ panel: string, x: number, y: number } | null} */
let dragged = null; // where a drag that zooms or pans has ended

/** @param {Event} event */
function panelOf(event) {
  return closest(event, "section.panel-pointer")?.dataset.panel;
}

/** @param {Event} event */
function inPlot(event) {
  return !closest(event, "button, details");
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
  if (panel && inPlot(event)) principal.choose(graphs.pixelAt(panel, event.clientX, event.clientY), event.timeStamp);
}

// Moves are held back until a frame begins; these are not, where the browser has them (Chromium, over HTTPS or on this
// machine). The same move's second event changes nothing.
document.addEventListener("pointerrawupdate", (event) => {
  if (!press) follow(event);
});

document.addEventListener("pointerdown", (event) => {
  if (changeTool.begin(event) || brush.begin(event)) return;
  const panel = event.button === 0 && panelOf(event);
  if (!panel || !inPlot(event) || !graphs.pixelAt(panel, event.clientX, event.clientY)) return;
  press = { id: event.pointerId, panel, x: event.clientX, y: event.clientY, moved: false };
  // A second click soon after the first one belongs to the same double click, which is to change nothing.
  if (event.timeStamp - before.time > DOUBLE_CLICK_MILLISECONDS) {
    before = { time: event.timeStamp, pixel: state.pixel, pinned: state.pinned };
  }
  if (state.mode === "pixel") event.preventDefault();
  const section = closest(event, "section.panel-pointer");
  if (section) section.focus({ preventScroll: true });
}, true);

/** @param {PointerEvent} event */
function release(event) {
  if (!press || press.id !== event.pointerId) return;
  const { panel, moved } = press;
  press = null;
  if (moved && DRAGGING.includes(state.mode) && !state.pinned) dragged = { panel, x: event.clientX, y: event.clientY };
  // The end of a drag never pins; in the other modes a still click pins all the same.
  if (moved || event.type === "pointercancel") return;
  principal.choose(graphs.pixelAt(panel, event.clientX, event.clientY), event.timeStamp);
  togglePin();
}

function togglePin() {
  principal.pin(!state.pinned);
  if (state.pinned) learned();
}

// Else the principal pixel would stay where the drag began, which may not be seen any more.
graphs.listen({
  relayout(panel) {
    if (!dragged || dragged.panel !== panel) return;
    const { x, y } = dragged;
    dragged = null;
    if (!state.pinned) requestAnimationFrame(() => principal.choose(graphs.pixelAt(panel, x, y, true)));
  },
});

document.addEventListener("dblclick", (event) => {
  const section = closest(event, "section[data-panel]");
  if (!section || !inPlot(event) || DRAGGING.includes(state.mode)) return;
  if (before.pixel && panelOf(event)) {
    principal.choose(before.pixel);
    principal.pin(before.pinned);
  }
  large.toggle(section);
});

document.addEventListener("pointerup", release, true);
document.addEventListener("pointercancel", release, true);

document.addEventListener("keydown", (event) => {
  const { scene, pixel, pinned } = state;
  if (!scene || !pixel || !isForPage(event)) return;
  const onPicture = event.target instanceof Element && event.target.matches("section.panel-pointer");
  const moved = pinned || onPicture ? step(event, pixel, scene) : null;
  if (moved) principal.choose(moved, event.timeStamp);
  else if (event.key === "Escape" && pinned) principal.pin(false);
  else if (["Enter", " "].includes(event.key) && onPicture) togglePin();
  else return;
  event.preventDefault();
  whenResting(readout.words);
});
