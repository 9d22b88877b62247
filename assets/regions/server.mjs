/* What regions need the server for: reading PNG masks, the masks that come with a pair, and codes too long for a link. */

import { ask } from "../core/server.mjs";

/** @type {(message: string) => void} */
let tellElsewhere = () => {};

/**
 * Let what is said while the panel is closed be shown by tell(message).
 * @param {(message: string) => void} tell
 */
export function tellBy(tell) {
  tellElsewhere = tell;
}

/**
 * Keep a code; gives { id }.
 * @param {string} code
 */
export function keep(code) {
  return ask("regions/codes", { method: "POST", body: code });
}

/**
 * Read a PNG mask for a pair; gives { name, code }.
 * @param {string} pair
 * @param {File} file
 */
export function read(pair, file) {
  return ask(`regions/png/${encodeURIComponent(pair)}?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
}

/**
 * The masks that come with a pair; gives { regions: [{ name, code }] }.
 * @param {string} pair
 */
export function known(pair) {
  return ask(`regions/known/${encodeURIComponent(pair)}`);
}

/**
 * Say something of the regions: in their panel, or while that is closed on the page's status line.
 * @param {string} message
 */
export function told(message) {
  const panel = document.getElementById("region-panel");
  if (!panel) return;
  const line = panel.querySelector(".region-message");
  if (line) line.textContent = message;
  if (message && panel.hidden) tellElsewhere(message);
}
