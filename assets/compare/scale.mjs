/* The colours of the table: ends of the scales, shared or by method, the painters that use them, and the bars in the strip. */

import * as difference from "./difference.mjs";
import * as images from "./images.mjs";
import * as maps from "./maps.mjs";
import { state } from "./state.mjs";
import { isMap, painterOf } from "../maps/kinds.mjs";
import { drawBar, number } from "../painter/bars.mjs";
import * as colours from "../painter/colours.mjs";

/**
 * @import { MapKind } from "../maps/kinds.mjs"
 * @import { Limits, Painter } from "../painter/colours.mjs"
 * @import { DifferenceRow } from "./difference.mjs"
 * @import { Scene, ShownWindow } from "./state.mjs"
 *
 * @typedef {{ name: string, end: number, paint: Painter }} Named - A painter, and the name of its colours.
 * @typedef {{ name: string, shared: number, own: Map<string, number> }} ScaleEnds
 * @typedef {{ paint: Painter, low: number, high: number, ends: string[] }} Legend
 */

/** @param {Scene} scene */
function limitsOf(scene) {
  const guidance = images.get(scene, "guidance");
  return guidance?.limits ?? null;
}

/**
 * The limits of the windows that are shown, while no guidance image is known.
 * @param {Scene} scene
 */
function provisional(scene) {
  const shown = state.points().flatMap((point) => point.shown?.windows.get(scene.key) || []);
  return shown.map((one) => (one.limits = one.limits || colours.limitsOf(one.values)));
}

/** Whether some end may still change, because guidance images are not complete. */
export function isProvisional() {
  return state.ready().some((scene) => !images.get(scene, "guidance")?.complete);
}

/** @param {Scene[]} scenes */
function largest(scenes) {
  const known = scenes.flatMap((scene) => limitsOf(scene) || []);
  const limits = known.length ? known : scenes.flatMap(provisional);
  return Math.max(0, ...limits.map((one) => colours.endOf(one, state.display.scale))) || 1;
}

/** @type {ScaleEnds} */
let kept = { name: "", shared: 1, own: new Map() };

/** Ends by scene key; `shared` is the largest of all. */
export function ends() {
  const scenes = state.ready();
  const name = [state.display.scale, state.display.air, ...scenes.map((scene) => {
    const guidance = images.get(scene, "guidance");
    return guidance ? `${scene.key}:${guidance.complete || guidance.revision}` : provisionalName(scene);
  })].join();
  if (kept.name !== name) {
    kept = { name, shared: largest(scenes), own: new Map(scenes.map((scene) => [scene.key, largest([scene])])) };
  }
  return kept;
}

/** @param {Scene} scene */
function provisionalName(scene) {
  return [scene.key, ...state.points().map((point) => point.shown && `${point.shown.row},${point.shown.col}`)].join(":");
}

/**
 * The end of a method's scale.
 * @param {Scene} scene
 */
export function endFor(scene) {
  return state.display.shared ? ends().shared : ends().own.get(scene.key) ?? 1;
}

/** @type {Map<string, Named>} */
const painters = new Map();

/**
 * The painter of this name, kept: the table draws with few.
 * @param {string} name
 * @param {number} end
 * @param {() => Painter} make
 */
function named(name, end, make) {
  const known = painters.get(name);
  if (known) return known;
  if (painters.size > 64) painters.clear();
  const made = { name, end, paint: make() };
  painters.set(name, made);
  return made;
}

/**
 * The function from a gradient of this method to a pixel, and the name of its colours.
 * @param {Scene} scene
 * @param {number} gamma
 */
export function painterFor(scene, gamma) {
  const end = endFor(scene);
  const name = `${state.display.scale},${gamma},${end}`;
  return named(name, end, () => colours.gradientPainter(state.display.scale, gamma, end));
}

/**
 * Black to white is 0 to 1, or further where the image goes further and has its own scale; fused images share theirs too.
 * @param {Scene} scene
 * @param {string} kind
 */
