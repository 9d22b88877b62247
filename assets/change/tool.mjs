/*
 * The brush: strokes of the pointer and stamps by the keyboard, on the inputs. Each page says where its inputs are, and calls
 * `begin` of a press before it has other uses for it.
 */

import { say } from "../core/announce.mjs";
import { isForPage, ownerOf } from "../core/dialogs.mjs";
import { closest } from "../core/elements.mjs";
import { leaveByEscape } from "../regions/selection.mjs";
import * as painted from "./set.mjs";
import { LARGEST_STAMP, STRENGTHS, way } from "./strokes.mjs";

/**
 * @import { Pixel } from "../painter/shapes.mjs"
 * @import { Operation } from "./strokes.mjs"
 *
 * @typedef {object} Place - A pixel of an input under the pointer, and where its picture lies.
 * @property {number} input
 * @property {Pixel} pixel
 * @property {(clientX: number, clientY: number) => Pixel | null} pixelAt - In the same picture, the nearest one from outside of it.
 * @property {() => Ground | null} ground
 *
 * @typedef {{ element: HTMLElement, left: number, top: number, across: number, down: number }} Ground - The corner of the image's
 *   first pixel in an element, and the size of its pixels.
 *
 * @typedef {object} Page
 * @property {string} panel - Whose keys Ctrl+Z and the like are too.
 * @property {() => boolean} isOn
 * @property {() => void} putAway
 * @property {(event: PointerEvent) => Place | null} placeAt
 * @property {() => { pixel: Pixel, modalities: string[] } | null} chosen - The principal pixel, where the keyboard stamps.
 */

const FIRST = { s: 0, a: 20, e: 100, b: 100 };
/** @type {(() => void)[]} */
const listeners = [];
/** @type {{ input: number, operation: Operation, size: number, strengths: Record<Operation, number> }} */
const brush = { input: 0, operation: "s", size: 8, strengths: { ...FIRST } };
/** @type {{ id: number, place: Place, last: Pixel } | null} */
let stroke = null;
/** @type {Page | null} */
let page = null;

/**
 * Let the brush work on a page.
 * @param {Page} where
 */
export function workOn(where) {
  page = where;
  leaveByEscape(where.isOn, where.putAway);
}

function isOn() {
  return Boolean(page?.isOn());
}

/**
 * Call listener() after each change of the brush.
 * @param {() => void} listener
 */
export function listen(listener) {
  listeners.push(listener);
}

/** The brush as it is. */
export function current() {
  return { ...brush, strength: brush.strengths[brush.operation], limits: STRENGTHS[brush.operation] };
}

/**
 * Change the brush; what it may not be is left.
 * @param {{ input?: number, operation?: Operation, size?: number, strength?: number }} wanted
 */
export function choose({ strength, ...wanted }) {
  Object.assign(brush, wanted);
  brush.size = Math.min(Math.max(Math.round(brush.size), 1), LARGEST_STAMP);
  const [least, most] = STRENGTHS[brush.operation];
  if (strength !== undefined) brush.strengths[brush.operation] = Math.min(Math.max(Math.round(strength), least), most);
  listeners.forEach((listener) => listener());
}

/** @param {Pixel} pixel */
function stamp(pixel) {
  const { input, operation, size, strength } = current();
  const begun = painted.begin({ input, operation, size, strength, stamps: [pixel] });
  if (!begun) say(painted.FULL);
  return begun;
}

/**
 * Begin a stroke if the brush is on and the pointer on an input; true where it has.
 * @param {PointerEvent} event
 */
export function begin(event) {
  if (!isOn() || event.button !== 0) return false;
  const place = page?.placeAt(event);
  if (!place) return false;
  event.preventDefault();
  event.stopPropagation();
  choose({ input: place.input });
  if (stamp(place.pixel)) stroke = { id: event.pointerId, place, last: place.pixel };
  return true;
}

/** @param {PointerEvent} event */
function go(event) {
  if (!stroke || stroke.id !== event.pointerId) return;
  event.stopPropagation();
  const pixel = stroke.place.pixelAt(event.clientX, event.clientY);
  if (!pixel || (pixel.row === stroke.last.row && pixel.col === stroke.last.col)) return;
  if (painted.extend(way(stroke.last, pixel, brush.size))) {
    stroke.last = pixel;
  } else {
    stroke = null;
    say(painted.FULL);
  }
}

/** @param {PointerEvent} event */
function end(event) {
  if (!stroke || stroke.id !== event.pointerId) return;
  event.stopPropagation();
  stroke = null;
}

document.addEventListener("pointermove", (event) => {
  go(event);
  outline(event);
}, true);
document.addEventListener("pointerrawupdate", (event) => {
  if (stroke && stroke.id === event.pointerId) event.stopPropagation();
}, true);
document.addEventListener("pointerup", end, true);
document.addEventListener("pointercancel", end, true);

/** @type {HTMLElement | null} */
let ring = null;

/**
 * Show what a stamp would cover where the pointer is.
 * @param {PointerEvent} event
 */
function outline(event) {
  if (!ring && !isOn()) return;
  const place = isOn() ? page?.placeAt(event) : null;
  const ground = place?.ground();
  ring ??= Object.assign(document.createElement("div"), { className: "stamp-outline" });
  ring.hidden = !ground;
  if (!ground || !place) return;
  const { element, left, top, across, down } = ground;
  if (ring.parentElement !== element) element.append(ring);
  const above = Math.floor(brush.size / 2);
  Object.assign(ring.style, {
    left: `${left + (place.pixel.col - above) * across}px`, top: `${top + (place.pixel.row - above) * down}px`,
    width: `${brush.size * across}px`, height: `${brush.size * down}px`,
  });
}

document.addEventListener("keydown", (event) => {
  if (!isOn() || !isForPage(event)) return;
  const chosen = page?.chosen();
  if (event.key === "[" || event.key === "]") {
    choose({ size: brush.size + (event.key === "]" ? 1 : -1) });
    say(`Brush of ${brush.size} pixels`);
  } else if (event.key.toLowerCase() === "s" && chosen) {
    const { row, col } = chosen.pixel;
    if (stamp({ row, col })) say(`Painted on ${chosen.modalities[brush.input]} at row ${row}, column ${col}`);
  } else {
    return;
  }
  event.preventDefault();
});

// Before the regions, whose last change these keys take back elsewhere.
document.addEventListener("keydown", (event) => {
  const asked = (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "z";
  const owner = ownerOf(event);
  if (!asked || !(owner ? owner.id === page?.panel : isOn()) || closest(event, "input[type=number], input[type=text], textarea")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (event.shiftKey) painted.redo();
  else painted.undo();
}, true);
