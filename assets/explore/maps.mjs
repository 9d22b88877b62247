/* The drawer of the maps, below the pictures: what each is, its button, its two images as they grow, and its numbers. */

import { drawBar } from "../painter/bars.mjs";
import { fillValues, picture } from "../painter/pixels.mjs";
import * as painting from "./paint.mjs";
import * as readout from "./readout.mjs";
import { link, state } from "./state.mjs";
import * as channel from "../core/channel.mjs";
import { addLarge, closeHeadMenu, focusOpener } from "../core/dialogs.mjs";
import { append, closest } from "../core/elements.mjs";
import { duration } from "../core/job-words.mjs";
import { withNames } from "../core/words.mjs";
import * as jobs from "../maps/jobs.mjs";
import * as kinds from "../maps/kinds.mjs";
import { percent } from "../painter/influence.mjs";

/**
 * @import { Images } from "../core/channel.mjs"
 * @import { MapKind } from "../maps/kinds.mjs"
 *
 * @typedef {object} Card - The elements of a map.
 * @property {HTMLDetailsElement} host
 * @property {HTMLButtonElement} button
 * @property {HTMLElement} status
 * @property {HTMLElement} about
 * @property {HTMLElement[]} names
 * @property {HTMLCanvasElement[]} canvases
 * @property {HTMLElement[]} boxes
 * @property {HTMLElement[]} values
 * @property {HTMLElement[]} shares
 * @property {HTMLCanvasElement} bar
 * @property {HTMLElement[]} ends
 *
 * @typedef {{ address: string, revision: number, images: Images, end: number }} Shown
 */

/** @type {Map<MapKind, Card>} */
const cards = new Map();
/** @type {Map<MapKind, Shown>} */
const shown = new Map();
/** @type {Set<string>} */
const underWay = new Set();
/** @type {string[] | null} */
let opened = null; // the link's maps that were taken over last

function drawer() {
  return /** @type {HTMLElement} */ (document.getElementById("maps"));
}

/**
 * Where a map of the shown scene is on the server.
 * @param {MapKind} kind
 */
function addressOf(kind) {
  const { scene } = state;
  return scene ? `${channel.placeOf(scene)}/${kind}` : "";
}

/**
 * @param {MapKind} kind
 * @param {HTMLElement} holder
 * @returns {Card}
 */
function makeCard(kind, holder) {
  const host = append("details", "map", holder);
  host.dataset.map = kind;
  append("summary", "map-title", host).textContent = kinds.NAMES[kind];
  const line = append("div", "map-line", host);
  const button = append("button", "btn btn-outline-secondary btn-sm map-button", line);
  button.type = "button";
  button.addEventListener("click", () => press(kind));
  const status = append("span", "map-status", line);
  const about = append("p", "map-about", host);
  const pictures = append("div", "map-pictures", host);
  const figures = [0, 1].map((index) => {
    const figure = append("figure", "map-figure", pictures);
    const name = append("figcaption", "map-name", figure);
    const frame = append("div", "map-frame", figure);
    const canvas = append("canvas", "map-canvas", frame);
    canvas.dataset.input = String(index);
    canvas.setAttribute("role", "img");
    const box = append("div", "map-box", frame);
    return { name, canvas, box, value: append("div", "map-value", figure), share: append("div", "map-share", figure) };
  });
  const scale = append("div", "map-scale", host);
  const low = append("span", "scale-end", scale);
  const bar = append("canvas", "map-bar", scale);
  const high = append("span", "scale-end", scale);
  host.addEventListener("toggle", () => note(kind, host.open));
  return {
    host, button, status, about, bar, ends: [low, high], names: figures.map(({ name }) => name),
    canvases: figures.map(({ canvas }) => canvas), boxes: figures.map(({ box }) => box),
    values: figures.map(({ value }) => value), shares: figures.map(({ share }) => share),
  };
}

/**
 * Let the link say which maps are open.
 * @param {MapKind} kind
 * @param {boolean} open
 */
function note(kind, open) {
  const before = link.parts.maps.value;
  link.parts.maps.value = kinds.KINDS.filter((one) => (one === kind ? open : before.includes(one)));
  follow();
}

/** @param {MapKind} kind */
function press(kind) {
  const address = addressOf(kind);
  if (!address) return;
  if (jobs.of(address)?.running) jobs.stop(address);
  else jobs.start(address);
}

/** Close the drawer, and show the pictures again if one has scrolled past them. */
function close() {
  if (drawer().contains(document.activeElement)) focusOpener("maps-button");
  open([]);
}

/**
 * Fill the drawer: a button that closes it, which stays in sight, and the maps.
 * @param {HTMLElement} host
 */
function fillDrawer(host) {
  const button = append("button", "btn-close maps-close", host);
  button.type = "button";
  button.title = "Close the maps (Esc)";
  button.setAttribute("aria-label", "Close the maps");
  button.addEventListener("click", close);
  kinds.KINDS.forEach((kind) => cards.set(kind, makeCard(kind, host)));
}

/**
 * Open the drawer with these maps, or close it where there is none.
 * @param {readonly MapKind[]} wanted
 */
function open(wanted) {
  const host = drawer();
  if (!cards.size) fillDrawer(host);
  link.parts.maps.value = [...wanted];
  cards.forEach((card, kind) => (card.host.open = wanted.includes(kind)));
  host.hidden = !wanted.length;
  document.getElementById("maps-button")?.setAttribute("aria-expanded", String(!host.hidden));
  follow();
}

/**
 * Take over which maps a link has open, once.
 * @param {string[] | null} linked
 */
export function openLinked(linked) {
  if (!linked || linked === opened) return;
  opened = linked;
  if (linked.length || !drawer().hidden) open(linked.filter(kinds.isMap));
}

