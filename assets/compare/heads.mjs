/*
 * What the pictures are called, above their columns or above each of them; and the "?" beside titles, which says what a picture
 * or a row is in a box that stands near it until something else is meant.
 */

import { CAPTION } from "./grid.mjs";
import { cellOf } from "./layout.mjs";
import { state } from "./state.mjs";
import { addLarge } from "../core/dialogs.mjs";
import { append, closest, element } from "../core/elements.mjs";
import { withNames } from "../core/words.mjs";
import { TITLES, isMap } from "../maps/kinds.mjs";

/**
 * @import { Area } from "../painter/pixels.mjs"
 * @import { Meaning, Table } from "./layout.mjs"
 *
 * @typedef {{ head: HTMLElement, captions: HTMLElement }} Holders
 * @typedef {[string, string]} About - Sentences, and an equation or nothing.
 */

const NEAR = 4; // pixels between a sign and its box
const SIGN = ".compare-sign";
/** @type {HTMLElement | null} */
let box = null;
/** @type {HTMLElement | null} */
let opened = null; // the sign whose box is open
/** @type {WeakMap<Element, () => About>} */
const words = new WeakMap();

/**
 * Append a sign that opens what tell() gives.
 * @param {HTMLElement} parent
 * @param {string} name - Of what it explains.
 * @param {() => About} tell
 */
export function sign(parent, name, tell) {
  const button = append("button", SIGN.slice(1), parent);
  Object.assign(button, { type: "button", textContent: "?", title: "What this is" });
  button.setAttribute("aria-label", `What this is: ${name}`);
  button.setAttribute("aria-expanded", "false");
  words.set(button, tell);
}

/**
 * What the layout says of a column or of the inputs, with the names of this pair.
 * @param {string} column
 * @returns {About}
 */
export function aboutColumn(column) {
  const known = state.facts().about[column] || ["", ""];
  const names = state.common()?.modalities || ["x1", "x2"];
  return [withNames(known[0], names), withNames(known[1], names)];
}

function close() {
  opened?.setAttribute("aria-expanded", "false");
  opened = null;
  if (box) box.hidden = true;
}

/** @param {HTMLElement} button */
function open(button) {
  const [sentences, equation] = words.get(button)?.() || ["", ""];
  if (!box) {
    // It is read aloud when it opens.
    box = element("div", { className: "compare-about", role: "status" });
    document.body.append(box);
  }
  box.replaceChildren(element("p", {}, sentences));
  if (equation) append("p", "compare-about-equation", box).textContent = equation;
  box.hidden = false;
  opened = button;
  button.setAttribute("aria-expanded", "true");
  const at = button.getBoundingClientRect();
  const left = Math.max(NEAR, Math.min(at.left, window.innerWidth - box.offsetWidth - NEAR));
  const below = at.bottom + NEAR + box.offsetHeight <= window.innerHeight;
  const top = Math.max(NEAR, below ? at.bottom + NEAR : at.top - NEAR - box.offsetHeight);
  Object.assign(box.style, { left: `${left}px`, top: `${top}px` });
}

document.addEventListener("click", (event) => {
  const button = closest(event, SIGN);
  const same = button === opened;
  if (opened && !closest(event, ".compare-about")) close();
  if (button && !same) open(button);
});
document.addEventListener("scroll", () => opened && close(), true);
addLarge(".compare-about:not([hidden])", close);

/** @param {Meaning} column */
function titleOf({ kind, index, zoom }) {
  const name = (state.common() || { modalities: ["x1", "x2"] }).modalities[index];
  /** @type {Record<string, string>} */
  const titles = {
    fused: "Fused y",
    fused_colour: "Fused in colour",
    guidance: `Guidance ${name}`,
    rgb: "Guidance RGB",
    jacobian: zoom ? `Jacobian ${name}, zoom` : `Jacobian ${name}`,
    scatter: "Guidance scatterplot",
  };
  return isMap(kind) ? `${TITLES[kind]} ${name}` : titles[kind];
}

/**
 * Write the title of a picture, with what explains it.
 * @param {HTMLElement} parent
 * @param {Meaning & { name: string }} column
 * @param {Area} place
 * @param {boolean} explained
 */
function write(parent, column, { left, top, width, height }, explained) {
  const head = append("div", "compare-column", parent);
  head.dataset.column = column.name;
  Object.assign(head.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
  const title = append("span", "compare-column-title", head);
  title.textContent = title.title = titleOf(column);
  if (explained) sign(head, titleOf(column), () => aboutColumn(column.name));
}

/**
 * The head of the numbers in the rows' labels.
 * @param {HTMLElement} head
 * @param {number} width
 */
function headNumbers(head, width) {
  const scene = state.common();
  if (!scene) return;
  const line = append("div", "compare-line compare-line-head", head);
  line.style.width = `${width}px`;
  const [first, second] = scene.modalities;
  for (const [symbol, name] of [["", ""], ["y", ""], ["∂y/∂", first], ["∂y/∂", second]]) {
    const part = append("span", "compare-part", line);
    part.title = `${symbol}${name}`;
    // A name that has no room beside the symbol stands below it.
    if (name) part.append(symbol, document.createElement("wbr"), name);
    else part.textContent = symbol;
  }
}

let shown = "";

/**
 * Show the titles of a table: in the columns' heads, which stay while it scrolls, or above each picture.
 * @param {Holders} parts
 * @param {Table} table
 */
export function show({ head, captions }, table) {
  // Where nothing has changed the elements stay, and with them the focus.
  const name = JSON.stringify([table.columns, table.rows, table.head, table.label, state.common()?.modalities]);
  if (name === shown) return;
  shown = name;
  head.replaceChildren();
  captions.replaceChildren();
  headNumbers(head, table.label);
  const { top, height } = table.head;
  head.hidden = table.captions;
  Object.assign(head.style, { width: `${table.rows[0].label.left || table.width}px`, marginTop: `${top}px`, height: `${height}px` });
  for (const column of table.columns) {
    if (!table.captions) write(head, column, { ...column, top: 0, height }, true);
    else {
      table.rows.slice(1).forEach((_, index) => {
        const cell = cellOf(table, index + 1, column);
        write(captions, column, { ...cell, top: cell.top - CAPTION, height: CAPTION }, index === 0);
      });
    }
  }
}
