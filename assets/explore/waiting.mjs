/* What each panel waits for, and the way to try again where a request has failed. */

import * as graphs from "./graphs.mjs";
import { state } from "./state.mjs";
import * as dash from "../core/dash-requests.mjs";
import { say } from "../core/waiting.mjs";

/**
 * @import { DashRequest } from "../core/dash-requests.mjs"
 * @import { Said } from "../core/waiting.mjs"
 * @import { Pixel } from "../painter/shapes.mjs"
 * @import { GuidanceLimits } from "./state.mjs"
 *
 * @typedef {"scene" | "guidance" | "rest" | "pixel" | "growth"} Request
 * @typedef {{ message: string, again: (() => void) | null }} Failure - Without `again` where the page itself asks again.
 * @typedef {Said & { since?: number }} Reason
 *
 * @typedef {object} Facts
 * @property {boolean} entered - Whether a pair and a method are shown.
 * @property {{ pair: boolean, since: number } | null} choosing - Others are on their way; `pair`: with other input images.
 * @property {Pixel | null} pixel - Whose window is on its way.
 * @property {number} since - When the wait for a window began.
 * @property {boolean} unscaled - Whether nobody knows yet where the scale of Jacobian images ends.
 * @property {GuidanceLimits | null} limits
 * @property {number} percent - Of the guidance images.
 * @property {Partial<Record<Request, Failure>>} failures
 */

const LOOK_MILLISECONDS = 100;
const SHORTEST_WAIT_MILLISECONDS = 75; // what takes less is not worth a word
const LONG_MILLISECONDS = 1000; // from which on seconds are counted
const INPUTS = ["panel-mri", "panel-pet", "panel-fused"];
const JACOBIANS = ["panel-jacobian-mri", "panel-jacobian-pet"];
const AGAIN = "Try again";
// What Dash is asked for: an output of its callback, and what to set again to have it asked once more.
const CALLS = /** @type {const} */ ([
  ["scene", "..scene.data..", "method-select", "value"],
  ["guidance", ".guidance-limits.data.", "scene", "data"],
  ["rest", ".green-points.data.", "rested-pixel", "data"],
]);
/** @type {Facts["failures"]} */
const failures = {};
/** @type {Facts["choosing"]} */
let choosing = null;
/** @type {DashRequest | null} */
let choice = null;
let movedAt = 0; // when the wait for the window of the principal pixel began; 0: nobody waits
/** @type {Map<string, { text: string, at: number }>} */
const told = new Map(); // by panel: since when it waits for what
/** @type {ReturnType<typeof setTimeout> | null} */
let timer = null;

/**
 * @param {string} text
 * @param {Failure} failure
 * @param {boolean} button
 * @returns {Reason}
 */
function failed(text, { message, again }, button) {
  return { text: text ? `${text}: ${message}` : message, failed: true, ...(again && button ? { action: AGAIN, act: again } : {}) };
}

/**
 * What a picture of guidance images waits for.
 * @param {Facts} facts
 * @param {boolean} button
 * @returns {Reason | null}
 */
function guidanceReason({ limits, percent, failures: { guidance, growth } }, button) {
  if (guidance) return failed("Guidance images", guidance, button);
  const compute = button ? { action: "Compute", act: pressCompute } : {};
  if (limits?.stage === "failed") return { text: `Guidance images failed: ${limits.error}`, failed: true, ...compute };
  if (limits?.stage === "waiting") return { text: "Guidance images are not complete", ...compute };
  if (limits?.stage === "complete") return null;
  if (growth) return failed("Guidance images", growth, button);
  return { text: percent ? `Guidance ${percent} %` : "Guidance", part: percent ? percent / 100 : null };
}

/**
 * What a panel waits for; null where it shows what is wanted.
 * @param {string} panel
 * @param {Facts} facts
 * @returns {Reason | null}
 */
export function reasonOf(panel, facts) {
  const zoom = panel.endsWith("-zoom");
  const source = panel.replace(/-zoom$/, "");
  const { entered, choosing: next, pixel, since, unscaled, failures: gone } = facts;
  if (gone.scene && (source === "panel-fused" || !entered)) return failed("", gone.scene, source === "panel-fused" && !zoom);
  if (gone.scene) return null;
  if (!entered || next) return sceneReason(source, facts);
  const jacobian = JACOBIANS.includes(source);
  if (pixel && (zoom || jacobian)) {
    const what = `${jacobian ? "Jacobian of" : "Zoom at"} (${pixel.row}, ${pixel.col})`;
    return gone.pixel ? failed(what, gone.pixel, jacobian && !zoom) : { text: what, part: null, since };
  }
  if (jacobian && unscaled) return { text: "Jacobian image", part: null };
  if (jacobian) return gone.rest && !zoom ? failed("Values to read off", gone.rest, true) : null;
  if (INPUTS.includes(source)) return null;
  const reason = guidanceReason(facts, !zoom);
  // What a zoom shows of growing images is said beside them.
  return zoom && facts.limits?.known ? null : reason;
}

