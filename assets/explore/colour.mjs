/*
 * Colour pictures: inputs in their colours and the fused image with their chroma, in the place of the lumas that the method gets and
 * makes. Plotly has both, the luma's heatmap over the colours and transparent where these are seen; zooms get theirs here.
 */

import * as graphs from "./graphs.mjs";
import * as handover from "./handover.mjs";
import * as overlays from "./overlays.mjs";
import * as painting from "./paint.mjs";
import { link, state } from "./state.mjs";
import { closest } from "../core/elements.mjs";
import { contextOf } from "../painter/pixels.mjs";

const FUSED = "panel-fused";
const PANELS = ["panel-mri", "panel-pet", FUSED];
const SQUARE = [["#ffffff", 4], ["#ff2a2a", 2]]; // around the principal pixel, as app/figures/images.py draws it below
/** @type {Set<string>} */
const lumas = new Set(); // inputs of which the luma is shown
/** @type {Map<string, { source: string, image: HTMLImageElement, ready: boolean }>} */
const pictures = new Map(); // by panel
/** @type {boolean[] | null} */
let opened = null;

/**
 * The colours of a panel, as its graph has them; null where it has none of this pair.
 * @param {string} panel
 * @returns {string | null}
 */
function sourceOf(panel) {
  const { pair } = graphs.meta(panel);
  const trace = graphs.graph(panel)?.data?.[1];
  return state.scene && pair === state.scene.pair && trace?.type === "image" ? trace.source : null;
}

/**
 * Whether a panel shows colours.
 * @param {string} panel
 */
export function inColour(panel) {
  return sourceOf(panel) !== null && (panel === FUSED ? link.parts.colour.value : !lumas.has(panel));
}

/**
 * Have the colours of a panel ready for its zoom.
 * @param {string} panel
 * @param {string} source
 */
function load(panel, source) {
  if (pictures.get(panel)?.source === source) return;
  const picture = { source, image: new Image(), ready: false };
  pictures.set(panel, picture);
  picture.image.src = source;
  picture.image.decode().then(() => {
    picture.ready = true;
    drawZoom(panel);
  }, () => {}); // The luma stays.
}

/**
 * Let a panel and its zoom show what is chosen.
 * @param {string} panel
 */
function apply(panel) {
  const graph = graphs.graph(panel);
  const source = sourceOf(panel);
  const shown = inColour(panel);
  const button = /** @type {HTMLElement | null} */ (document.querySelector(`.panel-look[data-panel="${panel}"]`));
  if (button) {
    button.hidden = source === null;
    button.setAttribute("aria-pressed", String(shown));
  }
  if (graph && source !== null) {
    load(panel, source);
    const opacity = shown ? 0 : 1;
    const titles = graphs.meta(panel).titles;
    if (titles && (graph.data[0].opacity ?? 1) !== opacity) {
      window.Plotly.update(graph, { opacity: [opacity] }, { "title.text": titles[Number(shown)] }, [0]);
    }
  }
  drawZoom(panel);
}

/**
 * The part of a zoom's axes that is seen: its graph's, or all of them while that shows another pixel or half-width.
 * @param {string} zoom
 * @param {overlays.Placed} one
 */
function rangesOf(zoom, { area }) {
  const reach = state.display.half + 0.5;
  return handover.contentOf(zoom) === state.contentName() ? { x: area.x, y: area.y } : { x: [-reach, reach], y: [reach, -reach] };
}

/** @param {string} panel */
function drawZoom(panel) {
  const zoom = `${panel}-zoom`;
  const one = overlays.placed(zoom);
  const [picture, shown] = [pictures.get(panel), state.window];
  /** @type {HTMLCanvasElement | null} */
  let canvas = overlays.overlay(zoom)?.element.querySelector(".colour-canvas") || null;
  const visible = inColour(panel) && Boolean(picture?.ready && one && shown && shown.key === state.scene?.key);
  if (canvas) canvas.hidden = !visible;
  if (!visible || !one || !picture || !shown) return;
  canvas = canvas || Object.assign(document.createElement("canvas"), { className: "colour-canvas" });
  // Regions lie over it.
  if (one.canvas.nextElementSibling !== canvas) one.canvas.after(canvas);
  const [width, height] = [one.area.width, one.area.height].map((side) => Math.round(side * (window.devicePixelRatio || 1)));
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const { x, y } = rangesOf(zoom, one);
  const [across, down] = [width / (x[1] - x[0]), height / (y[0] - y[1])];
  const context = contextOf(canvas);
  context.clearRect(0, 0, width, height);
  context.imageSmoothingEnabled = false;
  const [left, top] = [shown.col + x[0] + 0.5, shown.row + y[1] + 0.5];
  context.drawImage(picture.image, left, top, x[1] - x[0], y[0] - y[1], 0, 0, width, height);
  for (const [colour, line] of SQUARE) {
    Object.assign(context, { strokeStyle: colour, lineWidth: Number(line) * (window.devicePixelRatio || 1) });
    context.strokeRect((-0.5 - x[0]) * across, (-0.5 - y[1]) * down, across, down);
  }
}

/**
 * The canvas with the colours of a zoom; null where it shows none.
 * @param {string} zoom
 */
export function canvasOver(zoom) {
  /** @type {HTMLCanvasElement | null} */
  const canvas = overlays.overlay(zoom)?.element.querySelector(".colour-canvas") || null;
  return canvas && !canvas.hidden ? canvas : null;
}

/**
 * Follow the scene, and show the fused image as a link says, once.
 * @param {boolean[] | null} linked
 */
export function follow(linked) {
  if (linked && linked !== opened) {
    opened = linked;
    [link.parts.colour.value] = linked;
  }
  PANELS.forEach(apply);
}

document.addEventListener("click", (event) => {
  const panel = closest(event, ".panel-look")?.dataset.panel;
  if (!panel) return;
  if (panel === FUSED) link.parts.colour.value = !link.parts.colour.value;
  else if (!lumas.delete(panel)) lumas.add(panel);
  apply(panel);
});

link.parts.colour.subscribe(() => apply(FUSED));
painting.whenPainted(() => PANELS.forEach(drawZoom));
graphs.listen({
  drawn(panel) {
    if (PANELS.includes(panel)) apply(panel);
    if (panel.endsWith("-zoom")) drawZoom(panel.slice(0, -"-zoom".length));
  },
  relayout(panel) {
    if (panel.endsWith("-zoom")) drawZoom(panel.slice(0, -"-zoom".length));
  },
});
