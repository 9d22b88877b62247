/*
 * The labels of the rows: titles, notes, a place for the numbers, and buttons that move a row. Rows change places by
 * dragging their heads too, with a mouse or a finger.
 */

import * as difference from "./difference.mjs";
import * as heads from "./heads.mjs";
import * as scale from "./scale.mjs";
import { state } from "./state.mjs";
import * as address from "../core/address.mjs";
import { append } from "../core/elements.mjs";
import { redraw } from "./frames.mjs";

const rows = new Map(); // elements by method; the inputs under ""
let laid = null; // { parts, table }: what the labels stand beside

function button(text, label, parent, act) {
  const element = append("button", "btn btn-outline-secondary compare-move", parent);
  element.type = "button";
  element.textContent = text;
  element.setAttribute("aria-label", label);
  element.title = label;
  element.addEventListener("click", act);
  return element;
}

/** Move a method by one row; the focus stays on its button, or on the other one where there is no further row. */
function shift(id, step) {
  const from = state.methods.indexOf(id);
  const to = from + step;
  if (from < 0 || to < 0 || to >= state.methods.length) return;
  place(id, to);
  const { up, down } = rows.get(id);
  (step < 0 ? [up, down] : [down, up]).find((one) => !one.disabled)?.focus();
}

/** Give a method's row this number among the methods. */
function place(id, to) {
  state.methods.splice(state.methods.indexOf(id), 1);
  state.methods.splice(to, 0, id);
  state.reorder();
  redraw();
  show(laid.parts, laid.table);
  address.later();
}

/** Put a method's row before the one that has this number now, or at the end. */
function insert(id, before) {
  const from = state.methods.indexOf(id);
  const to = before > from ? before - 1 : before;
  if (from >= 0 && to !== from) place(id, to);
}

function makeRow(id, parent) {
  const element = append("div", "compare-row", parent);
  const row = { element };
  const head = append("div", "compare-row-head", element);
  row.title = append("b", "compare-row-title", head);
  if (id && id !== "difference") {
    element.dataset.method = id;
    head.classList.add("movable");
    head.title = "Drag to move this row";
    const group = append("span", "compare-moves", head);
    row.up = button("↑", "", group, () => shift(id, -1));
    row.down = button("↓", "", group, () => shift(id, 1));
  }
  row.note = append("div", "compare-row-note", element);
  row.numbers = append("div", "compare-numbers", element);
  rows.set(id, row);
  return row;
}

function describe(row, title, note) {
  row.title.textContent = title;
  row.note.textContent = note;
  row.note.title = note;
}

function lay({ element }, table, number) {
  const { top, height } = table.rows[number];
  Object.assign(element.style, { top: `${top}px`, height: `${height}px`, width: `${table.label}px` });
}

/** Show the labels of a table. */
export function show(parts, table) {
  laid = { parts, table };
  const subtraction = difference.row();
  const wanted = ["", ...state.methods, ...(subtraction ? [subtraction.method_id] : [])];
  const old = [...parts.rows.children].map((element) => element.dataset.method || "");
  const focused = document.activeElement;
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
    describe(row, scene.method_title, scene.error || (state.display.shared ? "" : `${ownEnds(scene)} · `) + scene.reach);
    row.element.classList.toggle("failed", Boolean(scene.error));
    row.up.disabled = index === 0;
    row.down.disabled = index === state.scenes.length - 1;
    [[row.up, "up"], [row.down, "down"]].forEach(([element, where]) => {
      element.setAttribute("aria-label", `Move ${scene.method_title} ${where}`);
      element.title = `Move ${scene.method_title} ${where}`;
    });
    lay(row, table, index + 1);
  });
  document.getElementById("compare-difference-note").textContent =
    state.difference.length && !subtraction ? "Both methods must be among the rows." : "";
  if (subtraction) showDifference(made[wanted.length - 1], subtraction, table);
}

/** The element for a method's numbers, the inputs' under ""; null before there is one. */
export function numbersOf(id) {
  return (rows.get(id) || {}).numbers || null;
}

/** Where the scales of a row end that has its own. */
function ownEnds(scene) {
  const { number } = heads;
  const { low, high } = scale.grayPainter(scene, "fused");
  return `gradients to ${number(scale.endFor(scene))}, fused ${number(low)} to ${number(high)}`;
}

/** The row of a difference, with the ends of its own scale. */
function showDifference(row, scene, table) {
  const [fused, gradients] = ["fused", "guidance"].map((kind) => heads.number(scale.differenceEnd(scene, kind)));
  row.element.dataset.method = "difference";
  describe(row, scene.method_title, `gradients ±${gradients}, fused ±${fused} · blue: the second is larger`);
  lay(row, table, state.scenes.length + 1);
}

const DRAG_DISTANCE = 4;
const EDGE = 36; // of the table, where it scrolls while a row is held there
const LINE = 4; // its height
const SCROLL = 9; // a frame
let drag = null; // { id, pointer, head, y, startY, moved, to }
let line = null;

/** The lower end of what stays on top while the table scrolls, and that of the table, in the window. */
function limits({ host, head }) {
  const { top, bottom } = host.getBoundingClientRect();
  return { top: Math.max(top, head.getBoundingClientRect().bottom), bottom };
}

/** Before which of the methods' rows a row would be put: as many as have their middles above the pointer. */
function placeAt(y, { body }, table) {
  const inside = y - body.getBoundingClientRect().top;
  return table.rows.slice(1, state.methods.length + 1).filter(({ top, height }) => top + height / 2 < inside).length;
}

/** Show where the held row would be put. */
function showInsertion() {
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
  if (!drag || !drag.moved) return;
  const { parts } = laid;
  const { top, bottom } = limits(parts);
  const before = parts.host.scrollTop;
  if (drag.y < top + EDGE) parts.host.scrollTop -= SCROLL;
  else if (drag.y > bottom - EDGE) parts.host.scrollTop += SCROLL;
  if (before !== parts.host.scrollTop) showInsertion();
  requestAnimationFrame(scroll);
}

function begin() {
  drag.moved = true;
  drag.head.closest(".compare-row").classList.add("dragged");
  document.documentElement.classList.add("row-dragging");
  requestAnimationFrame(scroll);
}

function end() {
  const { moved, head } = drag;
  drag = null;
  head.closest(".compare-row").classList.remove("dragged");
  document.documentElement.classList.remove("row-dragging");
  if (line) line.hidden = true;
  return moved;
}

document.addEventListener("pointerdown", (event) => {
  if (drag || event.button !== 0 || !event.isPrimary || !event.target.closest) return;
  const head = event.target.closest(".compare-row-head.movable");
  if (!head || event.target.closest("button")) return;
  const id = head.closest(".compare-row").dataset.method;
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
["pointercancel", "lostpointercapture"].forEach((kind) => document.addEventListener(kind, (event) => {
  if (drag && drag.pointer === event.pointerId) end();
}));

// Before all others, for whom Escape lets the pinned pixels go.
document.addEventListener("keydown", (event) => {
  if (!drag || event.key !== "Escape") return;
  event.stopPropagation();
  event.preventDefault();
  end();
}, true);
