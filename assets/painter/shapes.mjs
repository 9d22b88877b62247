/* What is drawn over pictures: boxes around pixels. A picture's area is its place on the canvas, `unit` the size of a pixel there. */

/**
 * @import { Area, Context } from "./pixels.mjs"
 * @typedef {{ row: number, col: number }} Pixel
 * @typedef {{ across: number, down: number }} Unit
 */

const LINE = 1.5;
const EDGE = 1; // around it, so that it is seen on every colour

/** By how much lines over pictures are thicker: for a room (core/projector.mjs). */
function thickness() {
  return globalThis.document?.documentElement.dataset?.projector ? 2.5 : 1;
}

/**
 * The size of a pixel in a picture of `width`×`height` pixels. Square ones stay so whatever was rounded.
 * @param {Area} area
 * @param {{ width: number, height: number }} part
 * @param {number} aspect - Height of a pixel by its width.
 * @returns {Unit}
 */
export function unitOf(area, { width, height }, aspect) {
  const across = area.width / width;
  return { across, down: aspect === 1 ? across : area.height / height };
}

/**
 * Draw only inside of an area.
 * @param {Context} context
 * @param {Area} area
 * @param {() => void} draw
 */
export function clipped(context, area, draw) {
  context.save();
  context.beginPath();
  context.rect(area.left, area.top, area.width, area.height);
  context.clip();
  draw();
  context.restore();
}

/**
 * Draw a box with a white edge of (2·reach + 1)² pixels around a pixel, which is counted from the upper left one of the picture.
 * @param {Context} context
 * @param {Area} area
 * @param {Unit} unit
 * @param {Pixel} pixel
 * @param {number} reach
 * @param {string} colour
 */
export function box(context, area, { across, down }, pixel, reach, colour) {
  const [wide, high] = [across, down].map((side) => Math.max((2 * reach + 1) * side, 3));
  const x = area.left + (pixel.col + 0.5) * across - wide / 2;
  const y = area.top + (pixel.row + 0.5) * down - high / 2;
  clipped(context, area, () => {
    // Around the pixels, whose own colours are what one wants to see.
    const [line, edge] = [LINE, EDGE].map((width) => width * thickness());
    context.lineWidth = edge;
    context.strokeStyle = "#ffffff";
    const out = line + edge / 2;
    context.strokeRect(x - out, y - out, wide + 2 * out, high + 2 * out);
    context.lineWidth = line;
    context.strokeStyle = colour;
    context.strokeRect(x - line / 2, y - line / 2, wide + line, high + line);
  });
}

/**
 * Draw a canvas whose upper left corner is the image's pixel (row, col), in a picture that begins at `origin`; pixels stay sharp.
 * @param {Context} context
 * @param {Area} area
 * @param {Unit} unit
 * @param {Pixel} origin
 * @param {HTMLCanvasElement} picture
 * @param {Pixel} place
 */
export function placePicture(context, area, { across, down }, origin, picture, { row, col }) {
  context.imageSmoothingEnabled = false;
  context.drawImage(
    picture, area.left + (col - origin.col) * across, area.top + (row - origin.row) * down,
    picture.width * across, picture.height * down);
}