export function grayPainter(scene, kind) {
  const shown = kind === "fused" && state.display.shared ? state.ready() : [scene];
  let [low, high] = [0, 1];
  for (const one of state.display.gray === "own" ? shown : []) {
    const image = images.get(one, kind);
    if (!image) continue;
    image.reach = image.reach || colours.rangeOf(image.values);
    low = Math.min(low, image.reach[0]);
    high = Math.max(high, image.reach[1]);
  }
  return { name: `gray,${low},${high}`, low, high, paint: colours.grayPainter(low, high) };
}

/**
 * The function from a number of a map to a pixel, and the name of its colours.
 * @param {Scene} scene
 * @param {MapKind} kind
 */
export function mapPainter(scene, kind) {
  const { gamma2 } = state.display;
  const end = maps.endOf(scene, kind);
  return named(`${kind},${gamma2},${end}`, end, () => painterOf(kind, gamma2, end));
}

/**
 * The end of the signed scale: that of the guidance images' difference for all gradients, once it is known.
 * @param {DifferenceRow} scene
 * @param {string} kind
 */
export function differenceEnd(scene, kind) {
  if (isMap(kind)) return images.get(scene, kind)?.end || 1;
  const found = images.get(scene, kind === "fused" ? "fused" : "guidance");
  if (found?.end) return found.end;
  const shown = state.points().flatMap((point) => (point.shown && difference.windowAt(scene, point.shown)) || []);
  return Math.max(...shown.map((one) => difference.largest(one.values)), 0) || 1;
}

/**
 * The function from a difference to a pixel, and the name of its colours.
 * @param {DifferenceRow} scene
 * @param {string} kind
 */
export function differencePainter(scene, kind) {
  const { gamma1, gamma2 } = state.display;
  /** @type {Record<string, number>} */
  const gammas = { fused: 1, jacobian: gamma1 };
  const gamma = gammas[kind] ?? gamma2;
  const end = differenceEnd(scene, kind);
  const name = `difference,${gamma},${end}`;
  return named(name, end, () => colours.gradientPainter("signed", gamma, end));
}

/**
 * The painter of a bar and what stands at its ends: those of all rows, or words where each row has its own.
 * @param {string} bar
 * @param {Scene} scene
 * @returns {Legend}
 */
function legend(bar, scene) {
  const { display } = state;
  if (bar === "intensity") {
    const { paint, low, high } = grayPainter(scene, "fused");
    return { paint, low, high, ends: display.shared ? [number(low), number(high)] : ["lowest", "highest of row"] };
  }
  const { paint, end } = painterFor(scene, bar === "jacobian" ? display.gamma1 : display.gamma2);
  const signed = display.scale === "signed";
  const low = signed ? -end : 0;
  const ends = display.shared ? [number(low), number(end)] : [signed ? "−end" : "0", "end of row"];
  return { paint, low, high: end, ends };
}

let shownBars = "";

/** Draw the colour bars of the strip where their colours or ends have changed. */
export function showBars() {
  const scene = state.common();
  if (!scene) return;
  const provisional = isProvisional();
  const { gamma1, gamma2, scale, shared } = state.display;
  const gray = grayPainter(scene, "fused");
  const name = [gamma1, gamma2, scale, shared, endFor(scene), gray.name, provisional].join();
  if (name === shownBars) return;
  shownBars = name;
  /** @type {NodeListOf<HTMLCanvasElement>} */
  const bars = document.querySelectorAll("canvas[data-bar]");
  for (const canvas of bars) {
    const bar = canvas.dataset.bar || "";
    const { paint, low, high: most, ends } = legend(bar, scene);
    drawBar(canvas, paint, low, most);
    ["low", "high"].forEach((end, index) => {
      const element = document.querySelector(`[data-end="${bar}-${end}"]`);
      if (element) element.textContent = ends[index];
    });
    const grows = provisional && shared && bar !== "intensity";
    const high = document.querySelector(`[data-end="${bar}-high"]`);
    high?.classList.toggle("grows", grows);
    if (high instanceof HTMLElement) high.title = grows ? "Provisional: it grows until all guidance images are complete" : "";
  }
}
