/* What stays while the pointer moves, drawn once into a canvas off the screen: images, scatterplots, words. */

import { CAPTION } from "./grid.mjs";
import * as images from "./images.mjs";
import { canvasFor } from "./painted-inputs.mjs";
import * as scale from "./scale.mjs";
import * as scatter from "./scatter.mjs";
import { link, state } from "./state.mjs";
import * as tableRegions from "./table-regions.mjs";
import { absence } from "./waiting.mjs";
import { isMap } from "../maps/kinds.mjs";
import { NEAR_POLE } from "../painter/colours.mjs";
import { contextOf } from "../painter/pixels.mjs";
import { lookOf } from "../painter/points.mjs";

/**
 * @import { Area, Context } from "../painter/pixels.mjs"
 * @import { Ends, PlotLook } from "../painter/points.mjs"
 * @import { Picture, Table } from "./layout.mjs"
 * @import { DifferenceRow } from "./difference.mjs"
 *
 * @typedef {object} Look - What all parts of a drawing have in common.
 * @property {number} density
 * @property {Ends[] | null} axes
 * @property {string} ink
 * @property {string} quiet
 * @property {string} ground
 * @property {string} line
 * @property {PlotLook} plot - Of scatterplots.
 */

const FONT = "11px system-ui, sans-serif";

/** @param {string} name */
function inkOf(name) {
  return getComputedStyle(document.body).getPropertyValue(name).trim();
}

/**
 * Write a line into the middle of an area.
 * @param {Context} context
 * @param {string} text
 * @param {Area} area
 * @param {string} ink
 */
export function write(context, text, { left, top, width, height }, ink) {
  context.font = FONT;
  context.fillStyle = ink;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(text, left + width / 2, top + height / 2, width);
}

/**
 * The bitmap of a whole picture in its present colours, null where it is not here yet.
 * @param {Picture} picture
 */
export function bitmapOf(picture) {
  const { scene, kind, index } = picture;
  if (kind === "inputs" && scene.in_colour[index]) return images.bitmap(scene, images.INPUT_COLOURS[index], 0, null, kind);
  if (kind === "rgb") return images.bitmap(scene, kind, 0, null, `${state.display.rgb},${state.display.air}`);
  if (kind === "fused_colour") return images.bitmap(scene, kind, 0, null, kind);
  if (scene.difference && kind !== "inputs") {
    if (!images.get(scene, kind)) return null;
    const { paint, name } = scale.differencePainter(/** @type {DifferenceRow} */ (scene), kind);
    return images.bitmap(scene, kind, index, paint, name);
  }
  const painter = isMap(kind)
    ? scale.mapPainter(scene, kind)
    : kind === "guidance" ? scale.painterFor(scene, state.display.gamma2) : scale.grayPainter(scene, kind);
  return images.bitmap(scene, kind, index, painter.paint, painter.name);
}

/**
 * The marks of pixels near the pole of a method's fusion rule, over its fused image; null where none are shown.
 * @param {Picture} picture
 */
function marksOf({ scene, kind }) {
  if (kind !== "fused" || !link.parts.pole.value || !scene.pole || scene.difference) return null;
  return images.bitmap(scene, "pole", 0, (features) => (features ? NEAR_POLE : 0), "marks");
}

/** @param {Picture} picture */
function ended(picture) {
  const image = images.get(picture.scene, picture.kind);
  return Boolean(image?.complete);
}

/**
 * @param {Context} context
 * @param {Picture} picture
 * @param {Look} look
 */
function drawPicture(context, picture, look) {
  if (picture.kind === "jacobian" || picture.zoom) return;
  if (picture.kind === "scatter") {
    const guidance = images.get(picture.scene, "guidance");
    if (look.axes && guidance && guidance.complete && !picture.scene.difference) {
      scatter.drawStill(context, picture, look.axes, look);
      tableRegions.drawPoints(context, picture, look.axes, look.density);
    } else write(context, absence(picture), picture.box, look.quiet);
    return;
  }
  const bitmap = bitmapOf(picture);
  const { left, top, width, height } = picture.area;
  if (!bitmap) {
    context.fillStyle = look.ground;
    context.fillRect(left, top, width, height);
    write(context, absence(picture), picture.area, look.quiet);
    return;
  }
  context.imageSmoothingEnabled = width < bitmap.width;
  context.drawImage(bitmap, left, top, width, height);
  const above = picture.kind === "inputs" && canvasFor(picture.index);
  if (above) context.drawImage(above, left, top, width, height);
  const marks = marksOf(picture);
  if (marks) context.drawImage(marks, left, top, width, height);
  tableRegions.drawWhole(context, picture, look.density);
  if (!ended(picture)) {
    context.fillStyle = "rgb(0 0 0 / 60%)";
    context.fillRect(left, top + height - 16, width, 16);
    write(context, absence(picture), { left, top: top + height - 16, width, height: 16 }, "#ffffff");
  }
}

/**
 * The captions of the inputs, which stand above no heads of their own.
 * @param {Context} context
 * @param {Picture[]} pictures
 * @param {Look} look
 */
function drawCaptions(context, pictures, look) {
  const common = state.common();
  if (!common) return;
  for (const picture of pictures.filter((one) => one.kind === "inputs")) {
    const words = [
      common.simulated && "simulated", common.in_colour[picture.index] && "colour", picture.index && common.brought,
    ].filter(Boolean);
    const name = common.modalities[picture.index] + (words.length ? ` (${words.join(", ")})` : "");
    const letter = picture.point && state.points().length > 1 ? (picture.point === state.a ? " A" : " B") : "";
    const text = picture.zoom ? `${common.modalities[picture.index]} zoom${letter}` : name;
    write(context, text, { ...picture.box, top: picture.box.top - CAPTION + 2, height: CAPTION }, look.ink);
  }
}

/**
 * Draw everything that stays; gives what the moving parts need to know of it.
 * @param {HTMLCanvasElement} canvas
 * @param {Table} table
 * @param {Picture[]} pictures
 * @param {number} density
 * @returns {Look}
 */
export function draw(canvas, table, pictures, density) {
  canvas.width = Math.round(table.width * density);
  canvas.height = Math.round(table.height * density);
  const context = contextOf(canvas);
  context.setTransform(density, 0, 0, density, 0, 0);
  const look = {
    density,
    axes: scatter.ranges(),
    ink: inkOf("--bs-body-color"),
    quiet: inkOf("--bs-secondary-color"),
    ground: inkOf("--bs-secondary-bg"),
    line: inkOf("--bs-border-color"),
    plot: lookOf(document.documentElement.dataset.bsTheme),
  };
  context.fillStyle = inkOf("--bs-body-bg");
  context.fillRect(0, 0, table.width, table.height);
  context.fillStyle = look.line;
  const [{ label: inputs }, ...methods] = table.rows;
  methods.slice(table.label ? 1 : 0).forEach(({ top }) => context.fillRect(0, top, inputs.left || table.width, 1));
  pictures.forEach((picture) => drawPicture(context, picture, look));
  drawCaptions(context, pictures, look);
  return look;
}
