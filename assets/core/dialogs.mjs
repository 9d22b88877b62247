/*
 * Whose a key is. What is pressed in a dialog, a panel, a menu or a field acts on that alone; listeners of the page, which
 * move pixels, let them go and change tools, ask `isForPage` first. Panels and menus of the page's own are closed by Esc
 * here; Bootstrap's dialogs, the browser's and lists of choices close by themselves.
 */

import { closest } from "./elements.mjs";

/**
 * @typedef {object} Layer - Panels or menus of the page's own.
 * @property {string} selector - Of those that are open.
 * @property {(host: HTMLElement) => void} close - Closes one, and gives a focus that is in it back to what opened it.
 * @property {boolean} holdsKeys - Whether what is pressed in it is its own.
 * @property {boolean} holdsEscape - Whether Esc closes it wherever the focus is.
 */

// While one of these is open, all keys are its own: a button of it that can no longer be pressed loses the focus to the page.
const MODAL = "[aria-modal=true], dialog:modal";
const LISTS = "[role=listbox], .dash-dropdown-content";
const FIELDS = "input:not([type=radio], [type=checkbox]), select, textarea, [contenteditable], [role=slider], [class*=dash-dropdown]";
const CHOICES = "input, [role=toolbar]"; // the arrow keys go from one to the next
/** @type {Layer[]} */
const layers = []; // those that may lie upon others first
/** @type {WeakMap<Event, Owner>} */
const owners = new WeakMap();

/** @typedef {{ host: Element | null, layer: Layer | null }} Owner */

/**
 * Let a panel have its keys for itself, and Esc close it.
 * @param {string} selector - Matches it while it is open.
 * @param {Layer["close"]} close
 */
export function addPanel(selector, close) {
  layers.unshift({ selector, close, holdsKeys: true, holdsEscape: false });
}

/**
 * Let something large lie over the page until Esc puts it back; all other keys are the page's.
 * @param {string} selector - Matches it while it lies there.
 * @param {Layer["close"]} close
 */
export function addLarge(selector, close) {
  layers.push({ selector, close, holdsKeys: false, holdsEscape: true });
}

/**
 * Let menus, which are `details`, be closed by Esc and by a press elsewhere.
 * @param {string} selector
 */
export function addMenu(selector) {
  layers.unshift({ selector: `${selector}[open]`, close: closeMenu, holdsKeys: true, holdsEscape: true });
  document.addEventListener("pointerdown", (event) => {
    if (closest(event, LISTS)) return; // a list of a control of the menu may lie elsewhere in the page
    document.querySelectorAll(`${selector}[open]`).forEach((menu) => {
      if (!menu.contains(/** @type {Node} */ (event.target))) menu.removeAttribute("open");
    });
  }, true);
}

/** @param {HTMLElement} menu */
function closeMenu(menu) {
  if (menu.contains(document.activeElement)) menu.querySelector("summary")?.focus();
  menu.removeAttribute("open");
}

/** Close the head's menu, which would lie over what one of its buttons opens; a dialog gives the focus back to its sign. */
export function closeHeadMenu() {
  document.querySelectorAll(".head-menu[open]").forEach((menu) => closeMenu(/** @type {HTMLElement} */ (menu)));
}

/**
 * Give the focus to a button that opens something; to its menu where that is closed.
 * @param {string} id
 */
export function focusOpener(id) {
  const button = document.getElementById(id);
  const menu = button?.closest("details:not([open])");
  /** @type {HTMLElement | null} */ (menu ? menu.querySelector("summary") : button)?.focus({ preventScroll: true });
}

/**
 * @param {KeyboardEvent} event
 * @returns {Owner}
 */
function find(event) {
  const list = closest(event, LISTS);
  if (list) return { host: list, layer: null };
  const modal = [...document.querySelectorAll(MODAL)].pop();
  if (modal) return { host: modal, layer: null };
  for (const layer of layers) {
    for (const host of document.querySelectorAll(layer.selector)) {
      const isInside = layer.holdsKeys && host.contains(/** @type {Node} */ (event.target));
      if (isInside || (layer.holdsEscape && event.key === "Escape")) return { host, layer };
    }
  }
  return { host: closest(event, "[role=dialog], dialog, [role=menu]"), layer: null };
}

/** @param {KeyboardEvent} event */
function known(event) {
  return owners.get(event) || find(event);
}

/**
 * The dialog, panel, menu or list that a key acts on; null where it is none's.
 * @param {KeyboardEvent} event
 */
export function ownerOf(event) {
  return known(event).host;
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
  const { host, layer } = known(event);
  if (!host || !layer || event.ctrlKey || event.metaKey || event.altKey) return;
  event.stopImmediatePropagation();
  if (event.key === "Escape" && !event.isComposing) layer.close(/** @type {HTMLElement} */ (host));
});
