/* What dragging does on the compare page; box and lasso: from a drag on any picture or scatterplot to a selection of pixels. */

import { begin as paint } from "../change/tool.mjs";
import { closest } from "../core/elements.mjs";
import { redraw } from "./frames.mjs";
import * as images from "./images.mjs";
import * as layout from "./layout.mjs";
import * as scatter from "./scatter.mjs";
import * as status from "./status-line.mjs";
import * as table from "./table.mjs";
import * as regionList from "../regions/list.mjs";
import * as selection from "../regions/selection.mjs";
import * as regions from "../regions/set.mjs";

/**
 * @import { Area } from "../painter/pixels.mjs"
 * @import { Scene } from "./state.mjs"
 *
 * @typedef {object} Places - Where places of the window and pixels of the image lie in the data.
 * @property {(clientX: number, clientY: number) => [number, number]} convert
 * @property {(at: number) => number} xOf
 * @property {(at: number) => number} yOf
 */

let tool = "point";

/**
 * The picture under the pointer, with its part of the window and the part of the image that it shows.
 * @param {PointerEvent} event
 */
function target(event) {
  const canvas = closest(event, ".compare-canvas");
  if (!canvas) return null;
  const picture = table.pictureAt(event.clientX, event.clientY);
  if (!picture) return null;
  const { left, top } = canvas.getBoundingClientRect();
  const area = layout.areaOf(picture);
  const place = { left: left + area.left, top: top + area.top, width: area.width, height: area.height };
  return { picture, place, part: layout.partOf(picture) };
}

/**
 * @param {Scene} scene
 * @param {Area} place
 * @param {{ row: number, col: number, height: number, width: number }} part
 * @returns {Places}
 */
function onImage({ width }, place, part) {
  return {
    convert: (clientX, clientY) => [
      part.col + ((clientX - place.left) / place.width) * part.width - 0.5,
      part.row + ((clientY - place.top) / place.height) * part.height - 0.5,
    ],
    xOf: (at) => at % width,
    yOf: (at) => Math.floor(at / width),
  };
}

/**
 * @param {Scene} scene
 * @param {Area} place
 * @returns {Places | null}
 */
function onScatter(scene, place) {
  const guidance = images.get(scene, "guidance");
  const axes = scatter.ranges();
  if (scene.difference || !axes || !guidance?.complete) return null;
  const [xs, ys] = [0, 1].map(guidance.band);
  const [[x0, x1], [y0, y1]] = axes;
  return {
    convert: (clientX, clientY) => [
      x0 + ((clientX - place.left) / place.width) * (x1 - x0),
      y1 - ((clientY - place.top) / place.height) * (y1 - y0),
    ],
    xOf: (at) => xs[at],
    yOf: (at) => ys[at],
  };
}

document.addEventListener("pointerdown", (event) => {
  if (paint(event) || !["box", "lasso"].includes(tool) || event.button !== 0) return;
  const found = target(event);
  if (!found) return;
  const { scene, kind } = found.picture;
  const data = kind === "scatter" ? onScatter(scene, found.place) : onImage(scene, found.place, found.part);
  if (!data) {
    status.fail(scene.difference
      ? "The difference has no points to select; draw on the scatterplot of a method."
      : "Points can be selected once the guidance images are complete.");
    return;
  }
  selection.start(event, tool, data.convert, (inside, ended) => {
    const selected = selection.maskOf(scene.height * scene.width, inside, data.xOf, data.yOf);
    regions.combine(selected, regions.operationAt(ended), kind === "scatter");
  });
}, true);

/**
 * Whether dragging does this: choose pixels (point), draw a box or a lasso, or paint (brush).
 * @param {string} wanted
 */
export function isTool(wanted) {
  return tool === wanted;
}

/**
 * Let dragging choose pixels, draw boxes or lassos, or paint.
 * @param {string} wanted
 */
export function changeTool(wanted) {
  tool = wanted;
  document.body.dataset.tool = tool;
  /** @type {NodeListOf<HTMLElement>} */
  const buttons = document.querySelectorAll("button[data-tool]");
  buttons.forEach((button) => {
    button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
    button.classList.toggle("active", button.dataset.tool === tool);
  });
}

document.addEventListener("click", (event) => {
  const button = closest(event, "button[data-tool]");
  if (button) changeTool(button.dataset.tool || "point");
});

// The tools are in the panel alone: without it nothing would say that one is on.
document.addEventListener("panel-closed", (event) => {
  if (closest(event, "#region-panel") && tool !== "brush") changeTool("point");
  else if (closest(event, "#change-panel") && tool === "brush") changeTool("point");
});
selection.leaveByEscape(() => tool !== "point", () => changeTool("point"));

let started = false;
regions.listen(() => {
  if (!started) {
    started = true;
    changeTool(tool);
    regionList.start();
  }
  redraw();
});
