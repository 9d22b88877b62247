/* Pointer and keyboard: the principal pixel A, the second pixel B, pinning and letting go. */

import { whenResting } from "../core/announce.mjs";
import { step } from "../core/arrows.mjs";
import { isForPage } from "../core/dialogs.mjs";
import { closest } from "../core/elements.mjs";
import { learned } from "../core/hint.mjs";
import { move, redraw } from "./frames.mjs";
import * as readout from "./readout.mjs";
import { state } from "./state.mjs";
import * as table from "./table.mjs";
import * as windows from "./windows.mjs";

/**
 * @import { Pixel } from "../painter/shapes.mjs"
 * @import { Picture } from "./layout.mjs"
 * @import { Point } from "./state.mjs"
 *
 * @typedef {{ id: number, picture: Picture, x: number, y: number, moved: boolean, shift: boolean }} Press
 * @typedef {{ target: EventTarget | null, clientX: number, clientY: number }} Seen
 */

const CLICK_DISTANCE = 4;
/** @type {Press | null} */
let press = null;
/** @type {Seen | null} */
let last = null; // where the pointer was seen last

/**
 * Give a point this pixel; null lets it go.
 * @param {Point} point
 * @param {Pixel | null} pixel
 * @param {number} [start]
 */
export function choose(point, pixel, start) {
  const before = point.pixel;
  if (pixel && before && before.row === pixel.row && before.col === pixel.col) return;
  point.pixel = pixel && { row: pixel.row, col: pixel.col };
  if (!pixel) point.shown = null;
  // With the second pixel pictures come and go, else only boxes move.
  if (Boolean(before) !== Boolean(pixel)) redraw();
  else move();
  windows.ask(point, start);
  showPins();
}

/** @param {boolean} pinned */
export function pinA(pinned) {
  if (pinned) learned();
  state.a.pinned = pinned;
  move();
  showPins();
}

function letGo() {
  pinA(false);
  choose(state.b, null);
}

/** Say which pixels are pinned: the link, and the buttons. */
export function showPins() {
  state.notePins();
  const pressed = { "compare-pin-a": state.a.pinned, "compare-pin-b": Boolean(state.b.pixel) };
  for (const [id, on] of Object.entries(pressed)) {
    const button = document.getElementById(id);
    if (!button) continue;
    button.setAttribute("aria-pressed", String(on));
    button.classList.toggle("active", on);
  }
}

/**
 * Keep the principal pixel as the second one, or let that go where it is the same already.
 * @param {Pixel | null} pixel
 * @param {number} start
 */
function pinB(pixel, start) {
  const { b } = state;
  const same = b.pixel && pixel && b.pixel.row === pixel.row && b.pixel.col === pixel.col;
  choose(b, same ? null : pixel, start);
}

/** @param {{ target: EventTarget | null }} event */
function onCanvas(event) {
  return closest(event, ".compare-canvas");
}

document.addEventListener("pointermove", (event) => {
  if (press && press.id === event.pointerId) {
    if (Math.hypot(event.clientX - press.x, event.clientY - press.y) >= CLICK_DISTANCE) press.moved = true;
    const pixel = press.moved && table.pixelIn(press.picture, event.clientX, event.clientY, true);
    if (pixel) choose(state.a, pixel, event.timeStamp);
    return;
  }
  follow(event);
});

/**
 * Let A follow the pointer over every picture, where it is not pinned.
 * @param {Seen & { timeStamp: number }} event
 */
function follow(event) {
  last = { target: event.target, clientX: event.clientX, clientY: event.clientY };
  const picture = onCanvas(event) ? table.pictureAt(event.clientX, event.clientY) : null;
  if (state.held || !state.a.pinned) hold(picture);
  if (state.a.pinned || !picture) return;
  const pixel = table.pixelIn(picture, event.clientX, event.clientY);
  if (pixel) choose(state.a, pixel, event.timeStamp);
}

/**
 * Let A's zooms stay where they are while the pointer is in one of them, else have A in their middle.
 * @param {Picture | null} picture
 */
function hold(picture) {
  const within = Boolean(picture && picture.zoom && picture.point === state.a);
  if (within === Boolean(state.held)) return;
  state.held = within ? { ...state.centreOf(state.a) } : null;
  move();
}

// As on the explore page: before the next frame begins, where the browser has this event.
document.addEventListener("pointerrawupdate", (event) => {
  if (!press) follow(event);
});

// The table may move under a pointer that rests.
document.addEventListener("scroll", (event) => {
  if (last && !press) follow({ ...last, timeStamp: event.timeStamp });
}, true);

// A finger that is lifted, and a mouse that leaves the window, are in no zoom any more.
document.addEventListener("pointerout", (event) => {
  if (event.relatedTarget) return;
  last = null;
  hold(null);
});

document.addEventListener("pointerdown", (event) => {
  if (event.button !== 0 || !onCanvas(event)) return;
  const picture = table.pictureAt(event.clientX, event.clientY);
  if (!picture || !table.pixelIn(picture, event.clientX, event.clientY)) return;
  press = { id: event.pointerId, picture, x: event.clientX, y: event.clientY, moved: false, shift: event.shiftKey };
  hold(picture);
  event.preventDefault();
  table.elements()?.host.focus({ preventScroll: true });
});

document.addEventListener("pointerup", (event) => {
  if (!press || press.id !== event.pointerId) return;
  const { picture, moved, shift } = press;
  press = null;
  if (moved) return; // the end of a drag never pins
  const at = table.pixelIn(picture, event.clientX, event.clientY, true);
  if (!at) return;
  if (shift) {
    pinB(at, event.timeStamp);
  } else {
    choose(state.a, at, event.timeStamp);
    pinA(!state.a.pinned);
  }
});

document.addEventListener("pointercancel", () => {
  press = null;
});

document.addEventListener("click", (event) => {
  const button = closest(event, "#compare-pin-a, #compare-pin-b, #compare-let-go");
  if (!button || !state.common()) return;
  if (button.id === "compare-pin-a") pinA(!state.a.pinned);
  else if (button.id === "compare-pin-b") pinB(state.b.pixel || state.a.pixel, event.timeStamp);
  else letGo();
});

document.addEventListener("keydown", (event) => {
  const common = state.common();
  if (!common || !state.a.pixel || !isForPage(event)) return;
  const point = state.a.pinned ? state.a : state.b;
  const moved = point.pixel && step(event, point.pixel, common);
  if (moved) {
    event.preventDefault();
    hold(null);
    choose(point, moved, event.timeStamp);
  } else if (event.key === "Escape") {
    letGo();
  } else if (event.key === "b" || event.key === "B") {
    pinB(state.a.pixel, event.timeStamp);
  } else if (event.key === "Enter" && event.target === table.elements()?.host) {
    pinA(!state.a.pinned);
  } else {
    return;
  }
  whenResting(readout.words);
});
