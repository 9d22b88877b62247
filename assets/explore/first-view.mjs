/*
 * The first view's pictures, drawn as soon as the panels are on the page: Dash has to ask for them in three steps, and
 * Plotly takes a second to load. The page says where they are (callbacks/first_view.py); each gives way to its panel's graph.
 */

import * as channel from "../core/channel.mjs";
import * as graphs from "./graphs.mjs";
import { append, canvasOf } from "../core/elements.mjs";
import * as colours from "../painter/colours.mjs";
import { contextOf, fill, hatched, linesOf, ofBands, ofGuidance, ofValues, ofWindow, picture, within } from "../painter/pixels.mjs";
import { axisEnds, dots } from "../painter/points.mjs";

/**
 * @import { Images, JacobianWindow } from "../core/channel.mjs"
 * @import { Grays, Limits, Ranges, Scale } from "../painter/colours.mjs"
 * @import { Colour, Values } from "../painter/pixels.mjs"
 * @import { Pixel } from "../painter/shapes.mjs"
 *
 * @typedef {object} View - What the page says of its first view, as callbacks/first_view.py makes it.
 * @property {string} home
 * @property {string} key
 * @property {string} window
 * @property {string} images
 * @property {number} height
 * @property {number} width
 * @property {number} aspect - Height of a pixel by its width.
 * @property {number} half
 * @property {Pixel} pixel
 * @property {Scale} scale
 * @property {Ranges} rgb
 * @property {boolean} air - Whether the air counts too.
 * @property {Grays} gray
 * @property {number} gamma1
 * @property {number} gamma2
 * @property {Record<string, string>} titles - Of the panels.
 * @property {Record<string, string>} colours - Of the panels that are in colour, with the kind of their images.
 * @property {boolean} complete
 *
 * @typedef {HTMLCanvasElement | ((width: number, height: number) => HTMLCanvasElement)} Drawing
 */

// As in app/figures: what a graph leaves free around its plot, pixels.
const IMAGE_MARGIN = { left: 0, right: 0, top: 22, bottom: 0 };
const POINTS_MARGIN = { left: 52, right: 8, top: 22, bottom: 38 };
const LONGEST_FRAME_MILLISECONDS = 15_000;
/** @type {Map<string, Drawing>} */
const drawings = new Map(); // by panel: a canvas of its picture, or a function (width, height) that makes one
/** @type {Map<string, HTMLCanvasElement>} */
const shown = new Map(); // by panel: the element on the page
/** @type {Map<string, HTMLElement>} */
const named = new Map(); // by panel: its title on the page
const noted = new Set(); // of performance's marks
const element = document.getElementById("first-view");
const view = /** @type {View} */ (element ? JSON.parse(element.textContent || "") : null);
let left = !element;

/** @param {string} path */
function get(path) {
  return channel.fetchBinary(`${view.home}${path}`).then(({ buffer }) => buffer);
}

/**
 * Keep a panel's picture, and its zoom around the principal pixel.
 * @param {string} panel
 * @param {Colour} colour
 */
function keep(panel, colour) {
  const { height, width, half } = view;
  const { row, col } = view.pixel;
  const side = 2 * half + 1;
  drawings.set(panel, picture(width, height, (pixels) => fill(pixels, width, height, colour)));
  drawings.set(`${panel}-zoom`, picture(side, side, (pixels) =>
    fill(pixels, side, side, within(view, colour), row - half, col - half)));
  show();
}

/**
 * @param {string} panel
 * @param {Float32Array} values
 */
function keepGray(panel, values) {
  if (view.colours[panel]) return;
  const ends = colours.grayEnds(colours.rangeOf(values), view.gray);
  keep(panel, ofValues(values, view.width, colours.grayPainter(...ends)));
}

/**
 * @param {JacobianWindow} window
 * @param {Limits} limits
 */
function keepWindow(window, limits) {
  const painter = colours.gradientPainter(view.scale, view.gamma1, colours.endOf(limits, view.scale));
  ["panel-jacobian-mri", "panel-jacobian-pet"].forEach((panel, index) => keep(panel, ofWindow(window, index, painter)));
}

/**
 * @param {Images} guidance
 * @param {Limits | null} limits
 * @param {Values | null} air
 */
function keepGuidance(guidance, limits, air) {
  const painter = colours.gradientPainter(view.scale, view.gamma2, colours.endOf(limits, view.scale));
  ["panel-guidance-mri", "panel-guidance-pet"].forEach((panel, index) =>
    keep(panel, hatched(ofValues(guidance.band(index), view.width, painter), air, view.width)));
  drawings.set(graphs.SCATTER, (width, height) => scatterplot(width, height, guidance));
  show();
}

/**
 * @param {string} panel
 * @param {Images} rgb
 */
function keepColours(panel, rgb) {
  keep(panel, ofBands([0, 1, 2].map(rgb.band), view.width));
}

/**
 * The same on other ranges than the server's.
 * @param {Images} guidance
 * @param {Images} fused
 * @param {Values | null} air
 */
function mixColours(guidance, fused, air) {
  const images = [guidance.band(0), guidance.band(1), fused.band(0)];
  const mix = ofGuidance(images.map((values) => linesOf(values, view.width)), view.rgb);
  keep("panel-guidance-rgb", hatched(mix, air, view.width));
}

/**
 * The scatterplot as it will be, without its axes.
 * @param {number} width
 * @param {number} height
 * @param {Images} guidance
 */
