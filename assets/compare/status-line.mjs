/* The line below the table: how the last answer came, or why none did, and how far guidance images are. */

import { state } from "./state.mjs";
import { say } from "../core/announce.mjs";
import * as channel from "../core/channel.mjs";

/** @import { Progress, Shown } from "./state.mjs" */

const ANSWER_MILLISECONDS = 1000; // after which nothing is said of an answer any more
let answered = ""; // of the last answer: how it came
/** @type {ReturnType<typeof setTimeout> | undefined} */
let emptying;
let failure = "";
/** @type {number[]} */
let painted = []; // when answers of the last second were shown

/**
 * Show the status line, and the zooms' half-width in its field, as things are now: neither must be older than the table. Of
 * pins it says what still holds.
 */
export function refresh() {
  const element = document.getElementById("compare-status");
  if (!element) return;
  const zoom = /** @type {HTMLInputElement | null} */ (document.getElementById("compare-zoom"));
  if (zoom && state.common()) zoom.placeholder = `auto ${state.half()}`;
  const pinned = state.a.pinned ? "A pinned: arrow keys move it, Esc lets go" : "";
  const text = failure || (state.common() ? [answered, pinned].filter(Boolean).join(" · ") : "");
  if (element.textContent !== text) element.textContent = text;
  element.classList.toggle("failed", Boolean(failure));
}

/**
 * How the windows of an answer were computed; with numbers of methods where not all in the same way.
 * @param {Shown} answer
 */
function paths({ windows }) {
  const counts = new Map();
  for (const { path } of windows.values()) {
    const words = channel.PATHS[path] || "exact";
    counts.set(words, (counts.get(words) || 0) + 1);
  }
  if (counts.size === 1) return [...counts.keys()][0];
  return [...counts].map(([words, count]) => `${count} by ${words}`).join(", ");
}

/**
 * Say how long the last answer took.
 * @param {Shown} answer
 * @param {number} milliseconds
 */
export function show(answer, milliseconds) {
  const waited = milliseconds ? channel.waiting(milliseconds, answer.compute) : "remembered";
  const computed = milliseconds && answer.compute !== null ? `, computed in ${answer.compute.toFixed(1)} ms` : "";
  const ready = state.ready();
  const place = ready.length ? ` on ${ready[0].device}` : "";
  const count = answer.windows.size === 1 ? "1 method" : `${answer.windows.size} methods`;
  const now = performance.now();
  painted = [...painted.filter((time) => now - time < 1000), now];
  const rate = `${painted.length} ${painted.length === 1 ? "update" : "updates"} in the last second`;
  answered = `Jacobians of ${count} · ${paths(answer)} · ${waited}${computed}${place} · ${rate}`;
  failure = "";
  refresh();
  clearTimeout(emptying);
  emptying = setTimeout(() => {
    answered = "";
    refresh();
  }, ANSWER_MILLISECONDS);
}

/** @param {string} message */
export function fail(message) {
  failure = message;
  say(message);
  refresh();
}

/**
 * The words, and percent of all methods together.
 * @param {Record<string, Progress> | null} progress - By scene.
 * @returns {[string, number]}
 */
export function tellGuidance(progress) {
  const all = Object.values(progress || {});
  if (!all.length) return ["Guidance images", 0];
  /** @param {string} stage */
  const count = (stage) => all.filter((one) => one.stage === stage).length;
  const done = count("complete");
  const part = all.reduce((sum, one) => sum + (one.stage === "complete" ? 1 : one.fraction || 0), 0) / all.length;
  const percent = Math.round(100 * part);
  if (done === all.length) return ["Guidance complete", 100];
  if (count("running") || count("waiting")) return [`Guidance ${done} of ${all.length}, ${percent}%`, percent];
  return [count("failed") ? `Guidance failed for ${count("failed")} of ${all.length}` : "Guidance cancelled", percent];
}
