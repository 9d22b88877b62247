/* What the server and the controls say becomes the state. */

import { redraw } from "./frames.mjs";
import * as images from "./images.mjs";
import * as responses from "./painted-change.mjs";
import * as pointer from "./pointer.mjs";
import { link, state } from "./state.mjs";
import * as windows from "./windows.mjs";
import * as painted from "../change/set.mjs";
import { closest } from "../core/elements.mjs";
import * as explained from "../explain/panel.mjs";
import * as regions from "../regions/set.mjs";

/**
 * @import { Pixel } from "../painter/shapes.mjs"
 * @import { Scale } from "../painter/colours.mjs"
 * @import { Progress, Scene } from "./state.mjs"
 *
 * @typedef {{ methods: string[], columns: string[], pixel: Pixel | null, pin: Pixel | null, pole?: boolean }} Start - The view of a link.
 */

/** @type {Start | null} */
let opened = null; // the link's view that was taken over last
/** @type {Scene[] | null} */
let scenesShown = null;
let pairShown = ""; // whose pixels the points have

/**
 * The chosen ones in the order that they had; new ones at the end.
 * @param {string[]} before
 * @param {string[]} chosen
 */
function ordered(before, chosen) {
  const kept = before.filter((one) => chosen.includes(one));
  return [...kept, ...chosen.filter((one) => !kept.includes(one))];
}

/** @param {Start} start */
function open(start) {
  opened = start;
  state.methods = start.methods;
  state.columns = start.columns;
  state.a.pixel = start.pixel;
  state.a.pinned = Boolean(start.pixel);
  state.b.pixel = start.pin;
  [state.a, state.b].forEach((point) => (point.shown = null));
  state.held = null;
  link.parts.pole.value = Boolean(start.pole);
}

/**
 * Take the scenes over; pixels stay where the images have them, else the pair's own principal pixel is shown.
 * @param {Scene[]} scenes
 */
function takeScenes(scenes) {
  const name = state.setName();
  scenesShown = scenes;
  state.methods = ordered(state.methods, scenes.map((scene) => scene.method_id));
  state.scenes = scenes;
  state.reorder();
  const common = state.common();
  if (!common) return;
  regions.enter(common);
  painted.enter(common);
  /** @param {Pixel} pixel */
  const inside = ({ row, col }) => row < common.height && col < common.width;
  const moved = pairShown !== "" && pairShown !== common.pair;
  pairShown = common.pair;
  if (moved) state.held = null;
  for (const point of [state.a, state.b]) {
    if (point.pixel && !inside(point.pixel)) Object.assign(point, { pixel: null, pinned: false });
    if (moved) point.shown = null;
  }
  if (!state.a.pixel || (moved && !state.a.pinned)) {
    const [row, col] = common.default_pixel || [common.height >> 1, common.width >> 1];
    state.a.pixel = { row, col };
  }
  if (name !== state.setName()) state.points().forEach((point) => windows.ask(point));
}

/**
 * Take over what the controls say; gives the display, for callbacks on the server.
 * @param {Scene[] | null} scenes
 * @param {Record<string, Progress> | null} progress
 * @param {string[] | null} columns
 * @param {number} gamma1
 * @param {number} gamma2
 * @param {Scale} scale
 * @param {boolean | null} shared
 * @param {number | null} zoom
 * @param {string} size
 * @param {string | null} minuend
 * @param {string | null} subtrahend
 * @param {unknown} rgbCommon
 * @param {unknown} air
 * @param {unknown} ownGrays
 * @param {string} pair
 * @param {Start | null} start
 * @param {string} viewer
 */
export function change(scenes, progress, columns, gamma1, gamma2, scale, shared, zoom, size, minuend, subtrahend, rgbCommon, air, ownGrays, pair, start, viewer) {
  if (!scenes || !start) return window.dash_clientside.no_update;
  const reopened = opened !== start;
  if (reopened) open(start);
  // Until the scenes of another pair are here, everything else belongs to the one before, and so does the address.
  if (scenes !== scenesShown || !state.common()) state.pair = pair;
  state.viewer = viewer;
  state.progress = progress || {};
  state.columns = ordered(state.columns, columns || []);
  const [rgb, gray] = [rgbCommon ? "common" : "own", ownGrays ? "own" : "unit"];
  Object.assign(state.display, { gamma1, gamma2, scale, shared: Boolean(shared), zoom: zoom || null, size, rgb, air: Boolean(air), gray });
  state.difference = minuend && subtrahend && minuend !== subtrahend ? [minuend, subtrahend] : [];
  if (scenes !== scenesShown) takeScenes(scenes);
  else if (reopened) state.points().forEach((point) => windows.ask(point));
  images.wantAll();
  responses.wantAll();
  explained.refresh();
  redraw();
  pointer.showPins();
  return { ...state.display };
}

document.addEventListener("click", (event) => {
  if (closest(event, "#compare-pole")) link.parts.pole.value = !link.parts.pole.value;
});
link.parts.pole.subscribe(() => {
  document.getElementById("compare-pole")?.setAttribute("aria-pressed", String(link.parts.pole.value));
  redraw();
});
