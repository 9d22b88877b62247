/* The projector mode: larger words and thicker boxes, for a room. The browser remembers it; links do not say it. */

import { isForPage } from "./dialogs.mjs";

const KEY = "fusevis-projector";
const SWITCH = "p";
const root = document.documentElement;

/** @param {boolean} on */
function show(on) {
  if (on) root.dataset.projector = "on";
  else delete root.dataset.projector;
  // What is drawn has other sizes now.
  window.dispatchEvent(new Event("resize"));
}

function remembered() {
  try {
    return window.localStorage.getItem(KEY) === "on";
  } catch {
    return false; // storage is switched off
  }
}

/** @param {boolean} on */
function remember(on) {
  try {
    window.localStorage.setItem(KEY, on ? "on" : "off");
  } catch {
    // Then it lasts as long as the page.
  }
}

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== SWITCH || !isForPage(event)) return;
  const on = root.dataset.projector !== "on";
  show(on);
  remember(on);
});

if (remembered()) root.dataset.projector = "on";
