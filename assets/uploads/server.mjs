/* What uploads need the server for. A browser is known to it by a secret name that it has made for itself and keeps. */

import * as server from "../core/server.mjs";
import * as storage from "../core/storage.mjs";

const KEY = "fusevis-uploads-key";
let made = ""; // where the browser keeps nothing

/**
 * @typedef {object} Brought - A pair that this browser has brought.
 * @property {string} id
 * @property {string} address
 * @property {string} label
 * @property {number} bytes
 * @property {number} days - Until it goes.
 *
 * @typedef {object} Choosable - A pair that can be chosen.
 * @property {string} address
 * @property {string} label
 * @property {[string, string]} modalities
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

/**
 * Ask for what lies below /uploads; an error has words for a person.
 * @param {string} path
 * @param {string} [method]
 * @param {object} [values]
 */
export function ask(path, method = "GET", values) {
  return answered(`uploads${path}`, method, values);
}

/**
 * Ask for all pairs that can be chosen, those of this browser first.
 * @returns {Promise<{ pairs: Choosable[], problems: string[] }>}
 */
export function askPairs() {
  return answered("pairs", "GET");
}

/**
 * The address of a small picture of a pair.
 * @param {string} pair
 */
export function pictureOf(pair) {
  return `${server.home()}pairs/picture.jpg?pair=${encodeURIComponent(pair)}`;
}

/**
 * Ask for what lies at a path in this browser's name; an error has words for a person.
 * @param {string} path
 * @param {string} method
 * @param {object} [values]
 */
export function answered(path, method, values) {
  const body = values && JSON.stringify(values);
  const headers = { "Fusevis-Viewer": key(), ...(body && { "Content-Type": "application/json" }) };
  return server.ask(path, { method, headers, body });
}

/**
 * Send a piece of a file, and give what is answered; progress(bytes) tells how much of it is on its way. `fetch` would not.
 * @param {string} path
 * @param {Blob} piece
 * @param {(bytes: number) => void} progress
 * @returns {Promise<any>}
 */
export function send(path, piece, progress) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("PUT", `${server.home()}${path}`);
    request.responseType = "json";
    request.upload.addEventListener("progress", ({ loaded }) => progress(loaded));
    request.addEventListener("error", () => failed(new Error(server.SILENT)));
    request.addEventListener("load", () => {
      const error = request.response ? request.response.error : server.SILENT;
      if (error) failed(new Error(error));
      else done(request.response);
    });
    request.send(piece);
  });
}
