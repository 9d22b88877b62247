/*
 * The menu of pairs, as the server has them now: those that this browser has brought, and what was added to the data folder
 * since the page was opened. It is asked for when somebody comes to the menu.
 */

import { closest } from "../core/elements.mjs";
import { askPairs } from "./server.mjs";

/** @typedef {import("./server.mjs").Choosable} Choosable */

const MENU = "#pair-select, #compare-pair";
const PAUSE_MILLISECONDS = 2000;
let asked = -PAUSE_MILLISECONDS;

/** @returns {HTMLSelectElement | null} */
function menu() {
  return document.querySelector(MENU);
}

/**
 * Let the menu have these pairs, and the one that is shown; nothing is done where it has them.
 * @param {Choosable[]} pairs
 */
function show(pairs) {
  const select = menu();
  if (!select) return;
  const before = [...select.options].filter(({ value }) => value).map(({ value, label, title }) => ({ value, label, ...(title && { title }) }));
  const listed = pairs.map(({ address, label }) => ({ value: address, label }));
  const shown = before.filter(({ value }) => value === select.value && !listed.some((one) => one.value === value));
  const options = [...listed, ...shown];
  if (JSON.stringify(options) !== JSON.stringify(before)) window.dash_clientside.set_props(select.id, { options });
}

/**
 * Choose a pair of the menu.
 * @param {string} address
 */
export function choose(address) {
  const select = menu();
  if (select) window.dash_clientside.set_props(select.id, { value: address });
}

/** Ask what there is now, let the menu have it, and give it. */
export async function refresh() {
  asked = performance.now();
  const listed = await askPairs();
  show(listed.pairs);
  return listed;
}

/** @param {Event} event */
function come(event) {
  if (!closest(event, MENU) || performance.now() - asked < PAUSE_MILLISECONDS) return;
  refresh().catch(() => null); // the menu stays as it is; what is chosen says what is wrong
}

document.addEventListener("pointerover", come);
document.addEventListener("focusin", come);
