/* The projector mode: larger words and thicker boxes, for a room. The browser remembers it; links do not say it. */

import { isForPage } from "./dialogs.mjs";
import { remember, remembered } from "./storage.mjs";

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

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== SWITCH || !isForPage(event)) return;
  const on = root.dataset.projector !== "on";
  show(on);
  remember(KEY, on ? "on" : "off");
});

if (remembered(KEY) === "on") root.dataset.projector = "on";
