/*
 * The menus of methods, as the server has them now for this browser: with the networks that it has brought. They are asked for
 * when somebody comes to one of them; where no networks are taken, they stay as they came with the page.
 */

import { closest } from "../core/elements.mjs";
import { answered } from "../uploads/server.mjs";

/** @typedef {{ value: string, label: string, disabled?: boolean, title?: string }} Option */

const ONE = "method-select"; // of the first page
const SEVERAL = "compare-methods"; // of the compare page
const DIFFERENCE = ["compare-minuend", "compare-subtrahend"];
const PAUSE_MILLISECONDS = 2000;
let asked = -PAUSE_MILLISECONDS;
let known = "";

/** @type {() => string[]} */
let idsShown = () => [];

/**
 * Say which methods are shown, some of which no menu may have.
 * @param {() => string[]} ids
 */
export function begin(ids) {
  idsShown = ids;
}

/** The ids of the methods that are shown. */
export function shown() {
  return idsShown();
}

/** @param {string} id */
function isHere(id) {
  return document.getElementById(id) !== null;
}

/** Ask what there is now, and let the menus have it. */
export async function refresh() {
  asked = performance.now();
  /** @type {{ options: Option[] }} */
  const { options } = await answered(`methods?shown=${encodeURIComponent(shown().join(","))}`, "GET");
  const now = JSON.stringify(options);
  if (now === known) return;
  known = now;
  for (const id of [ONE, SEVERAL, ...DIFFERENCE].filter(isHere)) {
    const nothing = DIFFERENCE.includes(id) ? [{ value: "", label: "none" }] : [];
    window.dash_clientside.set_props(id, { options: [...nothing, ...options] });
  }
}

/**
 * Choose a method: it takes the place of the one that is shown, or comes to the others.
 * @param {string} id
 */
export function choose(id) {
  const value = isHere(ONE) ? id : [...new Set([...shown(), id])];
  window.dash_clientside.set_props(isHere(ONE) ? ONE : SEVERAL, { value });
}

/** @param {Event} event */
function come(event) {
  if (!isHere("networks-open") || !closest(event, `#${ONE}, .control-several`)) return;
  if (performance.now() - asked < PAUSE_MILLISECONDS) return;
  refresh().catch(() => null); // the menu stays as it is
}

document.addEventListener("pointerover", come);
document.addEventListener("focusin", come);
