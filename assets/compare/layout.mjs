/* Where everything stands: rows, columns and the pictures in their cells, in CSS pixels. Pure geometry. */

import * as difference from "./difference.mjs";
import * as scatter from "./scatter.mjs";
import { state } from "./state.mjs";

/**
 * @import { Area } from "../painter/pixels.mjs"
 * @import { Point, Scene } from "./state.mjs"
 *
 * @typedef {{ kind: string, index: number, zoom: boolean }} Meaning
 * @typedef {Meaning & { name: string, left: number, width: number }} Column
 *
 * @typedef {object} Table
 * @property {number} width
 * @property {number} height
 * @property {{ top: number, height: number }} head
 * @property {number} label
 * @property {{ top: number, height: number }[]} rows
 * @property {Column[]} columns
 *
 * @typedef {Meaning & { row: number, scene: Scene, point: Point | null, box: Area, area: Area }} Picture
 * @typedef {{ ratio: number, beside: number }} Proportions - Width over height, and how many stand side by side.
 * @typedef {{ least: number, most: number }} Bounds
 */

const LABEL = { least: 272, most: 380 };
const HEAD = 46; // the columns' heads stand between the inputs and the methods
const ROW = { least: 116, most: 420 };
const PAD = 4;
export const CAPTION = 15;
const STRETCH = 1.4;
const SCATTER = 1.35; // width over height
const RATIO = { least: 0.5, most: 2.5 }; // of images; longer ones do not fill their cells
/** @type {Record<string, number>} */
const PARTS = { mri: 0, pet: 1 };

/**
 * What a column shows: { kind, index, zoom }.
 * @param {string} column
 * @returns {Meaning}
 */
export function meaning(column) {
  const [kind, part, zoom] = column.split("_");
  return { kind: part === "rgb" ? "rgb" : kind, index: PARTS[part] || 0, zoom: zoom === "zoom" };
}

/**
 * Height and width of what a picture of the column shows, and how many stand side by side.
 * @param {string} column
 * @param {boolean} several
 * @returns {Proportions}
 */
function shapeOf(column, several) {
  const { kind, zoom } = meaning(column);
  const { height, width } = zoom ? { height: 1, width: 1 } : state.common() || { height: 1, width: 1 };
  const ratio = kind === "scatter" ? SCATTER : Math.min(Math.max(width / height, RATIO.least), RATIO.most);
  return { ratio, beside: kind === "jacobian" && several ? 2 : 1 };
}

/**
 * The width that a column asks for in rows of this height.
 * @param {Proportions} shape
 * @param {number} row
 */
function wants({ ratio, beside }, row) {
  return beside * ratio * (row + 2 * PAD) + (beside - 1) * PAD;
}

/**
 * The height that a column of this width can fill.
 * @param {Proportions} shape
 * @param {number} width
 */
function fills({ ratio, beside }, width) {
  return (width / beside - 2 * PAD) / ratio + 2 * PAD;
}

/**
 * Widths of the columns: as much as the rows' height asks for, less or somewhat more as the place allows.
 * @param {number[]} asked
 * @param {number} place
 */
function spread(asked, place) {
  const total = asked.reduce((sum, width) => sum + width, 0);
  const factor = total ? Math.min(STRETCH, place / total) : 1;
  return asked.map((width) => Math.floor(width * factor));
}

/**
 * @param {number} value
 * @param {Bounds} bounds
 */
function within(value, { least, most }) {
  return Math.min(Math.max(value, least), most);
}

/**
 * Lay the table out in a place `width`×`height`: the first row has the inputs, the others a method each.
 * Gives { width, height, head, label, rows: [{ top, height }], columns: [{ name, left, width }] }.
 * @param {number} width
 * @param {number} height
 * @returns {Table}
 */
export function lay(width, height) {
  const several = state.points().length > 1;
  const methods = difference.rows().length;
  const place = width - LABEL.least;
  const large = state.display.size === "large";
  const wanted = large ? place / Math.max(state.columns.length, 4) : (height - HEAD) / (methods + 1);
  const asked = Math.floor(within(wanted, ROW));
  const shapes = state.columns.map((column) => shapeOf(column, several));
  const widths = spread(shapes.map((shape) => wants(shape, asked)), place);
  // Many columns are narrower than their rows are high: lower rows show the same pictures.
  const filled = Math.max(0, ...shapes.map((shape, index) => fills(shape, widths[index])));
  const row = Math.ceil(within(filled || asked, { least: ROW.least, most: asked }));
  const used = widths.reduce((sum, one) => sum + one, 0);
  const label = within(width - used, LABEL);
  const left = height - HEAD - methods * row; // what the methods leave the inputs
  const first = large ? row : Math.floor(within(left, { least: row, most: Math.max(row, inputsFill(width - label)) }));
  let across = label;
  const placed = state.columns.map((name, index) => {
    const column = { name, left: across, width: widths[index], ...meaning(name) };
    across += widths[index];
    return column;
  });
  const rows = [{ top: 0, height: first }];
  for (let index = 0; index < methods; index += 1) rows.push({ top: first + HEAD + index * row, height: row });
  return { width, height: first + HEAD + methods * row, head: { top: first, height: HEAD }, label, rows, columns: placed };
}

