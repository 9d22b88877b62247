/* What the pictures are called, above their columns or above each of them, and the colour bars of the strip. */

import { CAPTION } from "./grid.mjs";
import { cellOf } from "./layout.mjs";
import * as scale from "./scale.mjs";
import { state } from "./state.mjs";
import { append } from "../core/elements.mjs";
import { drawBar, number } from "../painter/bars.mjs";

/**
 * @import { Painter } from "../painter/colours.mjs"
 * @import { Area } from "../painter/pixels.mjs"
 * @import { Meaning, Table } from "./layout.mjs"
 * @import { Scene } from "./state.mjs"
 *
 * @typedef {{ head: HTMLElement, captions: HTMLElement }} Holders
 * @typedef {{ paint: Painter, low: number, high: number, ends: string[] }} Legend
 */

/** @param {Meaning} column */
function titleOf({ kind, index, zoom }) {
  const name = (state.common() || { modalities: ["x1", "x2"] }).modalities[index];
  /** @type {Record<string, string>} */
  const titles = {
    fused: "Fused y",
    guidance: `Guidance ${name}`,
    rgb: "Guidance RGB",
    jacobian: zoom ? `Jacobian ${name}, zoom` : `Jacobian ${name}`,
    scatter: "Guidance scatterplot",
  };
  return titles[kind];
}

/**
 * Write the title of a picture, with what explains it.
 * @param {HTMLElement} parent
 * @param {Meaning & { name: string }} column
 * @param {Area} place
 */
function write(parent, column, { left, top, width, height }) {
  const element = append("div", "compare-column", parent);
  element.dataset.column = column.name;
  Object.assign(element.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
  const title = append("span", "compare-column-title", element);
  title.textContent = title.title = titleOf(column);
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
  ["", "y", `∂y/∂${first}`, `∂y/∂${second}`].forEach((text) => (append("span", "compare-part", line).textContent = text));
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
  Object.assign(head.style, { width: `${table.width}px`, marginTop: `${top}px`, height: `${height}px` });
  for (const column of table.columns) {
    if (!table.captions) write(head, column, { ...column, top: 0, height });
    else {
      table.rows.slice(1).forEach((_, index) => {
        const cell = cellOf(table, index + 1, column);
        write(captions, column, { ...cell, top: cell.top - CAPTION, height: CAPTION });
      });
    }
  }
}

/**
 * The painter of a bar and what stands at its ends: those of all rows, or words where each row has its own.
 * @param {string} bar
 * @param {Scene} scene
 * @returns {Legend}
 */
function legend(bar, scene) {
  const { display } = state;
  if (bar === "intensity") {
    const { paint, low, high } = scale.grayPainter(scene, "fused");
    return { paint, low, high, ends: display.shared ? [number(low), number(high)] : ["lowest", "highest of row"] };
  }
  const { paint, end } = scale.painterFor(scene, bar === "jacobian" ? display.gamma1 : display.gamma2);
  const signed = display.scale === "signed";
  const low = signed ? -end : 0;
  const ends = display.shared ? [number(low), number(end)] : [signed ? "−end" : "0", "end of row"];
  return { paint, low, high: end, ends };
}

let shownBars = "";

/** Draw the colour bars of the strip where their colours or ends have changed. */
export function showBars() {
  const scene = state.common();
  if (!scene) return;
  const provisional = scale.isProvisional();
  const { gamma1, gamma2, scale: colours, shared } = state.display;
  const gray = scale.grayPainter(scene, "fused");
  const name = [gamma1, gamma2, colours, shared, scale.endFor(scene), gray.name, provisional].join();
  if (name === shownBars) return;
  shownBars = name;
  /** @type {NodeListOf<HTMLCanvasElement>} */
  const bars = document.querySelectorAll("canvas[data-bar]");
  for (const canvas of bars) {
    const bar = canvas.dataset.bar || "";
    const { paint, low, high, ends } = legend(bar, scene);
    drawBar(canvas, paint, low, high);
    ["low", "high"].forEach((end, index) => {
      const element = document.querySelector(`[data-end="${bar}-${end}"]`);
      if (element) element.textContent = ends[index];
    });
    canvas.parentElement?.classList.toggle("provisional", provisional && bar !== "intensity");
  }
}
