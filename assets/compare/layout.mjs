/* What the table shows and where: the columns' meanings, the pictures in the cells of the grid, the parts of the image in them. */

import * as difference from "./difference.mjs";
import { PAD, arrange } from "./grid.mjs";
import * as scatter from "./scatter.mjs";
import { state } from "./state.mjs";

/**
 * @import { Area } from "../painter/pixels.mjs"
 * @import { Grid, Place, Shape } from "./grid.mjs"
 * @import { Point, Scene } from "./state.mjs"
 *
 * @typedef {{ kind: string, index: number, zoom: boolean }} Meaning
 * @typedef {Meaning & Place & { name: string }} Column
 * @typedef {Omit<Grid, "columns"> & { columns: Column[] }} Table
 * @typedef {Meaning & { row: number, scene: Scene, point: Point | null, box: Area, area: Area }} Picture
 */

const SCATTER = 1.2; // width over height
const RATIO = { least: 0.5, most: 2.5 }; // of images; longer ones do not fill their cells
const LABEL = { inputs: 60, method: 58, input: 31, line: 16 }; // titles and notes, and what each pixel's numbers take
/** @type {Record<string, number>} */
const PARTS = { mri: 0, pet: 1 };
/** @type {[number, boolean][]} */
const INPUTS = [[0, false], [1, false], [0, true], [1, true]]; // index, zoom

/**
 * What a column shows: { kind, index, zoom }.
 * @param {string} column
 * @returns {Meaning}
 */
export function meaning(column) {
  if (column === "fused_colour") return { kind: column, index: 0, zoom: false };
  const [kind, part, zoom] = column.split("_");
  return { kind: part === "rgb" ? "rgb" : kind, index: PARTS[part] || 0, zoom: zoom === "zoom" };
}

/** Width over height of the images, as far as cells follow it. */
function imageRatio() {
  const { height, width } = state.common() || { height: 1, width: 1 };
  return ratioOf(height, width);
}

/** Height of a pixel by its width. */
const aspect = () => state.common()?.aspect ?? 1;

/**
 * Width over height of a picture of so many rows and columns, as far as cells follow it.
 * @param {number} rows
 * @param {number} columns
 */
function ratioOf(rows, columns) {
  return Math.min(Math.max(columns / (rows * aspect()), RATIO.least), RATIO.most);
}

/**
 * The shape of a picture, and how many of them stand side by side: one for each pixel where they follow it.
 * @param {Meaning} meaning
 * @returns {Shape}
 */
function shapeOf({ kind, zoom }) {
  const ratio = kind === "scatter" ? SCATTER : zoom ? ratioOf(1, 1) : imageRatio();
  return { ratio, beside: kind === "jacobian" || zoom ? Math.max(1, state.points().length) : 1 };
}

/**
 * Lay the table out in a place `width`×`height`: the inputs, and below or beside them a row for each method.
 * @param {number} width
 * @param {number} height
 * @returns {Table}
 */
export function lay(width, height) {
  const meanings = state.columns.map(meaning);
  const several = Math.max(1, state.points().length);
  const grid = arrange({
    width, height,
    methods: difference.rows().length,
    columns: meanings.map(shapeOf),
    inputs: INPUTS.map(([index, zoom]) => shapeOf({ kind: "inputs", index, zoom })),
    ratio: imageRatio(),
    labels: { inputs: LABEL.inputs + several * LABEL.input, method: LABEL.method + several * LABEL.line },
    large: state.display.size === "large",
  });
  return { ...grid, columns: grid.columns.map((place, index) => ({ name: state.columns[index], ...place, ...meanings[index] })) };
}

/**
 * The largest picture of so many rows and columns in a box, centred.
 * @param {Area} box
 * @param {number} rows
 * @param {number} width
 * @returns {Area}
 */
function fitted(box, rows, width) {
  const height = rows * aspect();
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
 * The cell of a column in a row.
 * @param {Table} table
 * @param {number} row
 * @param {Place} column
 * @returns {Area}
 */
export function cellOf(table, row, { left, width, down }) {
  return { left, top: table.rows[row].top + down, width, height: table.cell };
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
  INPUTS.forEach(([index, zoom], number) => add(table.inputs[number], { row: 0, scene: common, kind: "inputs", index, zoom }));
  difference.rows().forEach((scene, number) => {
    table.columns.forEach((column) => {
      const { kind, index, zoom } = column;
      add(cellOf(table, number + 1, column), { row: number + 1, scene, kind, index, zoom });
    });
  });
  return found.filter((one) => !one.scene.error);
}

/**
 * How wide a full picture of a method is; where none is shown, how wide it would be.
 * @param {Table} table
 * @param {Picture[]} shown
 */
export function pictureWidth({ side, cell, label, width }, shown) {
  const full = shown.find(({ row, zoom, kind }) => row && !zoom && kind !== "scatter");
  if (full) return full.area.width;
  const common = state.common();
  if (!common) return 0;
  return fitted({ left: 0, top: 0, width: Math.min(Math.ceil(imageRatio() * side) + 2 * PAD, width - label), height: cell }, common.height, common.width).width;
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
