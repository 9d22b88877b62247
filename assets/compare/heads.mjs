/* The heads of the columns: titles, colour bars and the numbers at their ends. */

import * as scale from "./scale.mjs";
import { state } from "./state.mjs";
import { append } from "../core/elements.mjs";
import { drawBar, number } from "../painter/bars.mjs";

/**
 * @import { Column, Meaning, Table } from "./layout.mjs"
 * @import { Scene } from "./state.mjs"
 */

const UNIT = "dimensionless";

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
  /** @type {Record<string, string>} */
  const equations = { guidance: ` ∂y(i)/∂x${index + 1}(i)`, jacobian: ` ∂y(i)/∂x${index + 1}` };
  return { text: titles[kind], whole: titles[kind] + (equations[kind] || "") };
}

/**
 * The painter of a column and what stands at the ends of its bar.
 * @param {Meaning} column
 * @param {Scene} scene
 */
function legend({ kind }, scene) {
  if (kind === "fused") {
    const gray = scale.grayPainter(scene, "fused");
    // The ends are those of all rows, or each row has its own and says so.
    const ends = state.display.shared ? [number(gray.low), number(gray.high)] : ["lowest", "highest of row"];
    return { paint: gray.paint, low: gray.low, high: gray.high, ends, unit: "intensity" };
  }
  const gamma = kind === "jacobian" ? state.display.gamma1 : state.display.gamma2;
  const { paint: painter, end } = scale.painterFor(scene, gamma);
  const signed = state.display.scale === "signed";
  const low = signed ? -end : 0;
  const ends = state.display.shared ? [number(low), number(end)] : [signed ? "−end" : "0", "end of row"];
  return { paint: painter, low, high: end, ends, unit: UNIT };
}

/** @type {Record<string, string>} */
const WORDS = {
  rgb: "red ∂y/∂x1 · green ∂y/∂x2 · blue y",
  scatter: "dark: all pixels · green: zoom window",
};

/**
 * @param {HTMLElement} element
 * @param {Column} column
 */
function describe(element, column) {
  const title = append("div", "compare-column-title", element);
  const { text, whole } = titleOf(column);
  const scaled = column.kind === "guidance" || column.kind === "jacobian";
  title.textContent = scaled && state.common() && scale.isProvisional() ? `${text} (provisional)` : text;
  title.title = whole;
  const scene = state.common();
  if (!scene) return;
  if (WORDS[column.kind]) {
    const words = append("div", "compare-column-words", element);
    words.textContent = words.title = WORDS[column.kind];
    return;
  }
  const { paint: painter, low, high, ends, unit } = legend(column, scene);
  drawBar(append("canvas", "compare-bar", element), painter, low, high);
  const line = append("div", "compare-bar-ends", element);
  [ends[0], unit, ends[1]].forEach((text) => (append("span", "", line).textContent = text));
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

/**
 * Show the heads of a table.
 * @param {{ head: HTMLElement }} parts
 * @param {Table} table
 */
export function show(parts, table) {
  parts.head.replaceChildren();
  headNumbers(parts.head, table.label);
  const { top, height } = table.head;
  Object.assign(parts.head.style, { width: `${table.width}px`, marginTop: `${top}px`, height: `${height}px` });
  table.columns.forEach((column) => {
    const element = append("div", "compare-column", parts.head);
    element.dataset.column = column.name;
    Object.assign(element.style, { left: `${column.left}px`, width: `${column.width}px` });
    describe(element, column);
  });
}

let shownEnds = "";

/**
 * Show the ends again where they have changed.
 * @param {{ head: HTMLElement }} parts
 * @param {Table} table
 */
export function showEnds({ head }, table) {
  const ends = String(scale.ends().shared);
  if (!state.common() || ends === shownEnds) return;
  shownEnds = ends;
  show({ head }, table);
}