/**
 * The largest picture of height×width in a box, centred.
 * @param {Area} box
 * @param {number} height
 * @param {number} width
 * @returns {Area}
 */
function fitted(box, height, width) {
  const factor = Math.min((box.width - 2 * PAD) / width, (box.height - 2 * PAD) / height);
  const across = Math.max(1, Math.floor(width * factor));
  const down = Math.max(1, Math.floor(height * factor));
  return {
    left: Math.round(box.left + (box.width - across) / 2),
    top: Math.round(box.top + (box.height - down) / 2),
    width: across,
    height: down,
  };
}

/**
 * The boxes of both pixels, side by side; one where only one is shown.
 * @param {Area} box
 * @param {number} count
 * @returns {Area[]}
 */
function halves(box, count) {
  const width = box.width / count;
  return Array.from({ length: count }, (_, index) => ({ ...box, left: box.left + index * width, width }));
}

/**
 * All pictures of the table: { row, scene, kind, index, zoom, point, box, area }, scatterplots with their cell as area.
 * @param {Table} table
 */
export function pictures(table) {
  const common = state.common();
  if (!common) return [];
  const { height, width } = common;
  const side = 2 * state.half() + 1;
  const points = state.points();
  /** @type {Picture[]} */
  const found = [];
  /** @type {(box: Area, what: Meaning & { row: number, scene: Scene }) => void} */
  const add = (box, what) => {
    const moving = what.kind === "jacobian" || what.zoom;
    const shown = moving ? points : [null];
    halves(box, shown.length).forEach((part, number) => {
      const [down, across] = what.zoom ? [side, side] : [height, width];
      const area = what.kind === "scatter" ? part : fitted(part, down, across);
      found.push({ ...what, point: shown[number], box: part, area });
    });
  };
  inputBoxes(table).forEach((box) => add(box, { row: 0, scene: common, kind: "inputs", ...box.what }));
  difference.rows().forEach((scene, number) => {
    const row = table.rows[number + 1];
    table.columns.forEach(({ left, width: across, kind, index, zoom }) => {
      add({ left, top: row.top, width: across, height: row.height }, { row: number + 1, scene, kind, index, zoom });
    });
  });
  return found.filter((one) => !one.scene.error);
}

/** @type {[number, boolean][]} */
const INPUTS = [[0, false], [1, false], [0, true], [1, true]]; // index, zoom
const BESIDE = 6 * PAD;

/**
 * Widths of the inputs' cells where pictures are so high: whole ones and zooms, one for each pixel.
 * @param {number} side
 */
function inputWidths(side) {
  const whole = shapeOf("inputs", false).ratio;
  const zooms = Math.max(1, state.points().length);
  return INPUTS.map(([, zoom]) => (zoom ? zooms : whole) * side + BESIDE);
}

/**
 * How high a row of inputs can be before it is too wide for its place.
 * @param {number} place
 */
function inputsFill(place) {
  const beside = inputWidths(0).reduce((sum, width) => sum + width, 0);
  const each = inputWidths(1).reduce((sum, width) => sum + width, 0) - beside;
  return Math.min(ROW.most, (place - beside) / each + CAPTION);
}

/**
 * The inputs stand above the columns, whole first, with room for a caption, and in the table's width.
 * @param {Table} table
 */
function inputBoxes(table) {
  const { top, height } = table.rows[0];
  const side = height - CAPTION;
  const asked = inputWidths(side);
  const factor = Math.min(1, (table.width - table.label) / asked.reduce((sum, width) => sum + width, 0));
  let left = table.label;
  return INPUTS.map(([index, zoom], number) => {
    const width = factor * asked[number];
    const box = { left, top: top + CAPTION, width, height: side, what: { index, zoom } };
    left += width;
    return box;
  });
}

/**
 * Where a picture has pixels or points of the image: of a scatterplot the part between its axes.
 * @param {Picture} picture
 * @returns {Area}
 */
export function areaOf(picture) {
  return picture.kind === "scatter" ? scatter.plot(picture.box) : picture.area;
}

/**
 * The part of the image that a picture shows: its first row and column, which may be outside of it, and its size.
 * @param {Pick<Picture, "scene" | "zoom" | "point">} picture
 */
export function partOf(picture) {
  const { height, width } = picture.scene;
  if (!picture.zoom) return { row: 0, col: 0, height, width };
  const half = state.half();
  const { row, col } = state.centreOf(/** @type {Point} */ (picture.point));
  return { row: row - half, col: col - half, height: 2 * half + 1, width: 2 * half + 1 };
}
