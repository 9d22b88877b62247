/* The painted inputs and the fused image that comes of them, over the pictures of what they were. */

import * as change from "./change.mjs";
import * as graphs from "./graphs.mjs";
import * as overlays from "./overlays.mjs";
import { state } from "./state.mjs";
import * as colours from "../painter/colours.mjs";
import { contextOf, fill, ofValues, put } from "../painter/pixels.mjs";

/** @import { Rows } from "./graphs.mjs" */

const FUSED = "panel-fused";
let waiting = false;

/**
 * The canvas of a panel for what has changed; it lies over the picture and below regions.
 * @param {string} panel
 * @param {number} width
 * @param {number} height
 */
function canvasOf(panel, width, height) {
  const one = overlays.placed(panel);
  if (!one) return null;
  /** @type {HTMLCanvasElement | null} */
  let canvas = one.element.querySelector(".change-canvas");
  if (!canvas) {
    canvas = Object.assign(document.createElement("canvas"), { className: "change-canvas" });
    one.canvas.before(canvas);
  }
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const { x, y } = one.area;
  const across = one.area.width / (x[1] - x[0]);
  const down = one.area.height / (y[0] - y[1]);
  Object.assign(canvas.style, {
    left: `${(-0.5 - x[0]) * across}px`, top: `${(-0.5 - y[1]) * down}px`, width: `${width * across}px`, height: `${height * down}px`,
  });
  return canvas;
}

/**
 * Show values in the grays of the picture that they lie over; nothing where there are none.
 * @param {string} panel
 * @param {ArrayLike<number> | null} values
 * @param {Rows | null} image
 */
function draw(panel, values, image) {
  const { scene } = state;
  const section = overlays.overlay(panel)?.section;
  const shown = Boolean(values && image && scene);
  if (section) section.dataset.changed = String(shown);
  const canvas = scene && canvasOf(panel, scene.width, scene.height);
  if (!canvas) return;
  canvas.hidden = !shown;
  if (!values || !image || !scene) return;
  const { width, height } = scene;
  const colour = ofValues(values, width, colours.grayPainter(image.low, image.high));
  put(contextOf(canvas), { left: 0, top: 0, width, height }, (pixels) => fill(pixels, width, height, colour));
}

function drawAll() {
  waiting = false;
  const inputs = change.changedInputs();
  change.INPUTS.forEach((panel, index) => draw(panel, inputs && inputs[index], graphs.image(panel)));
  const fused = graphs.image(FUSED);
  const { truth } = change.responses();
  const values = inputs && fused && fused.rows.length * fused.rows[0].length === truth.length ? truth.slice() : null;
  if (values && fused) fused.rows.forEach((row, at) => row.forEach((value, col) => (values[at * row.length + col] += value)));
  draw(FUSED, values, fused);
}

/** Draw all at the next frame. */
function drawSoon() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(drawAll);
}

change.listen(drawSoon);
graphs.listen({ drawn: (panel) => [...change.INPUTS, FUSED].includes(panel) && drawSoon(), relayout: drawSoon });
window.addEventListener("resize", drawSoon);
