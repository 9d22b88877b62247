/* The colour bars below the pictures: one a scale, for all pictures that have it. */

import * as graphs from "./graphs.mjs";
import * as painting from "./paint.mjs";
import { state } from "./state.mjs";
import { drawBar, number } from "../painter/bars.mjs";
import * as colours from "../painter/colours.mjs";

/** @import { Painter } from "../painter/colours.mjs" */

/** @type {Map<string, string>} */
const shown = new Map(); // by the bar's name: what is on it

/**
 * @param {string} name
 * @param {string} content - Of the bar; the same is left as it is.
 * @param {Painter} painter
 * @param {number} low
 * @param {number} high
 * @param {boolean} [known] - Whether these ends are more than a guess.
 */
function show(name, content, painter, low, high, known = true) {
  if (shown.get(name) === content) return;
  const bar = /** @type {HTMLCanvasElement | null} */ (document.querySelector(`[data-bar="${name}"]`));
  if (!bar) return;
  shown.set(name, content);
  drawBar(bar, painter, low, high);
  Object.entries({ low, high }).forEach(([end, value]) => {
    const element = document.querySelector(`[data-end="${name}-${end}"]`);
    if (element) element.textContent = known ? number(value) : "…";
  });
}

/**
 * @param {string} name
 * @param {number} gamma
 * @param {number} end
 * @param {boolean} known
 */
function showGradients(name, gamma, end, known) {
  const { scale } = state.display;
  const low = scale === "signed" ? -end : 0;
  show(name, `${scale},${gamma},${end},${known}`, colours.gradientPainter(scale, gamma, end), low, end, known);
}

/** The grays of the inputs and of the fused image: black to white is 0 to 1, or further where one goes further. */
function showGrays() {
  const images = ["panel-mri", "panel-pet", "panel-fused"].flatMap((panel) => graphs.image(panel) || []);
  const low = Math.min(0, ...images.map((image) => image.low));
  const high = Math.max(1, ...images.map((image) => image.high));
  show("intensity", `${low},${high}`, colours.grayPainter(low, high), low, high);
  /** @type {HTMLElement | null} */
  const label = document.querySelector("[data-scale-name=intensity]");
  const ends = images.map((image) => `${number(image.low)} to ${number(image.high)}`);
  if (label && ends.length === 3) label.title = `Black to white: x1 ${ends[0]}, x2 ${ends[1]}, y ${ends[2]}`;
}

/** Let all bars be those of the pictures as they are now. */
export function refresh() {
  const { gamma1, gamma2 } = state.display;
  showGrays();
  showGradients("guidance", gamma2, state.guidanceEnd(), Boolean(state.limits?.known));
  showGradients("jacobian", gamma1, state.jacobianEnd(), !state.endWait());
}

painting.whenPainted(refresh);
