/*
 * Whose a key is. What is pressed in a dialog, a menu, a panel or a field acts on that alone; listeners of the page, which
 * move pixels, let them go and change tools, ask `isForPage` first. Panels and menus of the pages' own are closed by Esc here;
 * Bootstrap's dialogs and the browser's close by themselves.
 */

import { closest } from "./elements.mjs";

/**
 * @typedef {object} Layer - A panel or a menu of the page's own.
 * @property {string} id
 * @property {(host: HTMLElement) => boolean} isOpen
 * @property {() => void} close - Closes it, and gives the focus back to what opened it.
 * @property {boolean} [isMenu] - Whether Esc closes it wherever the focus is.
 */

// While one of these is open, all keys are its own: a button of it that can no longer be pressed loses the focus to the page.
const MODAL = "[aria-modal=true], dialog:modal";
const INSIDE = "[role=dialog], dialog, [role=menu], [role=listbox], [class*=dash-dropdown]";
const FIELDS = "input:not([type=radio], [type=checkbox]), select, textarea, [role=slider], [contenteditable]";
const CHOICES = "input, [role=toolbar]"; // go from one to the next by the arrow keys
/** @type {Layer[]} */
const layers = [];
/** @type {WeakMap<Event, Element | null>} */
const owners = new WeakMap();

/**
 * Let keys in a panel or a menu be its own, and Esc close it.
 * @param {Layer} layer
 */
export function add(layer) {
  layers.push(layer);
}

/** @param {Layer} layer */
function openHost({ id, isOpen }) {
  const host = document.getElementById(id);
  return host && isOpen(host) ? host : null;
}

/** @param {KeyboardEvent} event */
function find(event) {
  const modal = [...document.querySelectorAll(MODAL)].pop();
  if (modal) return modal;
  const open = layers.flatMap((layer) => {
    const host = openHost(layer);
    const takes = host && (host.contains(/** @type {Node} */ (event.target)) || (layer.isMenu && event.key === "Escape"));
    return takes ? host : [];
  });
  return open.pop() || closest(event, INSIDE);
}

/**
 * The dialog, menu, panel or list that a key acts on; null where it is none's.
 * @param {KeyboardEvent} event
 */
export function ownerOf(event) {
  const known = owners.get(event);
  return known === undefined ? find(event) : known;
}

/**
 * Whether a key is meant for the page: it has no modifier but Shift, and was pressed neither in a dialog or the like nor in a
 * control that has a use for it.
 * @param {KeyboardEvent} event
 */
export function isForPage(event) {
  if (event.altKey || event.ctrlKey || event.metaKey || ownerOf(event) || closest(event, FIELDS)) return false;
  return !(event.key.startsWith("Arrow") && closest(event, CHOICES));
}

// Before all others: whoever closes a dialog by a key leaves no trace of it for those that hear of the same key later.
window.addEventListener("keydown", (event) => owners.set(event, find(event)), true);

// At the body: after the components, and after what ends a drawing or a drag; before the page.
document.body.addEventListener("keydown", (event) => {
  const owner = ownerOf(event);
  const layer = owner && layers.find(({ id }) => id === owner.id);
  if (!layer || event.ctrlKey || event.metaKey || event.altKey) return;
  event.stopImmediatePropagation();
  if (event.key === "Escape" && !event.isComposing) layer.close();
});
