/* Maps in the table: which its columns show, how far they are, and in the strip their button and the bars of their colours. */

import { redraw } from "./frames.mjs";
import * as images from "./images.mjs";
import { state } from "./state.mjs";
import * as channel from "../core/channel.mjs";
import { append } from "../core/elements.mjs";
import { duration } from "../core/job-words.mjs";
import * as jobs from "../maps/jobs.mjs";
import * as kinds from "../maps/kinds.mjs";
import { drawBar } from "../painter/bars.mjs";

/**
 * @import { MapKind } from "../maps/kinds.mjs"
 * @import { Scene } from "./state.mjs"
 */

/** The kinds of maps that the columns show. */
export function shownKinds() {
  return kinds.KINDS.filter((kind) => state.columns.some((column) => column.startsWith(`${kind}_`)));
}

/**
 * Where a map is on the server.
 * @param {Scene} scene
 * @param {MapKind} kind
 */
export function addressOf(scene, kind) {
  return `${channel.placeOf(scene)}/${kind}`;
}

/** The addresses of all maps that the table shows. */
function addresses() {
  return state.ready().flatMap((scene) => shownKinds().map((kind) => addressOf(scene, kind)));
}

/**
 * Why the image of a map is not there yet, or not all of it.
 * @param {Scene} scene
 * @param {MapKind} kind
 */
export function absence(scene, kind) {
  const progress = jobs.of(addressOf(scene, kind));
  if (!progress) return "…";
  if (progress.problem) return progress.problem;
  if (progress.complete) return `Loading ${kind} map …`;
  if (progress.running) return `${kinds.NAMES[kind]} ${Math.round(100 * progress.fraction)} %`;
  return progress.seconds === null ? "Not computed" : `Not computed (about ${duration(progress.seconds)})`;
}

/**
 * The end of a map's scale: of all rows where they share it.
 * @param {Scene} scene
 * @param {MapKind} kind
 */
export function endOf(scene, kind) {
  const rows = state.display.shared ? state.ready() : [scene];
  return kinds.endOf(kind, rows.flatMap((row) => images.get(row, kind) || []));
}

/** Start all maps that are missing, or stop those that are computed. */
function press() {
  const running = addresses().filter((address) => jobs.of(address)?.running);
  if (running.length) running.forEach(jobs.stop);
  else addresses().filter((address) => !jobs.of(address)?.complete).forEach(jobs.start);
}

/** @type {HTMLButtonElement | null} */
let button = null;
let shownBars = "";

/** Show the button as things are, and the bars; nothing where no column shows a map. */
export function show() {
  const host = document.getElementById("compare-maps");
  if (!host) return;
  const wanted = addresses();
  host.hidden = !wanted.length;
  if (!wanted.length) return;
  if (!button) {
    button = append("button", "btn btn-outline-secondary btn-sm map-button", host);
    button.type = "button";
    button.addEventListener("click", press);
  }
  const all = wanted.map((address) => jobs.of(address));
  const missing = all.filter((one) => !one?.complete);
  const seconds = missing.reduce((sum, one) => sum + (one?.seconds || 0), 0);
  const part = Math.round((100 * all.reduce((sum, one) => sum + (one?.complete ? 1 : one?.fraction || 0), 0)) / all.length);
  const running = all.some((one) => one?.running);
  button.textContent = running ? `Stop maps, ${part} %` : missing.length ? `Compute maps (${seconds ? `about ${duration(seconds)}` : "…"})` : "Maps complete";
  button.disabled = !missing.length || all.includes(null);
  showBars(host);
}

/** @param {HTMLElement} host */
function showBars(host) {
  const { shared, gamma2 } = state.display;
  const first = state.ready()[0];
  const bars = shownKinds().map((kind) => ({ kind, ...kinds.barOf(kind, gamma2, endOf(first, kind)) }));
  const name = JSON.stringify([shared, gamma2, ...bars.map(({ kind, ends }) => [kind, ends])]);
  if (name === shownBars) return;
  shownBars = name;
  host.querySelectorAll(".map-scale").forEach((bar) => bar.remove());
  for (const { kind, paint, low, high, ends } of bars) {
    const line = append("span", "map-scale", host);
    line.dataset.map = kind;
    const own = !shared && kind !== "reach";
    append("span", "scale-end", line).textContent = `${kinds.NAMES[kind]} ${own ? (low < 0 ? "−end" : "0") : ends[0]}`;
    drawBar(append("canvas", "map-bar", line), paint, low, high);
    append("span", "scale-end", line).textContent = own ? "end of row" : ends[1];
  }
}

/** Fetch maps as far as they are computed; none is begun. */
function wantAll() {
  for (const scene of state.ready()) {
    for (const kind of shownKinds()) {
      const address = addressOf(scene, kind);
      jobs.look(address);
      const revision = jobs.of(address)?.revision;
      if (revision) images.want(scene, kind, revision);
    }
  }
}

images.whenWanted(wantAll);
jobs.connect(() => ({ home: state.facts().home, viewer: state.viewer }), () => {
  images.wantAll();
  redraw();
});
