/* The line that says how to begin, until somebody has pinned a pixel in this browser. */

import { remember, remembered } from "./storage.mjs";

const KEY = "fusevis-has-pinned";

/** Somebody has pinned a pixel: the line is not needed any more. */
export function learned() {
  document.documentElement.dataset.hasPinned = "";
  remember(KEY, "");
}

// Before the page itself, which then comes without the line.
if (remembered(KEY) !== null) document.documentElement.dataset.hasPinned = "";
