/*
 * The labels of the rows: titles, notes, a place for the numbers, and buttons that move a row. Rows change places by
 * dragging their heads too, with a mouse or a finger.
 */

import * as difference from "./difference.mjs";
import * as differenceBars from "./difference-bars.mjs";
import * as scale from "./scale.mjs";
import { state } from "./state.mjs";
import { aboutColumn, sign } from "./heads.mjs";
import { append, closest } from "../core/elements.mjs";
import { number as rounded } from "../painter/bars.mjs";
import { redraw } from "./frames.mjs";
import { retryOnServer } from "./waiting.mjs";

/**
 * @import { DifferenceRow } from "./difference.mjs"
 * @import { Table } from "./layout.mjs"
 * @import { Scene } from "./state.mjs"
 *
 * @typedef {object} Parts - The elements of the table.
 * @property {HTMLElement} host
 * @property {HTMLElement} head
 * @property {HTMLElement} body
 * @property {HTMLElement} rows
 *
 * @typedef {object} Row
 * @property {HTMLElement} element
 * @property {HTMLElement} title
 * @property {HTMLElement} note
 * @property {HTMLElement} numbers
 * @property {string} about - What its sign tells.
 * @property {HTMLButtonElement} [up]
 * @property {HTMLButtonElement} [down]
 * @property {HTMLButtonElement} retry
 *
 * @typedef {{ id: string, pointer: number, head: HTMLElement, y: number, startY: number, moved: boolean, to: number }} Drag
 */

/** @type {Map<string, Row>} */
const rows = new Map(); // elements by method; the inputs under ""
/** @type {{ parts: Parts, table: Table } | null} */
let laid = null; // { parts, table }: what the labels stand beside

/**
 * @param {string} text
 * @param {HTMLElement} parent
 * @param {() => void} act
 */
function button(text, parent, act) {
  const element = append("button", "btn btn-outline-secondary compare-move", parent);
  element.type = "button";
  element.textContent = text;
  element.addEventListener("click", act);
  return element;
}

/**
 * Move a method by one row; the focus stays on its button, or on the other one where there is no further row.
 * @param {string} id
 * @param {number} step
 */
function shift(id, step) {
  const from = state.methods.indexOf(id);
  const to = from + step;
  if (from < 0 || to < 0 || to >= state.methods.length) return;
  place(id, to);
  const { up, down } = rows.get(id) || {};
  (step < 0 ? [up, down] : [down, up]).find((one) => one && !one.disabled)?.focus();
}

/**
 * Give a method's row this number among the methods.
 * @param {string} id
 * @param {number} to
 */
function place(id, to) {
  const others = state.methods.filter((one) => one !== id);
  state.methods = [...others.slice(0, to), id, ...others.slice(to)];
  state.reorder();
  redraw();
  if (laid) show(laid.parts, laid.table);
}

/**
 * Put a method's row before the one that has this number now, or at the end.
 * @param {string} id
 * @param {number} before
 */
function insert(id, before) {
  const from = state.methods.indexOf(id);
  const to = before > from ? before - 1 : before;
  if (from >= 0 && to !== from) place(id, to);
}

/**
 * @param {string} id
 * @param {HTMLElement} parent
 * @returns {Row}
 */
function makeRow(id, parent) {
  const element = append("div", "compare-row", parent);
  const head = append("div", "compare-row-head", element);
  const title = append("b", "compare-row-title", head);
  sign(head, id ? "method" : "inputs", () => (id ? [row.about, ""] : aboutColumn("inputs")));
  const moves = {};
  if (id && id !== "difference") {
    element.dataset.method = id;
    head.classList.add("movable");
    head.title = "Drag to move this row";
    const group = append("span", "compare-moves", head);
    Object.assign(moves, { up: button("↑", group, () => shift(id, -1)), down: button("↓", group, () => shift(id, 1)) });
  }
  const note = append("div", "compare-row-note", element);
  const retry = button("Try again", element, retryOnServer);
  const numbers = append("div", "compare-numbers", element);
  /** @type {Row} */
  const row = { element, title, note, numbers, retry, about: "", ...moves };
  rows.set(id, row);
  return row;
}

/**
 * @param {Row} row
 * @param {string} title
 * @param {string} note
 * @param {string} [about] - All that there is to be said; the note, where that is all.
 */