function scatterplot(width, height, guidance) {
  const canvas = canvasOf(width, height);
  const [xs, ys] = [0, 1].map(guidance.band);
  dots(contextOf(canvas), xs, ys, [xs, ys].map((values) => axisEnds(...colours.rangeOf(values))));
  return canvas;
}

/**
 * Where the plot of a panel will be, in its section; pictures keep their shape in the middle.
 * @param {HTMLElement} section
 * @param {HTMLCanvasElement | null} canvas
 */
function placeOf(section, canvas) {
  const margin = canvas ? IMAGE_MARGIN : POINTS_MARGIN;
  const width = section.clientWidth - margin.left - margin.right;
  const height = section.clientHeight - margin.top - margin.bottom;
  if (!canvas) return { left: margin.left, top: margin.top, width, height };
  const tall = canvas.height * view.aspect;
  const unit = Math.min(width / canvas.width, height / tall);
  const [across, down] = [canvas.width * unit, tall * unit];
  return {
    left: margin.left + (width - across) / 2, top: margin.top, width: across, height: down,
  };
}

/**
 * Where a panel's picture goes: into the panel, or before there is one into the frame that stands for the page.
 * @param {string} panel
 */
function sectionOf(panel) {
  return /** @type {HTMLElement | null} */ (document.querySelector(`section[data-panel="${panel}"]`)
    || document.querySelector(`section[data-first-panel="${panel}"]`));
}

/** Say what the panels are that have no graph yet, as their graphs will. */
function showTitles() {
  for (const [panel, text] of Object.entries(view.titles)) {
    const section = sectionOf(panel);
    if (!section || graphs.graph(panel) || named.get(panel)?.parentElement === section) continue;
    named.get(panel)?.remove();
    named.set(panel, append("span", "first-title", section));
    /** @type {HTMLElement} */ (named.get(panel)).textContent = text;
  }
}

/** Show what is there of panels that have no graph yet. */
function show() {
  if (left) return;
  showTitles();
  for (const [panel, drawing] of drawings) {
    const section = sectionOf(panel);
    const known = shown.get(panel);
    if (!section || (known && known.parentElement === section) || graphs.graph(panel)) continue;
    const whole = typeof drawing === "function" ? null : drawing;
    const place = placeOf(section, whole);
    if (!(place.width > 0 && place.height > 0)) continue;
    const canvas = typeof drawing !== "function" ? drawing : drawing(Math.round(place.width), Math.round(place.height));
    canvas.className = "first-view";
    Object.entries(place).forEach(([side, length]) => canvas.style.setProperty(side, `${length}px`));
    section.append(canvas);
    shown.set(panel, canvas);
  }
  mark("first-view-images", ["panel-mri", "panel-pet", "panel-fused"]);
  mark("first-view-complete", graphs.ALL);
}

/**
 * Note when panels had their pictures: after the frame in which they came.
 * @param {string} name
 * @param {string[]} panels
 */
function mark(name, panels) {
  if (noted.has(name) || !panels.every((panel) => shown.has(panel))) return;
  noted.add(name);
  requestAnimationFrame(() => requestAnimationFrame(() => performance.mark(name)));
}

/** @param {string} panel */
function giveWay(panel) {
  shown.get(panel)?.remove();
  named.get(panel)?.remove();
}

/**
 * Take all away where another scene is shown than the first.
 * @param {string} key
 */
export function leave(key) {
  if (left || key === view.key) return;
  left = true;
  graphs.ALL.forEach(giveWay);
}

async function start() {
  const window = get(view.window).then((buffer) => channel.decodeWindow(buffer, 0));
  /** @param {string} kind */
  const images = (kind) => get(`${view.images}/${kind}`).then(channel.decodeImages);
  const fused = images("fused");
  const air = view.complete && !view.air ? images("air").then(({ values }) => values) : null;
  const whole = view.complete ? images("guidance") : null;
  const guidance = whole && (air ? Promise.all([whole, air]).then(([found, out]) => channel.without(found, out)) : whole);
  const limits = guidance && guidance.then(({ values }) => colours.limitsOf(values));
  await Promise.all([
    images("inputs").then(({ band }) => ["panel-mri", "panel-pet"].forEach((panel, at) => keepGray(panel, band(at)))),
    fused.then(({ band }) => keepGray("panel-fused", band(0))),
    guidance && guidance.then(async (found) => keepGuidance(found, await limits, await air)),
    view.rgb === "own" && view.air ? guidance && images("rgb").then((rgb) => keepColours("panel-guidance-rgb", rgb))
      : guidance && guidance.then(async (found) => mixColours(found, await fused, await air)),
    ...Object.entries(view.colours).map(([panel, kind]) => images(kind).then((rgb) => keepColours(panel, rgb))),
    // Without them nobody knows yet where the scale ends.
    window.then(async (found) => limits && keepWindow(found, await limits)),
  ]);
}

const observer = new MutationObserver(() => {
  if (document.querySelector(`section[data-panel="${graphs.SCATTER}"]`)) enter();
});

/** The page itself is there: it takes over. */
function enter() {
  observer.disconnect();
  show();
  const frame = document.getElementById("first-frame");
  if (frame) frame.remove();
}

if (element) {
  graphs.listen({ drawn: giveWay });
  observer.observe(/** @type {HTMLElement} */ (document.getElementById("react-entry-point")), { childList: true, subtree: true });
  // The stylesheets, which say where the panels are, may come after the first arrays.
  window.addEventListener("load", show);
  // Whatever keeps the page away must not stay hidden.
  setTimeout(enter, LONGEST_FRAME_MILLISECONDS);
  show();
  // What cannot be had is explained by the page's own callbacks, which ask for the same.
  start().catch(() => {});
}
