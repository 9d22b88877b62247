/* What a picture waits for, in words, and a second try in its place where a request has failed. */

import * as images from "./images.mjs";
import * as maps from "./maps.mjs";
import { state } from "./state.mjs";
import * as windows from "./windows.mjs";
import { append } from "../core/elements.mjs";
import { isMap } from "../maps/kinds.mjs";

/**
 * @import { Picture } from "./layout.mjs"
 *
 * @typedef {{ message: string, again: () => void }} Failure
 */

/** @type {Record<string, string>} */
const IMAGES = { inputs: "inputs", fused: "fused", guidance: "guidance", scatter: "guidance", rgb: "rgb" };
/** @type {Record<string, string>} */
const LOADING = { inputs: "Loading input …", fused: "Computing fused image …", fused_colour: "Computing fused image …", jacobian: "Computing Jacobian …" };

/**
 * Say why a picture is not there yet.
 * @param {Picture} picture
 */
export function absence({ scene, kind }) {
  if (scene.difference && ["rgb", "fused_colour", "scatter"].includes(kind)) return "no difference of these";
  if (scene.difference) return "Waits for both methods …";
  if (LOADING[kind]) return LOADING[kind];
  if (isMap(kind)) return maps.absence(scene, kind);
  const progress = state.progress[scene.key];
  if (!progress) return "Guidance begins …";
  if (progress.stage === "failed") return "Guidance failed";
  if (progress.stage === "cancelled") return "Guidance cancelled";
  if (progress.stage === "waiting") return "Guidance waits its turn";
  if (progress.stage === "complete") return "Loading guidance …";
  return `Guidance ${Math.round(100 * progress.fraction)} %`;
}

/** Let the server try again what it could not do: open methods, compute guidance images. */
export function retryOnServer() {
  window.dash_clientside.set_props("compare-retry", { data: performance.now() });
}

/**
 * Why a picture cannot be had, and what to do then; null where it is here or on its way.
 * @param {Picture} picture
 * @returns {Failure | null}
 */
function failureOf({ scene, kind, point }) {
  if (scene.difference) return null;
  if (kind === "jacobian") {
    return point?.failed ? { message: point.failed, again: () => windows.ask(point) } : null;
  }
  const progress = state.progress[scene.key];
  const name = IMAGES[kind] || kind;
  const colours = images.INPUT_COLOURS.find((one) => kind === "inputs" && images.failure(scene, one));
  if (colours) return { message: images.failure(scene, colours), again: () => images.retry(scene, colours) };
  const message = images.failure(scene, name);
  if (message) return { message, again: () => images.retry(scene, name) };
  if (isMap(kind) || kind === "inputs" || kind.startsWith("fused") || progress?.stage !== "failed") return null;
  return { message: progress.error || "Guidance failed", again: retryOnServer };
}

let shown = "";

/**
 * Show a button for a second try in each picture whose request has failed.
 * @param {HTMLElement} holder
 * @param {Picture[]} pictures
 */
export function showRetries(holder, pictures) {
  const failed = pictures.flatMap((picture) => {
    const failure = failureOf(picture);
    return failure ? [{ picture, failure }] : [];
  });
  const name = JSON.stringify(failed.map(({ picture, failure }) => [picture.box, picture.scene.key, picture.kind, failure.message]));
  if (name === shown) return;
  shown = name;
  holder.replaceChildren();
  for (const { picture: { box, scene, kind }, failure } of failed) {
    const element = append("div", "compare-retry", holder);
    Object.assign(element.style, { left: `${box.left}px`, top: `${box.top}px`, width: `${box.width}px`, height: `${box.height}px` });
    const words = append("span", "compare-retry-words", element);
    words.textContent = words.title = failure.message;
    const button = append("button", "btn btn-sm btn-outline-danger", element);
    Object.assign(button, { type: "button", textContent: "Try again" });
    button.setAttribute("aria-label", `Try again: ${kind === "inputs" ? "inputs" : `${kind} of ${scene.method_title}`}`);
    button.addEventListener("click", failure.again);
  }
}