function describe(row, title, note, about = note) {
  row.about = about;
  row.retry.hidden = true;
  row.title.textContent = title;
  row.title.title = title; // a narrow row has no room for all of it
  row.note.textContent = note;
  row.note.title = note;
}

/**
 * @param {Row} row
 * @param {Table} table
 * @param {number} number
 */
function lay({ element }, table, number) {
  const { left, top, width, height } = table.rows[number].label;
  Object.assign(element.style, { left: `${left}px`, top: `${top}px`, height: `${height}px`, width: `${width}px` });
}

/**
 * Name a button that moves a row; it can be pressed where there is another row that way.
 * @param {HTMLButtonElement | undefined} element
 * @param {string} label
 * @param {boolean} possible
 */
function nameMove(element, label, possible) {
  if (!element) return;
  element.disabled = !possible;
  element.setAttribute("aria-label", label);
  element.title = label;
}

/**
 * Show the labels of a table.
 * @param {Parts} parts
 * @param {Table} table
 */
export function show(parts, table) {
  laid = { parts, table };
  const subtraction = difference.row();
  const wanted = ["", ...state.methods, ...(subtraction ? [subtraction.method_id] : [])];
  const old = /** @type {HTMLElement[]} */ ([...parts.rows.children]).map((element) => element.dataset.method || "");
  const focused = /** @type {HTMLElement} */ (document.activeElement);
  const made = wanted.map((id) => rows.get(id) || makeRow(id, parts.rows));
  if (old.join() !== wanted.join()) {
    // In the order of the rows, so that the Tab key goes through them as the eye does.
    parts.rows.replaceChildren(...made.map((row) => row.element));
    if (parts.rows.contains(focused)) focused.focus({ preventScroll: true });
  }
  const common = state.common();
  describe(made[0], "Inputs", common ? common.pair_title : "");
  lay(made[0], table, 0);
  state.scenes.forEach((scene, index) => {
    const row = made[index + 1];
    const ends = state.display.shared ? "" : `${ownEnds(scene)} · `;
    describe(row, scene.method_title, scene.error || `${ends}${reach(scene)}`, scene.error || `${ends}${scene.reach}`);
    row.element.classList.toggle("failed", Boolean(scene.error));
    row.retry.hidden = !scene.error;
    nameMove(row.up, `Move ${scene.method_title} up`, index > 0);
    nameMove(row.down, `Move ${scene.method_title} down`, index < state.scenes.length - 1);
    lay(row, table, index + 1);
  });
  const told = document.getElementById("compare-difference-note");
  if (told) told.textContent = state.difference.length && !subtraction ? "Both methods must be among the rows." : "";
  if (subtraction) showDifference(made[wanted.length - 1], subtraction, table);
}

/**
 * The element for a method's numbers, the inputs' under ""; null before there is one.
 * @param {string} id
 */
export function numbersOf(id) {
  return rows.get(id)?.numbers || null;
}

/**
 * How far a method looks, in a few words.
 * @param {Scene} scene
 */
function reach({ support_radius: radius, modalities }) {
  if (!radius) return "looks at the whole image";
  if (Math.max(...radius) === 0) return "looks at the pixel alone";
  if (radius[0] === radius[1]) return `looks ±${radius[0]} px around a pixel`;
  return `looks ±${radius[0]} px in ${modalities[0]}, ±${radius[1]} px in ${modalities[1]}`;
}

/**
 * Where the scales of a row end that has its own.
 * @param {Scene} scene
 */
function ownEnds(scene) {
  const { low, high } = scale.grayPainter(scene, "fused");
  return `gradients to ${rounded(scale.endFor(scene))}, fused ${rounded(low)} to ${rounded(high)}`;
}

/**
 * The row of a difference, with the ends of its own scale.
 * @param {Row} row
 * @param {DifferenceRow} scene
 * @param {Table} table
 */
function showDifference(row, scene, table) {
  const [fused, gradients] = ["fused", "guidance"].map((kind) => rounded(scale.differenceEnd(scene, kind)));
  row.element.dataset.method = "difference";
  describe(row, scene.method_title, `gradients ±${gradients}, fused ±${fused} · blue: the second is larger`);
  const bars = row.element.querySelector(".compare-difference-bars") || append("div", "compare-difference-bars", row.element);
  differenceBars.show(/** @type {HTMLElement} */ (bars), scene);
  lay(row, table, state.scenes.length + 1);
}

