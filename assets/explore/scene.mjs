/* The scene and its display: what happens when pair, method, gammas, colour scale or zoom change. */

import { leftOut } from "./air.mjs";
import * as change from "./change.mjs";
import * as explained from "../explain/panel.mjs";
import * as colour from "./colour.mjs";
import * as firstView from "./first-view.mjs";
import * as graphs from "./graphs.mjs";
import * as guidance from "./guidance.mjs";
import * as handover from "./handover.mjs";
import * as maps from "./maps.mjs";
import * as overlays from "./overlays.mjs";
import * as painting from "./paint.mjs";
import * as pole from "./pole.mjs";
import * as principal from "./pixel.mjs";
import * as readout from "./readout.mjs";
import * as regionOverlays from "./region-overlays.mjs";
import { link, state } from "./state.mjs";
import * as toolbar from "./toolbar.mjs";
import * as views from "./views.mjs";
import * as words from "./words.mjs";
import * as painted from "../change/set.mjs";
import * as regions from "../regions/set.mjs";
import { LARGEST_ZOOM } from "../views/view-state.mjs";

/**
 * @import { Scale } from "../painter/colours.mjs"
 * @import { Pixel } from "../painter/shapes.mjs"
 * @import { GuidanceLimits, Scene } from "./state.mjs"
 * @import { Part } from "./toolbar.mjs"
 */

/** @type {Pixel | null} */
let lastStart = null;
/** @type {Part | null} */
let lastArea = null;
let waitingForGraphs = false;

/**
 * @param {number | string | null} asked
 * @param {unknown} followsSupport
 */
function halfWidth(asked, followsSupport) {
  const radius = state.scene?.support_radius;
  const half = followsSupport && radius ? Math.max(1, ...radius) : Number(asked);
  return Number.isFinite(half) && half >= 1 ? Math.min(Math.round(half), LARGEST_ZOOM) : state.display.half;
}

/**
 * Whether two scenes show one place: the same images, or those of one pair read in other ways, such as another slice.
 * @param {Scene} scene
 * @param {Scene} before
 */
function isSamePlace(scene, before) {
  if (before.pair === scene.pair) return true;
  const [own, other] = [scene, before].map(({ pair_address: address }) => address.replace(/@[^@]*$/, ""));
  return own === other && before.height === scene.height && before.width === scene.width;
}

/**
 * The principal pixel of a new scene: a link's, else the one before, else the pair's own, else the middle.
 * @param {Scene} scene
 * @param {Scene | null} before
 * @param {Pixel | null} start
 */
function firstPixel(scene, before, start) {
  if (start && start !== lastStart) return { pixel: start, pinned: true };
  if (before && isSamePlace(scene, before) && state.pixel) return { pixel: state.pixel, pinned: state.pinned };
  const [row, col] = scene.default_pixel || [Math.floor(scene.height / 2), Math.floor(scene.width / 2)];
  return { pixel: { row, col }, pinned: false };
}

/**
 * @param {Scene} scene
 * @param {Pixel | null} start
 */
function enterScene(scene, start) {
  const { pixel, pinned } = firstPixel(scene, state.scene, start);
  lastStart = start;
  state.enter(scene);
  regions.enter(scene);
  painted.enter(scene);
  change.enter();
  state.window = null;
  words.say(scene.modalities);
  overlays.hideAll();
  views.leave();
  firstView.leave(scene.key);
  principal.pin(pinned);
  principal.choose(pixel, performance.now(), true);
  attachGraphs();
}

/** Listen to the graphs, and paint once all of them are there. */
function attachGraphs() {
  waitingForGraphs = !graphs.attach();
  if (waitingForGraphs) return;
  regionOverlays.draw();
  painting.paintViews();
  painting.paintAll();
}

graphs.listen({
  drawn() {
    if (waitingForGraphs) attachGraphs();
  },
});

/**
 * Show the part of the full pictures that a link names, once.
 * @param {Part | null} area
 * @param {Scene} scene
 */
function openArea(area, scene) {
  if (area && area !== lastArea) toolbar.open(area, scene.pair);
  else toolbar.noteArea();
  lastArea = area;
}

/**
 * @param {number} gamma1
 * @param {number} gamma2
 * @param {Scale} scale
 * @param {number | string | null} asked
 * @param {unknown} followsSupport
 * @param {unknown} rgbCommon
 * @param {unknown} air
 * @param {unknown} ownGrays
 * @param {GuidanceLimits | null} limits
 * @param {Scene | null} scene
 * @param {Pixel | null} start
 * @param {Part | null} area
 * @param {string[] | null} linkedMaps
 * @param {boolean[] | null} linkedLooks
 * @param {string} viewer
 */
export function changeDisplay(gamma1, gamma2, scale, asked, followsSupport, rgbCommon, air, ownGrays, limits, scene, start, area, linkedMaps, linkedLooks, viewer) {
  if (!scene) return window.dash_clientside.no_update;
  const entered = !state.scene || state.scene.key !== scene.key || Boolean(start && start !== lastStart);
  const colours = state.displayName();
  state.limits = limits && limits.revision.startsWith(scene.key) ? limits : null;
  if (entered) enterScene(scene, start);
  openArea(area, scene);
  const half = halfWidth(asked, followsSupport);
  const rgb = rgbCommon ? "common" : "own";
  Object.assign(state.display, { gamma1, gamma2, scale, half, rgb, air: Boolean(air), gray: ownGrays ? "own" : "unit" });
  link.parts.zoom.value = followsSupport ? "support" : half;
  if (!entered) {
    if (colours !== state.displayName()) painting.paintGuidanceImages();
    painting.paintAll();
  }
  state.viewer = viewer;
  guidance.follow();
  // What is known of the air has been painted above.
  if (state.air?.pair !== scene.pair) leftOut(scene).then((found) => found && painting.paintAll(), ({ message }) => readout.fail(message));
  maps.openLinked(linkedMaps);
  colour.follow(linkedLooks);
  pole.follow(linkedLooks);
  maps.follow();
  handover.recolourLater();
  explained.refresh();
  return { ...state.display };
}