/** Show the maps of the scene as they are now, and find out what is not known of them. */
export function follow() {
  if (!state.scene || drawer().hidden) return;
  cards.forEach((card, kind) => {
    if (!card.host.open) return;
    const address = addressOf(kind);
    jobs.look(address);
    if (shown.get(kind)?.address !== address) clear(kind);
    const progress = jobs.of(address);
    if (progress?.revision && shown.get(kind)?.revision !== progress.revision) fetchImages(kind, address, progress.revision);
    describe(kind, card);
  });
  paint();
}

/** @param {MapKind} kind */
function clear(kind) {
  shown.delete(kind);
  const card = cards.get(kind);
  card?.canvases.forEach((canvas) => Object.assign(canvas, { width: 1, height: 1 }));
  [...(card?.values || []), ...(card?.shares || [])].forEach((element) => (element.textContent = ""));
  card?.host.classList.remove("map-known");
}

/**
 * @param {MapKind} kind
 * @param {string} address
 * @param {number} revision
 */
async function fetchImages(kind, address, revision) {
  if (underWay.has(address)) return;
  underWay.add(address);
  try {
    const { buffer } = await channel.fetchBinary(`images/${address}?viewer=${state.viewer}`);
    const images = channel.decodeImages(buffer);
    if (address === addressOf(kind)) shown.set(kind, { address, revision, images, end: kinds.endOf(kind, [images]) });
  } catch (error) {
    readout.fail(/** @type {Error} */ (error).message);
    return;
  } finally {
    underWay.delete(address);
  }
  follow();
}

/**
 * @param {MapKind} kind
 * @param {Card} card
 */
function describe(kind, card) {
  const names = state.scene?.modalities || ["x1", "x2"];
  const progress = jobs.of(addressOf(kind));
  const [sentences, equation] = JSON.parse(drawer().dataset.about || "{}")[kind];
  const about = `${withNames(sentences, names)} ${equation}`;
  if (card.about.textContent !== about) card.about.textContent = about;
  card.names.forEach((element, index) => (element.textContent = `${kinds.TITLES[kind]} ${names[index]}`));
  card.canvases.forEach((canvas, index) => canvas.setAttribute("aria-label", `${kinds.TITLES[kind]} ${names[index]}`));
  card.button.textContent = progress?.running ? "Stop" : progress?.fraction || progress?.cancelled ? "Go on" : "Compute";
  card.button.disabled = !progress;
  card.button.hidden = Boolean(progress?.complete);
  card.status.textContent = words(progress);
}

/** @param {import("../maps/jobs.mjs").Progress | null} progress */
function words(progress) {
  if (!progress) return "…";
  if (progress.problem) return progress.problem;
  if (progress.complete) return "complete";
  if (progress.running) return `${Math.round(100 * progress.fraction)} %`;
  const takes = progress.seconds === null ? "" : `takes about ${duration(progress.seconds)}`;
  return [progress.cancelled ? "stopped; what is there stays" : "not computed", takes].filter(Boolean).join(", ");
}

let painted = "";

/** Paint all images that have changed, or whose colours have. */
function paint() {
  const { gamma2 } = state.display;
  const name = JSON.stringify([gamma2, ...[...shown].map(([kind, { address, revision, images }]) => [kind, address, revision, images.complete])]);
  if (name === painted) return;
  painted = name;
  shown.forEach(({ images, end }, kind) => {
    const card = cards.get(kind);
    if (!card) return;
    const { height, width } = images;
    const painter = kinds.painterOf(kind, gamma2, end);
    card.canvases.forEach((canvas, index) => {
      picture(width, height, (pixels) => fillValues(pixels, images.band(index), painter), canvas);
      canvas.style.aspectRatio = `${width} / ${height * (state.scene?.aspect ?? 1)}`;
    });
    card.host.classList.add("map-known");
    const { paint: barPaint, low, high, ends } = kinds.barOf(kind, gamma2, end);
    drawBar(card.bar, barPaint, low, high);
    card.ends.forEach((element, index) => (element.textContent = ends[index]));
    if (kind === "response") card.shares.forEach((element, index) => (element.textContent = reversal(images.band(index))));
  });
  showPixel();
}

/** @param {Float32Array} values */
function reversal(values) {
  const share = kinds.reversedShare(values);
  return share ? `contrast reversed (blue) in ${percent(share)} of the pixels` : "";
}

/** Show where the principal pixel is, and its numbers. */
function showPixel() {
  if (!shown.size || drawer().hidden || !state.window) return;
  const { row, col } = state.window;
  shown.forEach(({ images }, kind) => {
    const { height, width } = images;
    if (row >= height || col >= width) return;
    const card = cards.get(kind);
    card?.boxes.forEach((box) => Object.assign(box.style, {
      left: `${(100 * col) / width}%`, top: `${(100 * row) / height}%`, width: `${100 / width}%`, height: `${100 / height}%`,
    }));
    card?.values.forEach((element, index) => (element.textContent = `(${row}, ${col}): ${kinds.wordsOf(kind, images.band(index)[row * width + col])}`));
  });
}

jobs.connect(() => ({ home: "", viewer: state.viewer }), follow);
painting.whenPainted(showPixel);
document.addEventListener("click", (event) => {
  if (!closest(event, "#maps-button")) return;
  open(drawer().hidden ? kinds.KINDS : []);
  if (drawer().hidden) return;
  closeHeadMenu();
  drawer().scrollIntoView({ block: "nearest" });
});

// The pinned pixel stays: Esc closes the maps first, wherever the focus is.
addLarge("#maps:not([hidden])", close);
