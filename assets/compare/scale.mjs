/* The colours of the table: ends of the scales, shared or by method, and the painters that use them. */

import * as difference from "./difference.mjs";
import * as images from "./images.mjs";
import { state } from "./state.mjs";
import * as colours from "../painter/colours.mjs";

function limitsOf(scene) {
  const guidance = images.get(scene, "guidance");
  return guidance ? guidance.limits : null;
}

/** The limits of the windows that are shown, while no guidance image is known. */
function provisional(scene) {
  const shown = state.points().map((point) => point.shown && point.shown.windows.get(scene.key)).filter(Boolean);
  return shown.map((one) => (one.limits = one.limits || colours.limitsOf(one.values)));
}

/** Whether some end may still change, because guidance images are not complete. */
export function isProvisional() {
  return state.ready().some((scene) => !(images.get(scene, "guidance") || {}).complete);
}

function largest(scenes) {
  const known = scenes.map(limitsOf).filter(Boolean);
  const limits = known.length ? known : scenes.flatMap(provisional);
  return Math.max(0, ...limits.map((one) => colours.endOf(one, state.display.scale))) || 1;
}

let kept = { name: "" };

/** Ends by scene key; `shared` is the largest of all. */
export function ends() {
  const scenes = state.ready();
  const name = [state.display.scale, ...scenes.map((scene) => {
    const guidance = images.get(scene, "guidance");
    return guidance ? `${scene.key}:${guidance.complete || guidance.revision}` : provisionalName(scene);
  })].join();
  if (kept.name !== name) {
    kept = { name, shared: largest(scenes), own: new Map(scenes.map((scene) => [scene.key, largest([scene])])) };
  }
  return kept;
}

function provisionalName(scene) {
  return [scene.key, ...state.points().map((point) => point.shown && `${point.shown.row},${point.shown.col}`)].join(":");
}

/** The end of a method's scale. */
export function endFor(scene) {
  return state.display.shared ? ends().shared : ends().own.get(scene.key);
}

const painters = new Map();

/** The function from a gradient of this method to a pixel, and the name of its colours. */
export function painterFor(scene, gamma) {
  const end = endFor(scene);
  const name = `${state.display.scale},${gamma},${end}`;
  if (!painters.has(name)) {
    if (painters.size > 64) painters.clear();
    painters.set(name, { name, end, paint: colours.gradientPainter(state.display.scale, gamma, end) });
  }
  return painters.get(name);
}

/** Black to white is 0 to 1, or further where the image goes further; fused images share their range too. */
export function grayPainter(scene, kind) {
  const shown = kind === "fused" && state.display.shared ? state.ready() : [scene];
  let [low, high] = [0, 1];
  for (const one of shown) {
    const image = images.get(one, kind);
    if (!image) continue;
    image.reach = image.reach || image.values.reduce(
      ([least, most], value) => [Math.min(least, value), Math.max(most, value)], [0, 1]);
    low = Math.min(low, image.reach[0]);
    high = Math.max(high, image.reach[1]);
  }
  return { name: `gray,${low},${high}`, low, high, paint: colours.grayPainter(low, high) };
}

/** The end of the signed scale: that of the guidance images' difference for all gradients, once it is known. */
export function differenceEnd(scene, kind) {
  const found = images.get(scene, kind === "fused" ? "fused" : "guidance");
  if (found) return found.end;
  const shown = state.points().map((point) => point.shown && difference.windowAt(scene, point.shown)).filter(Boolean);
  return Math.max(...shown.map((one) => difference.largest(one.values)), 0) || 1;
}

/** The function from a difference to a pixel, and the name of its colours. */
export function differencePainter(scene, kind) {
  const { gamma1, gamma2 } = state.display;
  const gamma = { fused: 1, guidance: gamma2, jacobian: gamma1 }[kind];
  const end = differenceEnd(scene, kind);
  const name = `difference,${gamma},${end}`;
  if (!painters.has(name)) {
    if (painters.size > 64) painters.clear();
    painters.set(name, { name, end, paint: colours.gradientPainter("signed", gamma, end) });
  }
  return painters.get(name);
}
