/* Maps on the server: how far each is, beginning one, stopping it; asked again while one is computed. Nothing begins unasked. */

import { patiently } from "../core/patience.mjs";
import { SILENT } from "../core/server.mjs";

/**
 * @typedef {object} Progress - As app/routes/maps.py gives it.
 * @property {number} fraction
 * @property {boolean} complete
 * @property {boolean} running
 * @property {boolean} cancelled
 * @property {string | null} problem
 * @property {number} revision - Of its images, 0 while there are none.
 * @property {number | null} seconds - About how long it takes, where nobody computes it.
 */

const POLL_MILLISECONDS = 400;
/** @type {Progress} */
const IDLE = { fraction: 0, complete: false, running: false, cancelled: false, problem: null, revision: 0, seconds: null };
/** @type {Map<string, Progress>} */
const known = new Map(); // by address, pair/method/weights/kind
/** @type {Map<string, number>} */
const turns = new Map(); // by address: the newest request, as late answers do not count
/** @type {Set<() => void>} */
const listeners = new Set();
/** @type {() => { home: string, viewer: string }} */
let page = () => ({ home: "", viewer: "" });

/**
 * Say where the routes are and who asks, and be told of all news.
 * @param {typeof page} about
 * @param {() => void} listener
 */
export function connect(about, listener) {
  page = about;
  listeners.add(listener);
}

/**
 * How far a map is; null while nothing is known of it.
 * @param {string} address
 */
export function of(address) {
  return known.get(address) || null;
}

/**
 * Find out how far a map is, once.
 * @param {string} address
 */
export function look(address) {
  if (!turns.has(address)) ask(address);
}

/**
 * Begin to compute a map, or join those for whom it is computed.
 * @param {string} address
 */
export function start(address) {
  take(address, { ...(of(address) || IDLE), running: true, cancelled: false, problem: null });
  return ask(address, "start");
}

/**
 * Stop waiting for a map; that is heard at once, whatever the server is at.
 * @param {string} address
 */
export async function stop(address) {
  take(address, { ...(of(address) || IDLE), running: false, cancelled: true });
  await ask(address, "stop");
  return ask(address);
}

/**
 * @param {string} address
 * @param {Progress} progress
 */
function take(address, progress) {
  known.set(address, progress);
  listeners.forEach((listener) => listener());
}

/**
 * @param {string} address
 * @param {string} [action]
 */
async function ask(address, action = "") {
  const turn = (turns.get(address) || 0) + 1;
  turns.set(address, turn);
  const { home, viewer } = page();
  const place = `${home}maps/${address}${action && `/${action}`}?viewer=${viewer}`;
  const found = await answered(place, action ? "POST" : "GET");
  if (turns.get(address) !== turn) return;
  take(address, { ...IDLE, ...found });
  if (found.running) setTimeout(() => turns.get(address) === turn && ask(address), POLL_MILLISECONDS);
}

/**
 * @param {string} place
 * @param {string} method
 * @returns {Promise<Partial<Progress>>}
 */
async function answered(place, method) {
  try {
    const found = await (await patiently(() => fetch(place, { method, credentials: "same-origin" }))).json();
    return found.error ? { problem: found.error } : found;
  } catch {
    return { problem: SILENT };
  }
}
