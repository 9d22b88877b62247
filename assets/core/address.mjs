/* The address of every page follows its view, so that it can be sent to a colleague; what a view is, each page says. */

import { closest } from "./elements.mjs";

/** @import { LinkState } from "./tracked.mjs" */

// Chromium and Firefox take 200 new addresses in 10 seconds, Safari 100: no two are closer together than this.
export const PAUSE_MILLISECONDS = 100;
// A page that is opened learns of its link bit by bit; until it knows all, its address has more than the page.
const OPENING_MILLISECONDS = 250;
const REFUSED_MILLISECONDS = 1000;
/** @type {LinkState<any> | null} */
let view = null;
let begun = false; // whether the view knows what links leave out
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let due = false; // whether a change has not been written
let opened = false; // whether the address has been the page's own
let busyUntil = 0; // when the next change may be written at once

/**
 * Let the address of this page follow a view; there is one as soon as it has a pair.
 * @param {LinkState<any>} link
 */
export function show(link) {
  view = link;
  link.subscribe(later);
}

/** The query string of the view as it is now; null while there is none. */
export function query() {
  if (!view || view.parts.pair.value === null) return null;
  if (!begun) {
    // The layout, which is there by now, says what the first view has.
    const page = /** @type {HTMLElement} */ (document.querySelector("[data-first]"));
    view.begin(JSON.parse(page.dataset.first || "{}"));
    begun = true;
  }
  return view.query();
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
function later() {
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
  (event) => {
    if (due && closest(event, "a[href]")) follow();
  },
  true,
);

/** The whole link to the view as it is now. */
export function link() {
  follow();
  const search = query();
  return search === null ? window.location.href : new URL(window.location.pathname + search, window.location.href).href;
}
