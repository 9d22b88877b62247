/* Drawing a box or a lasso with the pointer, and what is inside of it. */

import { isForPage } from "../core/dialogs.mjs";

/**
 * @typedef {[number, number]} Corner
 * @typedef {(x: number, y: number) => boolean} Inside
 * @typedef {object} Drawing
 * @property {number} id - Of the pointer.
 * @property {string} kind
 * @property {(clientX: number, clientY: number) => Corner} convert
 * @property {(inside: Inside, event: PointerEvent) => void} done
 * @property {SVGElement} svg
 * @property {SVGElement} path
 * @property {Corner[]} points
 */

const LEAST_PIXELS = 3; // of the screen; less is a click
const SVG = "http://www.w3.org/2000/svg";
/** @type {Drawing | null} */
let drawing = null;

/** @param {Drawing} drawing */
function pathOf({ kind, points }) {
  const [first, last] = [points[0], points[points.length - 1]];
  return kind === "box" ? [first, [last[0], first[1]], last, [first[0], last[1]]] : points;
}

/** @param {Drawing} drawing */
function show(drawing) {
  const corners = pathOf(drawing);
  drawing.path.setAttribute("d", `M${corners.map((corner) => corner.join(",")).join("L")}Z`);
}

/**
 * Begin to draw at a pointerdown. `convert(clientX, clientY)` gives the place in the data, [x, y]; `done(inside, event)`
 * is told at the end, with a function that says whether a place of the data is inside.
 * @param {PointerEvent} event
 * @param {string} kind
 * @param {Drawing["convert"]} convert
 * @param {Drawing["done"]} done
 */
export function start(event, kind, convert, done) {
  finish();
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "selection-path");
  const path = document.createElementNS(SVG, "path");
  svg.append(path);
  document.body.append(svg);
  document.body.classList.add("selecting");
  drawing = { id: event.pointerId, kind, convert, done, svg, path, points: [[event.clientX, event.clientY]] };
  event.preventDefault();
  event.stopPropagation();
}

function finish() {
  if (!drawing) return;
  drawing.svg.remove();
  drawing = null;
  document.body.classList.remove("selecting");
}

/**
 * Whether (x, y) is inside of a polygon, by how often a ray to the right crosses it.
 * @param {Corner[]} corners
 * @returns {Inside}
 */
function insidePolygon(corners) {
  return (x, y) => {
    let inside = false;
    for (let i = 0, j = corners.length - 1; i < corners.length; j = i, i += 1) {
      const [xi, yi] = corners[i];
      const [xj, yj] = corners[j];
      if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
    }
    return inside;
  };
}

/**
 * @param {Corner} one
 * @param {Corner} other
 * @returns {Inside}
 */
function insideBox([x0, y0], [x1, y1]) {
  const [left, right] = [Math.min(x0, x1), Math.max(x0, x1)];
  const [low, high] = [Math.min(y0, y1), Math.max(y0, y1)];
  return (x, y) => x >= left && x <= right && y >= low && y <= high;
}

document.addEventListener("pointermove", (event) => {
  if (!drawing || drawing.id !== event.pointerId) return;
  event.stopPropagation();
  drawing.points.push([event.clientX, event.clientY]);
  show(drawing);
}, true);

// The principal pixel follows this event too.
document.addEventListener("pointerrawupdate", (event) => {
  if (drawing && drawing.id === event.pointerId) event.stopPropagation();
}, true);

document.addEventListener("pointerup", (event) => {
  if (!drawing || drawing.id !== event.pointerId) return;
  event.stopPropagation();
  drawing.points.push([event.clientX, event.clientY]);
  const { kind, points, convert, done } = drawing;
  finish();
  /** @param {number} axis */
  const reach = (axis) => Math.max(...points.map((point) => point[axis])) - Math.min(...points.map((point) => point[axis]));
  if (Math.max(reach(0), reach(1)) < LEAST_PIXELS) return;
  const data = points.map(([x, y]) => convert(x, y));
  done(kind === "box" ? insideBox(data[0], data[data.length - 1]) : insidePolygon(data), event);
}, true);

document.addEventListener("pointercancel", finish, true);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !drawing) return;
  event.stopPropagation();
  finish();
}, true);

/**
 * Let Esc put the tool away while nothing is drawn, before it does anything else: isOn() says whether there is one.
 * @param {() => boolean} isOn
 * @param {() => void} leave
 */
export function leaveByEscape(isOn, leave) {
  // At the body: after the panels, and before the document, where pixels are let go.
  document.body.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !isOn() || !isForPage(event)) return;
    event.stopImmediatePropagation();
    leave();
  });
}

/**
 * The pixels whose place, given by placeOf(index) as [x, y], is inside.
 * @param {number} count
 * @param {Inside} inside
 * @param {(at: number) => number} xOf
 * @param {(at: number) => number} yOf
 */
export function maskOf(count, inside, xOf, yOf) {
  const mask = new Uint8Array(count);
  for (let at = 0; at < count; at += 1) if (inside(xOf(at), yOf(at))) mask[at] = 1;
  return mask;
}
