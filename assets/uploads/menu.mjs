/* The menu of pairs, with those that this browser has brought. */

import { ask } from "./server.mjs";

/** @typedef {import("./server.mjs").Listed} Listed */

/** @returns {HTMLSelectElement | null} */
function menu() {
  return document.querySelector("#pair-select, #compare-pair");
}

/**
 * Let the menu have the pairs that were brought, and no others of these but the one that is shown.
 * @param {Listed["pairs"]} pairs
 */
export function show(pairs) {
  const select = menu();
  if (!select) return;
  const others = [...select.options].filter(({ value }) => value && (!value.startsWith("upload-") || value === select.value))
    .filter(({ value }) => !pairs.some(({ address }) => address === value))
    .map(({ value, label, disabled, title }) => ({ value, label, ...(disabled && { disabled, title }) }));
  const brought = pairs.map(({ address, label }) => ({ value: address, label }));
  window.dash_clientside.set_props(select.id, { options: [...brought, ...others] });
}

/**
 * Choose a pair of the menu.
 * @param {string} address
 */
export function choose(address) {
  const select = menu();
  if (select) window.dash_clientside.set_props(select.id, { value: address });
}

/** Ask what was brought, let the menu have it, and give it. */
export async function refresh() {
  /** @type {Listed} */
  const listed = await ask("");
  show(listed.pairs);
  return listed;
}
