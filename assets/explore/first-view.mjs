/*
 * The first view's pictures, drawn as soon as the panels are on the page: Dash has to ask for them in three steps, and
 * Plotly takes a second to load. The page says where they are (callbacks/first_view.py); each gives way to its panel's graph.
 */

import * as channel from "../core/channel.mjs";
import * as graphs from "./graphs.mjs";
import * as colours from "../painter/colours.mjs";

// As in app/figures: what a graph leaves free around its plot, pixels.
const IMAGE_MARGIN = { left: 40, right: 8, top: 24, bottom: 62 };
const POINTS_MARGIN = { left: 56, right: 10, top: 24, bottom: 40 };
const LONGEST_FRAME_MILLISECONDS = 15_000;
const POINTS_GROUND = "#f7f8fa";
const POINTS_COLOUR = "rgb(31 41 55 / 45%)";
const drawings = new Map(); // by panel: a canvas of its picture, or a function (width, height) that makes one
const shown = new Map(); // by panel: the element on the page
const noted = new Set(); // of performance's marks
const element = document.getElementById("first-view");
const view = element ? JSON.parse(element.textContent) : null;
let left = !view;

function get(path) {
  return channel.fetchBinary(`${view.home}${path}`).then(({ buffer }) => buffer);
}

function picture(height, width, colour) {
  const canvas = Object.assign(document.createElement("canvas"), { height, width });
  const data = new ImageData(width, height);
  const pixels = new Uint32Array(data.data.buffer);
  for (let row = 0, at = 0; row < height; row += 1) {
    for (let col = 0; col < width; col += 1, at += 1) pixels[at] = colour(row, col);
  }
  canvas.getContext("2d").putImageData(data, 0, 0);
  return canvas;
}

/** Keep a panel's picture, and its zoom around the principal pixel. */
function keep(panel, colour) {
  const { height, width, half } = view;
  const { row, col } = view.pixel;
  const side = 2 * half + 1;
  const inside = (i, j) => i >= 0 && j >= 0 && i < height && j < width;
  drawings.set(panel, picture(height, width, colour));
  drawings.set(`${panel}-zoom`, picture(side, side, (i, j) => {
    const [y, x] = [row + i - half, col + j - half];
    return inside(y, x) ? colour(y, x) : 0;
  }));
  show();
}

function ofValues(values, painter) {
  return (row, col) => painter(values[row * view.width + col]);
}

function keepGray(panel, values) {
  const [low, high] = colours.rangeOf(values);
  keep(panel, ofValues(values, colours.grayPainter(Math.min(low, 0), Math.max(high, 1))));
}

function keepWindow({ top, left: first, height, width, values }, limits) {
  const painter = colours.gradientPainter(view.scale, view.gamma1, colours.endOf(limits, view.scale));
  const outside = painter(0);
  ["panel-jacobian-mri", "panel-jacobian-pet"].forEach((panel, index) => keep(panel, (row, col) => {
    const [i, j] = [row - top, col - first];
    if (i < 0 || j < 0 || i >= height || j >= width) return outside;
    return painter(values[(index * height + i) * width + j]);
  }));
}

function keepGuidance(guidance, limits) {
  const painter = colours.gradientPainter(view.scale, view.gamma2, colours.endOf(limits, view.scale));
  ["panel-guidance-mri", "panel-guidance-pet"].forEach((panel, index) =>
    keep(panel, ofValues(guidance.band(index), painter)));
  drawings.set(graphs.SCATTER, (width, height) => points(width, height, guidance));
  show();
}

function keepColours(rgb) {
  const [red, green, blue] = [0, 1, 2].map(rgb.band);
  keep("panel-guidance-rgb", (row, col) => {
    const at = row * view.width + col;
    const [r, g, b] = [red[at], green[at], blue[at]].map((part) => Math.round(255 * part));
    return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  });
}

/** The ends of an axis of the scatterplot, as in app/figures/scatter.py. */
function ends(values) {
  const [low, high] = colours.rangeOf(values);
  const margin = 0.04 * (high - low) || 0.05;
  return [low - margin, high + margin];
}

