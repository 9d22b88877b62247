/* Dash's requests to its callbacks: Dash itself tells nobody of one that is under way, nor of one that has failed. */

import { patiently } from "./patience.mjs";
import { SILENT } from "./server.mjs";

/**
 * @typedef {object} DashRequest
 * @property {string} outputs - What it is to change, as Dash names it.
 * @property {Record<string, unknown>} values - By component: what its inputs and states were.
 *
 * @typedef {object} Listener
 * @property {(request: DashRequest) => void} sent
 * @property {(request: DashRequest, words: string) => void} [delayed]
 * @property {(request: DashRequest, failure: string | null) => void} ended
 */

const CALLBACKS = "_dash-update-component";
const FAILURE = "Fusevis-Failure"; // a header, as app/factory.py sets it
/** @type {Listener[]} */
const listeners = [];

/**
 * Call listener.sent(request) when Dash asks, listener.delayed(request, words) when the server is too busy and is asked
 * again, and listener.ended(request, failure) when Dash has got an answer, or none.
 * @param {Listener} listener
 */
export function listen(listener) {
  listeners.push(listener);
}

/**
 * @param {string} body
 * @returns {DashRequest}
 */
function read(body) {
  const { output, inputs = [], state = [] } = JSON.parse(body);
  /** @type {Record<string, unknown>} */
  const values = {};
  [...state, ...inputs].flat().forEach(({ id, value }) => {
    values[id] = value;
  });
  return { outputs: output, values };
}

/**
 * Why an answer is none; null where it is one.
 * @param {Response} answer
 */
function failureOf(answer) {
  const told = answer.headers.get(FAILURE);
  if (told) return decodeURIComponent(told);
  return answer.ok ? null : `The server answered ${answer.status}.`;
}

/**
 * As `fetch`, and tells the listeners.
 * @param {typeof window.fetch} real
 * @returns {typeof window.fetch}
 */
export function told(real) {
  return async (address, options) => {
    const body = options?.body;
    if (typeof address !== "string" || !address.includes(CALLBACKS) || typeof body !== "string") return real(address, options);
    const request = read(body);
    listeners.forEach(({ sent }) => sent(request));
    /** @param {string | null} failure */
    const ended = (failure) => listeners.forEach((one) => one.ended(request, failure));
    try {
      const answer = await patiently(() => real(address, options), (words) => listeners.forEach(({ delayed }) => delayed?.(request, words)));
      ended(failureOf(answer));
      return answer;
    } catch (error) {
      ended(SILENT);
      throw error;
    }
  };
}

if (window.fetch) window.fetch = told(window.fetch.bind(window));
