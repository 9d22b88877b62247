/* The handover to Plotly: when its figures show the same as the overlays, they take over, so that they are asked for. */

import * as cover from "./cover.mjs";
import * as graphs from "./graphs.mjs";
import * as overlays from "./overlays.mjs";
import * as painting from "./paint.mjs";
import * as readout from "./readout.mjs";
import * as regionOverlays from "./region-overlays.mjs";
import { state } from "./state.mjs";
import * as colours from "../painter/colours.mjs";

/**
 * @import { Meta } from "./graphs.mjs"
 *
 * @typedef {{ colorscale: [number, string][][], zmin: number, zmax: number }} Style
 */

const FOLLOWING = [...graphs.ZOOMS, ...painting.JACOBIANS, graphs.SCATTER];
// These have no final state before the guidance images have.
const WAITING = ["panel-guidance-mri-zoom", "panel-guidance-pet-zoom", "panel-guidance-rgb-zoom", graphs.SCATTER];
const READ_OUT = ["panel-mri", "panel-pet", "panel-fused"];
const COLOURED = /^panel-(guidance-(mri|pet)|jacobian-(mri|pet))/;
const FOLLOW_MILLISECONDS = 200;
const REST_MILLISECONDS = 250;
/** @type {Map<string, { meta: Meta, display: string }>} */
const styled = new Map(); // panel → the colours that its Plotly trace has been given here
/** @type {Map<string, string>} */
const revisions = new Map(); // panel → the guidance images that it shows
/** @type {ReturnType<typeof setTimeout> | undefined} */
let recolouring;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let restTimer;
/** @type {string | null} */
let rested = null; // key of the scene whose figures have been asked for
/** @type {{ state?: string, meta?: Meta }} */
let green = {}; // what the scatterplot's green trace shows

/**
 * The colours that Plotly must show in a panel: they depend on gammas, scale and limits.
 * @param {string} panel
 * @returns {Style}
 */
function styleOf(panel) {
  const { scale, gamma1, gamma2 } = state.display;
  const ofGuidance = panel.startsWith("panel-guidance");
  const end = ofGuidance ? state.guidanceEnd() : state.jacobianEnd();
  return {
    colorscale: [colours.bent(scale, ofGuidance ? gamma2 : gamma1)],
    zmin: scale === "signed" ? -end : 0,
    zmax: end,
  };
}

/**
 * Name of the colours that a panel's Plotly trace has.
 * @param {string} panel
 */
export function displayOf(panel) {
  const meta = graphs.meta(panel);
  const given = styled.get(panel);
  if (given && given.meta === meta) return given.display;
  if (meta.display || !COLOURED.test(panel)) return meta.display;
  // The server does not name the display of guidance images, but may have drawn this one.
  const graph = graphs.graph(panel);
  const drawn = graph && graph.data && graph.data.length && hasStyle(graph.data[0], styleOf(panel));
  return drawn ? state.displayName() : undefined;
}

/**
 * Name of the pixel and neighbourhood that a panel's Plotly traces show.
 * @param {string} panel
 */
export function contentOf(panel) {
  const meta = graphs.meta(panel);
  if (panel !== graphs.SCATTER) return meta.state;
  return green.meta === meta ? green.state : undefined;
}

/**
 * @param {any} trace
 * @param {Style} style
 */
function hasStyle(trace, { colorscale, zmin, zmax }) {
  /** @type {(a: number, b: number) => boolean} */
  const near = (a, b) => Math.abs(a - b) <= 1e-6 * Math.abs(b);
  return near(trace.zmin, zmin) && near(trace.zmax, zmax) && sameStops(trace.colorscale, colorscale[0]);
}

/**
 * @param {any} some
 * @param {[number, string][]} others
 */
function sameStops(some, others) {
  return Array.isArray(some) && some.length === others.length && some.every(
    ([position, colour], at) => Math.abs(position - others[at][0]) < 1e-9 && colour === others[at][1]);
}

/** Give Plotly's traces the colours that the overlays show already. */
function recolour() {
  if (state.scene?.large) return;
  const display = state.displayName();
  graphs.ALL.filter((panel) => COLOURED.test(panel)).forEach((panel) => {
    const graph = graphs.graph(panel);
    if (!graph || !graph.data || !graph.data.length || graphs.grows(panel) || displayOf(panel) === display) return;
    styled.set(panel, { meta: graphs.meta(panel), display });
    window.Plotly.restyle(graph, styleOf(panel), [0]);
  });
  restLater();
}

/** The same after a moment in which nothing changes. */
export function recolourLater() {
  clearTimeout(recolouring);
  recolouring = setTimeout(recolour, FOLLOW_MILLISECONDS);
}

/**
 * Give the scatterplot's green trace the points of the pixel at which the pointer rests.
 * @param {{ key: string, state: string, x: number[], y: number[] } | null} points
 */
export function showGreenPoints(points) {
  const graph = graphs.graph(graphs.SCATTER);
  const meta = graphs.meta(graphs.SCATTER);
  if (!points || !graph?.data || graph.data.length !== 2 || meta.key !== points.key) return window.dash_clientside.no_update;
  window.Plotly.restyle(graph, { x: [points.x], y: [points.y] }, [1]).then(() => {
    green = { state: points.state, meta: graphs.meta(graphs.SCATTER) };
    handOver(graphs.SCATTER);
  });
  return points.state;
}