const DRAG_DISTANCE = 4;
const EDGE = 36; // of the table, where it scrolls while a row is held there
const LINE = 4; // its height
const SCROLL = 9; // a frame
/** @type {Drag | null} */
let drag = null; // { id, pointer, head, y, startY, moved, to }
/** @type {HTMLElement | null} */
let line = null;

/**
 * The lower end of what stays on top while the table scrolls, and that of the table, in the window.
 * @param {Parts} parts
 */
function limits({ host, head }) {
  const { top, bottom } = host.getBoundingClientRect();
  return { top: Math.max(top, head.getBoundingClientRect().bottom), bottom };
}

/**
 * Before which of the methods' rows a row would be put: as many as have their middles above the pointer.
 * @param {number} y
 * @param {Parts} parts
 * @param {Table} table
 */
function placeAt(y, { body }, table) {
  const inside = y - body.getBoundingClientRect().top;
  return table.rows.slice(1, state.methods.length + 1).filter(({ top, height }) => top + height / 2 < inside).length;
}

/** Show where the held row would be put. */
function showInsertion() {
  if (!drag || !laid) return;
  const { parts, table } = laid;
  drag.to = placeAt(drag.y, parts, table);
  if (!line || line.parentNode !== parts.body) line = append("div", "compare-insertion", parts.body);
  const above = table.rows[drag.to];
  // Over the border of two rows; the first place is below the columns' heads, the last within the table.
  const top = drag.to ? Math.min(above.top + above.height - LINE / 2, table.height - LINE) : table.rows[1].top;
  Object.assign(line.style, { top: `${top}px`, width: `${table.width}px`, height: `${LINE}px` });
  line.hidden = false;
}

/** Scroll while the pointer rests at an edge. */
function scroll() {
  if (!drag || !drag.moved || !laid) return;
  const { parts } = laid;
  const { top, bottom } = limits(parts);
  const before = parts.host.scrollTop;
  if (drag.y < top + EDGE) parts.host.scrollTop -= SCROLL;
  else if (drag.y > bottom - EDGE) parts.host.scrollTop += SCROLL;
  if (before !== parts.host.scrollTop) showInsertion();
  requestAnimationFrame(scroll);
}

function begin() {
  if (!drag) return;
  drag.moved = true;
  drag.head.closest(".compare-row")?.classList.add("dragged");
  document.documentElement.classList.add("row-dragging");
  requestAnimationFrame(scroll);
}

function end() {
  if (!drag) return false;
  const { moved, head } = drag;
  drag = null;
  head.closest(".compare-row")?.classList.remove("dragged");
  document.documentElement.classList.remove("row-dragging");
  if (line) line.hidden = true;
  return moved;
}

document.addEventListener("pointerdown", (event) => {
  if (drag || event.button !== 0 || !event.isPrimary) return;
  const head = closest(event, ".compare-row-head.movable");
  if (!head || closest(event, "button")) return;
  const id = /** @type {HTMLElement} */ (head.closest(".compare-row")).dataset.method || "";
  drag = { id, pointer: event.pointerId, head, y: event.clientY, startY: event.clientY, moved: false, to: -1 };
  head.setPointerCapture(event.pointerId);
  event.preventDefault(); // no text is selected
});

document.addEventListener("pointermove", (event) => {
  if (!drag || drag.pointer !== event.pointerId) return;
  drag.y = event.clientY;
  if (!drag.moved && Math.abs(drag.y - drag.startY) >= DRAG_DISTANCE) begin();
  if (drag.moved) showInsertion();
});

document.addEventListener("pointerup", (event) => {
  if (!drag || drag.pointer !== event.pointerId) return;
  const { id, to } = drag;
  if (end()) insert(id, to);
});

// Also where the row goes away while it is held.
/** @type {const} */ (["pointercancel", "lostpointercapture"]).forEach((kind) => document.addEventListener(kind, (event) => {
  if (drag && drag.pointer === event.pointerId) end();
}));

// Before all others, for whom Escape lets the pinned pixels go.
document.addEventListener("keydown", (event) => {
  if (!drag || event.key !== "Escape") return;
  event.stopPropagation();
  event.preventDefault();
  end();
}, true);
