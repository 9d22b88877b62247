/* What uploads need the server for. A browser is known to it by a secret name that it has made for itself and keeps. */

import * as storage from "../core/storage.mjs";

const KEY = "fusevis-uploads-key";
const FAILED = "The server does not answer. Is it still running?";
let made = ""; // where the browser keeps nothing

/**
 * @typedef {object} Brought - A pair that this browser has brought.
 * @property {string} id
 * @property {string} address
 * @property {string} label
 * @property {number} bytes
 * @property {number} days - Until it goes.
 *
 * @typedef {object} Listed
 * @property {boolean} on
 * @property {number} most_bytes
 * @property {number} most_files
 * @property {number} piece
 * @property {number} keep_days
 * @property {Brought[]} pairs
 */

function key() {
  made = storage.remembered(KEY) || made;
  if (!made) {
    made = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    storage.remember(KEY, made);
  }
  return made;
}

function home() {
  return document.getElementById("region-panel")?.dataset.home ?? "./";
}

/**
 * Ask for what lies below /uploads; an error has words for a person.
 * @param {string} path
 * @param {string} [method]
 * @param {object} [values]
 */
export async function ask(path, method = "GET", values) {
  const body = values && JSON.stringify(values);
  let answer;
  try {
    const headers = { "Fusevis-Viewer": key(), ...(body && { "Content-Type": "application/json" }) };
    answer = await fetch(`${home()}uploads${path}`, { method, headers, body });
  } catch {
    throw new Error(FAILED);
  }
  const found = await answer.json().catch(() => ({ error: FAILED }));
  if (found.error) throw new Error(found.error);
  return found;
}

/**
 * Send a piece of a file; progress(bytes) tells how much of it is on its way. `fetch` would not.
 * @param {string} path
 * @param {Blob} piece
 * @param {(bytes: number) => void} progress
 * @returns {Promise<void>}
 */
export function send(path, piece, progress) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("PUT", `${home()}uploads${path}`);
    request.responseType = "json";
    request.upload.addEventListener("progress", ({ loaded }) => progress(loaded));
    request.addEventListener("error", () => failed(new Error(FAILED)));
    request.addEventListener("load", () => {
      const error = request.response ? request.response.error : FAILED;
      if (error) failed(new Error(error));
      else done();
    });
    request.send(piece);
  });
}
