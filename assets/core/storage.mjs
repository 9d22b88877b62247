/* What the browser remembers. It may keep nothing: what is to be remembered then lasts as long as the page. */

/** @typedef {"localStorage" | "sessionStorage"} Kind - For ever, or until the tab is closed. */

/**
 * The text that is remembered; null where there is none.
 * @param {string} key
 * @param {Kind} [kind]
 */
export function remembered(key, kind = "localStorage") {
  try {
    return window[kind].getItem(key);
  } catch {
    return null; // storage is switched off
  }
}

/**
 * @param {string} key
 * @param {string} text
 * @param {Kind} [kind]
 */
export function remember(key, text, kind = "localStorage") {
  try {
    window[kind].setItem(key, text);
  } catch {
    // Switched off, or full.
  }
}
