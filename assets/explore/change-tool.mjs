/* The brush: strokes of the pointer and stamps by the keyboard, on the inputs. */

import { say } from "../core/announce.mjs";
import { isForPage, ownerOf } from "../core/dialogs.mjs";
import { closest } from "../core/elements.mjs";
import * as painted from "../change/set.mjs";
import { LARGEST_STAMP, STRENGTHS, way } from "../change/strokes.mjs";
import { leaveByEscape } from "../regions/selection.mjs";
import { INPUTS } from "./change.mjs";
import * as graphs from "./graphs.mjs";
import * as overlays from "./overlays.mjs";
import { state } from "./state.mjs";

/**
 * @import { Pixel } from "../painter/shapes.mjs"
 * @import { Operation } from "../change/strokes.mjs"
 */

export const PANEL = "brush-panel";
const FIRST = { s: 0, a: 20, e: 100, b: 100 };
/** @type {(() => void)[]} */
const listeners = [];
/** @type {{ input: number, operation: Operation, size: number, strengths: Record<Operation, number> }} */
const brush = { input: 0, operation: "s", size: 8, strengths: { ...FIRST } };
/** @type {{ id: number, panel: string, last: Pixel } | null} */
let stroke = null;

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

export function isOn() {
  return state.mode === "brush";
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
  if (!isOn() || event.button !== 0 || !state.scene) return false;
  const panel = closest(event, "section[data-panel]")?.dataset.panel || "";
  const pixel = INPUTS.includes(panel) && !closest(event, "button, details") ? graphs.pixelAt(panel, event.clientX, event.clientY) : null;
  if (!pixel) return false;
  event.preventDefault();
  event.stopPropagation();
  choose({ input: INPUTS.indexOf(panel) });
  if (stamp(pixel)) stroke = { id: event.pointerId, panel, last: pixel };
  return true;
}

/** @param {PointerEvent} event */
function go(event) {
  if (!stroke || stroke.id !== event.pointerId) return;
  event.stopPropagation();
  const pixel = graphs.pixelAt(stroke.panel, event.clientX, event.clientY, true);
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
  const panel = isOn() ? closest(event, "section[data-panel]")?.dataset.panel || "" : "";
  const pixel = INPUTS.includes(panel) ? graphs.pixelAt(panel, event.clientX, event.clientY) : null;
  const one = pixel && overlays.placed(panel);
  ring ??= Object.assign(document.createElement("div"), { className: "stamp-outline" });
  ring.hidden = !one;
  if (!one || !pixel) return;
  if (ring.parentElement !== one.element) one.element.append(ring);
  const { x, y, width, height } = one.area;
  const across = width / (x[1] - x[0]);
  const down = height / (y[0] - y[1]);
  const above = Math.floor(brush.size / 2);
  Object.assign(ring.style, {
    left: `${(pixel.col - above - 0.5 - x[0]) * across}px`, top: `${(pixel.row - above - 0.5 - y[1]) * down}px`,
    width: `${brush.size * across}px`, height: `${brush.size * down}px`,
  });
}

leaveByEscape(isOn, () => window.dash_clientside.set_props("toolbar-mode", { value: "pixel" }));

document.addEventListener("keydown", (event) => {
  if (!isOn() || !isForPage(event)) return;
  if (event.key === "[" || event.key === "]") {
    choose({ size: brush.size + (event.key === "]" ? 1 : -1) });
    say(`Brush of ${brush.size} pixels`);
  } else if (event.key.toLowerCase() === "s" && state.pixel && state.scene) {
    const { row, col } = state.pixel;
    if (stamp({ row, col })) say(`Painted on ${state.scene.modalities[brush.input]} at row ${row}, column ${col}`);
  } else {
    return;
  }
  event.preventDefault();
});

// Before the regions, whose last change these keys take back elsewhere.
document.addEventListener("keydown", (event) => {
  const asked = (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "z";
  const owner = ownerOf(event);
  if (!asked || !(owner ? owner.id === PANEL : isOn()) || closest(event, "input[type=number], input[type=text], textarea")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (event.shiftKey) painted.redo();
  else painted.undo();
}, true);
