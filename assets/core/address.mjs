/* The address of every page follows its view, so that it can be sent to a colleague; what a view is, each page says. */

// Chromium and Firefox take 200 new addresses in 10 seconds, Safari 100: no two are closer together than this.
export const PAUSE_MILLISECONDS = 100;
// A page that is opened learns of its link bit by bit; until it knows all, its address has more than the page.
const OPENING_MILLISECONDS = 250;
const REFUSED_MILLISECONDS = 1000;
const providers = [];
let timer = null;
let due = false; // whether a change has not been written
let opened = false; // whether the address has been the page's own
let busyUntil = 0; // when the next change may be written at once

/** Encode as Python's urllib.parse.urlencode does with "," kept, so that equal views have equal links. */
function encoded(text) {
  return encodeURIComponent(text)
    .replace(/[!*'()]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+")
    .replaceAll("%2C", ",");
}

/** The query string of parts by key: keys sorted, what is null or undefined left out. */
export function write(parts) {
  const written = Object.keys(parts)
    .filter((key) => parts[key] !== null && parts[key] !== undefined)
    .sort()
    .map((key) => `${encoded(key)}=${encoded(parts[key])}`);
  return written.length ? `?${written.join("&")}` : "";
}

/** A number as Python writes a float. */
export function decimal(value) {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

/** A list as a link has it; null where there is none. */
export function list(values) {
  return values ? values.join(",") : null;
}

/** Let a part of the page add to the address: `provider()` gives texts by key, null for what is left out, or is
 *  null itself while there is no view yet. */
export function add(provider) {
  providers.push(provider);
}

/** The query string of the view as it is now; null while there is none. */
export function query() {
  const parts = providers.map((provider) => provider());
  return parts.length && parts.every(Boolean) ? write(Object.assign({}, ...parts)) : null;
}

function follow() {
  clearTimeout(timer);
  due = false;
  const search = query();
  if (search === null) return;
  opened = true;
  if (search === window.location.search) return;
  try {
    window.history.replaceState(window.history.state, "", window.location.pathname + search);
  } catch {
    due = true;
    timer = setTimeout(follow, REFUSED_MILLISECONDS); // a browser that counts otherwise
  }
  busyUntil = performance.now() + PAUSE_MILLISECONDS;
}

/**
 * Let the address follow: at once after a single change, before the pictures are drawn anew, which may take longer than
 * anybody waits; but where one change follows the other, once nothing has changed for a moment.
 */
export function later() {
  const now = performance.now();
  const alone = opened && !due && now >= busyUntil;
  clearTimeout(timer);
  due = true;
  busyUntil = now + PAUSE_MILLISECONDS;
  // Whatever changes the view calls this before it is through.
  if (alone) queueMicrotask(follow);
  else timer = setTimeout(follow, opened ? PAUSE_MILLISECONDS : OPENING_MILLISECONDS);
}

// Whoever leaves at once after a change comes back to what was left.
document.addEventListener(
  "click",
  (event) => due && event.target.closest && event.target.closest("a[href]") && follow(),
  true,
);

/** The whole link to the view as it is now. */
export function link() {
  follow();
  const search = query();
  return search === null ? window.location.href : new URL(window.location.pathname + search, window.location.href).href;
}