/**
 * Whether Plotly shows a panel's final state: the same scene, pixel and colours as the overlay.
 * @param {string} panel
 */
function upToDate(panel) {
  // Of a large pair Plotly has nothing but axes.
  if (!state.scene || state.scene.large || graphs.meta(panel).key !== state.scene.key || graphs.grows(panel)) return false;
  if (FOLLOWING.includes(panel) && (state.isMoving() || contentOf(panel) !== state.contentName())) return false;
  if (isRecoloured(panel)) return false;
  return !COLOURED.test(panel) || displayOf(panel) === state.displayName();
}

/**
 * Show Plotly where it is up to date, the overlay where it is not; whether it is.
 * @param {string} panel
 */
function handOver(panel) {
  if (!upToDate(panel)) return false;
  if (panel === graphs.SCATTER) cover.lift(state.contentName());
  overlays.show(panel, panel === graphs.SCATTER && regionOverlays.coversPoints());
  const zoom = panel.endsWith("-zoom") ? overlays.overlay(panel) : null;
  if (zoom) zoom.box.style.visibility = "hidden"; // Plotly's figure has a red square of its own
  return true;
}

/**
 * Whether the end of a panel's scale moves as guidance images grow: Plotly would have to draw it again and again.
 * @param {string} panel
 */
function isRecoloured(panel) {
  return state.isGrowing() && panel.startsWith("panel-jacobian");
}

/** @param {string} panel */
function isWaiting(panel) {
  if (state.scene?.large) return graphs.meta(panel).key === state.scene.key;
  if (isRecoloured(panel) && !state.isMoving() && contentOf(panel) === state.contentName()) return true;
  const growing = !state.limits || state.limits.provisional;
  return growing && WAITING.includes(panel) && graphs.meta(panel).key === state.scene?.key;
}

/**
 * Whether a panel shows some other final state than the one that is wanted.
 * @param {string} panel
 */
function isStale(panel) {
  const shown = graphs.meta(panel).state;
  return FOLLOWING.includes(panel) && Boolean(shown) && shown !== "growing" && !state.isMoving();
}

/** Settle every panel; whether all that follow the pointer show all that they can. */
export function handOverAll() {
  graphs.FULL.forEach(handOver);
  return FOLLOWING.map((panel) => handOver(panel) || isWaiting(panel)).every(Boolean);
}

/** Let Plotly's figures follow once nothing has moved for a moment; a new scene's first ones need not wait. */
export function restLater() {
  clearTimeout(restTimer);
  const first = state.scene && state.limits && rested !== state.scene.key;
  restTimer = setTimeout(rest, first ? 0 : REST_MILLISECONDS);
}

function rest() {
  const shown = state.window;
  if (!shown || !state.scene || shown.key !== state.scene.key) return;
  if (state.isMoving() || state.endWait()) return;
  if (handOverAll()) return;
  if (state.limits) rested = state.scene.key;
  const { gamma1, gamma2, scale, rgb, air, gray, half } = state.display;
  window.dash_clientside.set_props("rested-pixel", {
    data: {
      key: state.scene.key, row: shown.row, col: shown.col, half, gamma1, gamma2, scale, rgb, air, gray,
      end: state.jacobianEnd(),
      state: state.contentName(), display: state.displayName(),
    },
  });
}

/** @type {Map<string, string>} */
const grays = new Map(); // panel → the ends of the grays that its zoom was painted with

/**
 * Paint an image's zoom again where its gray scale has other ends now.
 * @param {string} panel
 */
function paintNewGrays(panel) {
  const image = graphs.image(panel);
  const ends = image ? `${image.low},${image.high}` : "";
  if (!ends || grays.get(panel) === ends) return;
  grays.set(panel, ends);
  requestAnimationFrame(painting.paintAll);
}

graphs.listen({
  drawn(panel) {
    const { key, revision } = graphs.meta(panel);
    if (state.pixel && graphs.FULL.includes(panel)) overlays.moveBox(panel, state.pixel, state.display.half);
    // The window may have come before the pictures whose intensities the readout shows.
    if (READ_OUT.includes(panel)) {
      readout.show();
      paintNewGrays(panel);
    }
    if (!state.scene || key !== state.scene.key) return;
    if (revision && revisions.get(panel) !== revision) {
      revisions.set(panel, revision);
      requestAnimationFrame(painting.paintAll);
    }
    if (graphs.grows(panel)) requestAnimationFrame(painting.paintGrowing);
    // Gammas or scale may have changed since the server drew it.
    if (COLOURED.test(panel) && !panel.endsWith("-zoom") && displayOf(panel) === undefined) recolourLater();
    // An answer to an earlier rest may come after the colours or the pixel have changed: ask again.
    if (!handOver(panel) && !isWaiting(panel) && isStale(panel)) requestAnimationFrame(painting.paintAll);
  },
});

// Whatever was painted, Plotly takes over once it rests.
painting.whenPainted(restLater);