/**
 * What a panel waits for while another pair or method is on its way.
 * @param {string} source
 * @param {Facts} facts
 * @returns {Reason | null}
 */
function sceneReason(source, { entered, choosing: next }) {
  const since = next?.since;
  if (JACOBIANS.includes(source)) return { text: "Jacobian image", part: null, since };
  if (!INPUTS.includes(source)) return { text: "Guidance", part: null, since };
  if (!entered) return { text: "First picture", part: null, since };
  if (source === "panel-fused") return { text: "Fused image", part: null, since };
  return next?.pair ? { text: "Input image", part: null, since } : null;
}

/** Start the computation of guidance images again, as the button beside their progress does. */
function pressCompute() {
  document.getElementById("guidance-button")?.click();
}

/** @returns {Facts} */
function facts() {
  const bar = document.querySelector("#guidance-progress [role=progressbar]");
  const moving = state.scene && state.pixel && state.isMoving();
  return {
    entered: Boolean(state.scene),
    choosing,
    pixel: moving ? state.pixel : null,
    since: movedAt,
    unscaled: state.endWait() > 0,
    limits: state.limits,
    percent: Number(bar?.getAttribute("aria-valuenow") || 0),
    failures,
  };
}

/**
 * Whether a panel shows nothing at all.
 * @param {HTMLElement} section
 */
function isBare(section) {
  const canvas = /** @type {HTMLElement | null} */ (section.querySelector(".overlay-canvas"));
  return canvas?.style.visibility !== "visible" && !section.querySelector(".first-view, .js-plotly-plot .nsewdrag");
}

/**
 * Say on a panel what it waits for; whether it waits for something that comes by itself.
 * @param {string} panel
 * @param {Facts} known
 */
function tell(panel, known) {
  const host = /** @type {HTMLElement | null} */ (document.querySelector(`section[data-panel="${panel}"]`));
  if (!host) return false;
  const reason = !state.scene && host.querySelector(".first-view") ? null : reasonOf(panel, known);
  const now = performance.now();
  if (!reason) {
    told.delete(panel);
    say(host, null);
    return false;
  }
  const before = told.get(panel);
  const at = before?.text === reason.text ? before.at : now;
  told.set(panel, { text: reason.text, at });
  const waited = now - (reason.since || at);
  const brief = reason.since && waited < SHORTEST_WAIT_MILLISECONDS;
  const seconds = reason.part === null && waited >= LONG_MILLISECONDS ? ` · ${Math.floor(waited / 1000)} s` : "";
  say(host, brief ? null : { ...reason, text: `${reason.text}${seconds}`, bare: isBare(host) });
  return reason.part !== undefined;
}

function tellAll() {
  timer = null;
  const known = facts();
  const waiting = graphs.ALL.filter((panel) => tell(panel, known));
  if (waiting.length) look();
}

/** Say before long what every panel waits for, and go on as long as one does. */
export function look() {
  if (timer === null) timer = setTimeout(tellAll, LOOK_MILLISECONDS);
}

/**
 * Note that a request has failed; again() sends it once more, null where that happens by itself.
 * @param {Request} request
 * @param {string} message
 * @param {(() => void) | null} again
 */
export function fail(request, message, again) {
  failures[request] = { message, again };
  look();
}

/**
 * Note that a request is answered, or is sent once more.
 * @param {Request} request
 */
export function settle(request) {
  if (!failures[request]) return;
  delete failures[request];
  look();
}

/** Note that the window of another principal pixel is asked for. */
export function begin() {
  settle("pixel");
  if (!movedAt) movedAt = performance.now();
  look();
}

/** Note that a window was shown. */
export function end() {
  settle("pixel");
  movedAt = state.isMoving() ? performance.now() : 0;
}

dash.listen({
  sent(request) {
    look(); // the page is there by now
    if (!request.outputs.includes("..scene.data..")) return;
    choice = request;
    choosing = { pair: request.values["pair-select"] !== state.scene?.pair_address, since: performance.now() };
    settle("scene");
  },
  ended(request, failure) {
    const call = CALLS.find(([, output]) => request.outputs.includes(output));
    if (!call) return;
    const [name, , input, property] = call;
    if (name === "scene") {
      if (choice !== request) return;
      choice = null;
      choosing = null;
    }
    const again = () => {
      settle(name);
      window.dash_clientside.set_props(input, { [property]: request.values[input] });
    };
    if (failure) fail(name, failure, again);
    else settle(name);
    look();
  },
});

graphs.listen({ drawn: look });
look();