function points(width, height, guidance) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  const [xs, ys] = [0, 1].map(guidance.band);
  const [[x0, x1], [y0, y1]] = [ends(xs), ends(ys)];
  context.fillStyle = POINTS_GROUND;
  context.fillRect(0, 0, width, height);
  context.fillStyle = POINTS_COLOUR;
  for (let at = 0; at < xs.length; at += 1) {
    context.fillRect(((xs[at] - x0) / (x1 - x0)) * width - 1, ((y1 - ys[at]) / (y1 - y0)) * height - 1, 2, 2);
  }
  return canvas;
}

/** Where the plot of a panel will be, in its section; pictures keep their shape in the middle. */
function placeOf(section, canvas) {
  const margin = canvas ? IMAGE_MARGIN : POINTS_MARGIN;
  const width = section.clientWidth - margin.left - margin.right;
  const height = section.clientHeight - margin.top - margin.bottom;
  if (!canvas) return { left: margin.left, top: margin.top, width, height };
  const unit = Math.min(width / canvas.width, height / canvas.height);
  const [across, down] = [canvas.width * unit, canvas.height * unit];
  return {
    left: margin.left + (width - across) / 2, top: margin.top + (height - down) / 2, width: across, height: down,
  };
}

/** Where a panel's picture goes: into the panel, or before there is one into the frame that stands for the page. */
function sectionOf(panel) {
  return document.querySelector(`section[data-panel="${panel}"]`)
    || document.querySelector(`section[data-first-panel="${panel}"]`);
}

/** Show what is there of panels that have no graph yet. */
function show() {
  if (left) return;
  for (const [panel, drawing] of drawings) {
    const section = sectionOf(panel);
    const known = shown.get(panel);
    if (!section || (known && known.parentElement === section) || graphs.graph(panel)) continue;
    const whole = typeof drawing === "function" ? null : drawing;
    const place = placeOf(section, whole);
    if (!(place.width > 0 && place.height > 0)) continue;
    const canvas = whole || drawing(Math.round(place.width), Math.round(place.height));
    canvas.className = "first-view";
    Object.entries(place).forEach(([side, length]) => { canvas.style[side] = `${length}px`; });
    section.append(canvas);
    shown.set(panel, canvas);
  }
  mark("first-view-images", ["panel-mri", "panel-pet", "panel-fused"]);
  mark("first-view-complete", graphs.ALL);
}

/** Note when panels had their pictures: after the frame in which they came. */
function mark(name, panels) {
  if (noted.has(name) || !panels.every((panel) => shown.has(panel))) return;
  noted.add(name);
  requestAnimationFrame(() => requestAnimationFrame(() => performance.mark(name)));
}

function giveWay(panel) {
  const canvas = shown.get(panel);
  if (canvas) canvas.remove();
}

/** Take all away where another scene is shown than the first. */
export function leave(key) {
  if (left || (view && key === view.key)) return;
  left = true;
  [...shown.keys()].forEach(giveWay);
}

async function start() {
  const window = get(view.window).then((buffer) => channel.decodeWindow(buffer, 0));
  const images = (kind) => get(`${view.images}/${kind}`).then(channel.decodeImages);
  const guidance = view.complete ? images("guidance") : null;
  const limits = guidance && guidance.then(({ values }) => colours.limitsOf(values));
  await Promise.all([
    images("inputs").then(({ band }) => ["panel-mri", "panel-pet"].forEach((panel, at) => keepGray(panel, band(at)))),
    images("fused").then(({ band }) => keepGray("panel-fused", band(0))),
    guidance && guidance.then(async (found) => keepGuidance(found, await limits)),
    guidance && images("rgb").then(keepColours),
    window.then(async (found) => keepWindow(found, (await limits) || colours.limitsOf(found.values))),
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

if (view) {
  graphs.listen({ drawn: giveWay });
  observer.observe(document.getElementById("react-entry-point"), { childList: true, subtree: true });
  // The stylesheets, which say where the panels are, may come after the first arrays.
  window.addEventListener("load", show);
  // Whatever keeps the page away must not stay hidden.
  setTimeout(enter, LONGEST_FRAME_MILLISECONDS);
  // What cannot be had is explained by the page's own callbacks, which ask for the same.
  start().catch(() => {});
}
