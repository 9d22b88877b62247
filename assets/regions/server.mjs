/* What regions need the server for: reading PNG masks, the masks that come with a pair, and codes too long for a link. */

/** @type {(message: string) => void} */
let tellElsewhere = () => {};

/**
 * Let what is said while the panel is closed be shown by tell(message).
 * @param {(message: string) => void} tell
 */
export function tellBy(tell) {
  tellElsewhere = tell;
}

const FAILED = "The server does not answer. Is it still running?";

/**
 * @param {string} path
 * @param {RequestInit} [options]
 */
async function answered(path, options) {
  let answer;
  try {
    answer = await fetch(`${home()}regions/${path}`, options);
  } catch {
    throw new Error(FAILED);
  }
  const found = await answer.json().catch(() => ({ error: FAILED }));
  if (!answer.ok || found.error) throw new Error(found.error || FAILED);
  return found;
}

/** Where the server is: the address of the first page. */
function home() {
  return document.getElementById("region-panel")?.dataset.home ?? "./";
}

/**
 * Keep a code; gives { id }.
 * @param {string} code
 */
export function keep(code) {
  return answered("codes", { method: "POST", body: code });
}

/**
 * Read a PNG mask for a pair; gives { name, code }.
 * @param {string} pair
 * @param {File} file
 */
export function read(pair, file) {
  return answered(`png/${encodeURIComponent(pair)}?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
}

/**
 * The masks that come with a pair; gives { regions: [{ name, code }] }.
 * @param {string} pair
 */
export function known(pair) {
  return answered(`known/${encodeURIComponent(pair)}`);
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
