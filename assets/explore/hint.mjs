/* The line that says how to begin, until somebody has pinned a pixel in this browser. */

const KEY = "fusevis-has-pinned";

function isKnown() {
  try {
    return window.localStorage.getItem(KEY) !== null;
  } catch {
    return false; // storage is switched off
  }
}

/** Somebody has pinned a pixel: the line is not needed any more. */
export function learned() {
  document.documentElement.dataset.hasPinned = "";
  try {
    window.localStorage.setItem(KEY, "");
  } catch {
    // It comes back with the next page.
  }
}

// Before the page itself, which then comes without the line.
if (isKnown()) document.documentElement.dataset.hasPinned = "";
