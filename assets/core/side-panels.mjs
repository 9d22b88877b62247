/*
 * The panels at the page's side, regions and views: opening and closing (events of the document say so), and the focus. The
 * pictures make room for them; whoever moves one by its head has it float there, within the window, and a double click on the
 * head brings it back beside the pictures.
 */

import { addPanel, closeHeadMenu, focusOpener } from "./dialogs.mjs";
import { closest } from "./elements.mjs";
import * as storage from "./storage.mjs";

const CONTROLS = "input, textarea, button, a";
/**
 * @typedef {{ opener: string, closer: string, opened: () => void }} SidePanel
 * @typedef {{ host: HTMLElement, head: HTMLElement, pointer: number, x: number, y: number }} Drag
 */

/** @type {Map<string, SidePanel>} */
const panels = new Map(); // by id

/**
 * Let the button `opener` open and close a panel, and the button `closer` within close it; opened() is told.
 * @param {string} id
 * @param {SidePanel} panel
 */
export function add(id, { opener, closer, opened }) {
  panels.set(id, { opener, closer, opened });
  addPanel(`#${id}:not([hidden])`, () => toggle(id, false));
}

/** @param {string} id */
function elementOf(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** Whether one of them is open: they have the same place. */
export function isAnyOpen() {
  return [...panels.keys()].some((id) => document.getElementById(id)?.hidden === false);
}

/**
 * Open or close a panel, or the other way round than it is.
 * @param {string} id
 * @param {boolean} [wanted]
 */
export function toggle(id, wanted) {
  const host = elementOf(id);
  const open = wanted === undefined ? host.hidden : wanted;
  if (open !== host.hidden) return;
  const { opener, opened } = /** @type {SidePanel} */ (panels.get(id));
  // Before it is hidden, so that a field in which somebody types still tells its change.
  if (!open && host.contains(document.activeElement)) focusOpener(opener);
  host.hidden = !open;
  elementOf(opener).setAttribute("aria-expanded", String(open));
  makeRoom();
  host.dispatchEvent(new CustomEvent(open ? "panel-opened" : "panel-closed", { bubbles: true }));
  if (!open) return;
  closeHeadMenu();
  // They have the same place.
  for (const other of panels.keys()) if (other !== id) toggle(other, false);
  opened();
  host.focus({ preventScroll: !isBelow(host) });
}

/**
 * Whether a panel stands below the pictures, as in a small window.
 * @param {HTMLElement} host
 */
function isBelow(host) {
  return getComputedStyle(host).position === "static";
}

/** Let the pictures make room for a panel that stands beside them, or below. */
function makeRoom() {
  const beside = [...panels.keys()].map(elementOf)
    .find((host) => host && !host.hidden && (isBelow(host) || !host.classList.contains("floating")));
  if (beside) document.body.dataset.beside = beside.id;
  else delete document.body.dataset.beside;
  const head = document.querySelector(".page-head");
  const top = head ? Math.max(head.getBoundingClientRect().bottom, 0) : 0;
  document.body.style.setProperty("--beside-top", `${top}px`);
}

window.addEventListener("scroll", () => document.body.dataset.beside && makeRoom(), { passive: true });

/**
 * The panel in which an element is.
 * @param {Node} element
 */
function around(element) {
  return [...panels.keys()].map(elementOf).find((host) => host && host.contains(element));
}

document.addEventListener("click", (event) => {
  const button = closest(event, "button[id]");
  if (!button) return;
  for (const [id, { opener, closer }] of panels) {
    if (button.id === opener) toggle(id);
    else if (button.id === closer) toggle(id, false);
  }
});

/** @param {Element} line */
function controlsOf(line) {
  return /** @type {HTMLElement[]} */ ([...line.querySelectorAll(CONTROLS)]);
}

/**
 * Let a list in a panel have a line for each item: make(item, index) once for each key, then update(line, item). Lines that
 * are there stay, and with them the focus and what is being typed; where the line with the focus goes, the same control of
 * the line in its place gets it.
 * @template Item
 * @param {HTMLElement} list
 * @param {Item[]} items
 * @param {(item: Item, at: number) => string | number} keyOf
 * @param {(item: Item, at: number) => HTMLElement} make
 * @param {(line: HTMLElement, item: Item, at: number) => void} update
 */
export function fill(list, items, keyOf, make, update) {
  const active = /** @type {HTMLElement} */ (document.activeElement);
  const focused = list.contains(active) ? active : null;
  const before = /** @type {HTMLElement[]} */ ([...list.children]);
  const index = before.findIndex((line) => line.contains(focused));
  const control = focused ? controlsOf(before[index]).indexOf(focused) : -1;
  const known = new Map(before.map((line) => [line.dataset.key, line]));
  const lines = items.map((item, at) => {
    const key = String(keyOf(item, at));
    const line = known.get(key) || make(item, at);
    line.dataset.key = key;
    update(line, item, at);
    return line;
  });
  before.filter((line) => !lines.includes(line)).forEach((line) => line.remove());
  lines.forEach((line, at) => list.children[at] !== line && list.insertBefore(line, list.children[at] || null));
  if (!focused || document.activeElement === focused) return;
  const next = /** @type {HTMLElement | undefined} */ (list.children[Math.min(index, list.children.length - 1)]);
  const wanted = focused.isConnected ? focused : next && controlsOf(next)[control];
  (wanted || around(list))?.focus({ preventScroll: true });
}

/**
 * Keep the focus in a panel whose buttons have changed: one that can no longer be pressed loses it to the whole page.
 * @param {string} id
 */
export function keepFocus(id) {
  const { activeElement } = document;
  const off = activeElement instanceof HTMLButtonElement && activeElement.disabled;
  if (off && elementOf(id).contains(activeElement)) elementOf(id).focus({ preventScroll: true });
}

const REMEMBERED = "fusevis-panel-places"; // by the browser, until its tab is closed
/** @type {Record<string, { left: number, top: number }> | null} */
let places = null; // by the panel's id, { left, top }: where it was put, which may lie outside of a smaller window
/** @type {Drag | null} */
let drag = null; // { host, head, pointer, x, y }: where in the panel it is held

/** @returns {Record<string, { left: number, top: number }>} */
function known() {
  if (places) return places;
  let found = {};
  try {
    found = JSON.parse(storage.remembered(REMEMBERED, "sessionStorage") || "{}");
  } catch {
    // What is there is not ours.
  }
  places = found;
  return found;
}

function remember() {
  storage.remember(REMEMBERED, JSON.stringify(places), "sessionStorage");
}

/**
 * Put a panel where it was put, as far as that is inside of the window.
 * @param {HTMLElement} host
 */
function show(host) {
  const place = known()[host.id];
  host.classList.toggle("floating", Boolean(place));
  if (!place || host.hidden) return;
  const { clientWidth, clientHeight } = document.documentElement;
  /** @type {(value: number, most: number) => string} */
  const within = (value, most) => `${Math.max(0, Math.min(value, most))}px`;
  Object.assign(host.style, {
    right: "auto", left: within(place.left, clientWidth - host.offsetWidth), top: within(place.top, clientHeight - host.offsetHeight),
  });
}

const grown = new ResizeObserver((entries) => entries.forEach(({ target }) => show(/** @type {HTMLElement} */ (target))));

document.addEventListener("panel-opened", ({ target }) => {
  const host = /** @type {HTMLElement} */ (target);
  show(host);
  makeRoom();
  grown.observe(host);
});
window.addEventListener("resize", () => {
  for (const id of panels.keys()) if (document.getElementById(id)) show(elementOf(id));
  makeRoom();
});

document.addEventListener("dblclick", (event) => {
  const host = closest(event, ".region-head")?.parentElement;
  if (!host || closest(event, "button") || !known()[host.id]) return;
  delete known()[host.id];
  remember();
  Object.assign(host.style, { right: "", left: "", top: "" });
  show(host);
  makeRoom();
});

document.addEventListener("pointerdown", (event) => {
  const head = event.button === 0 && event.isPrimary && closest(event, ".region-head");
  if (!head || drag || closest(event, "button")) return;
  const host = /** @type {HTMLElement} */ (head.parentNode);
  if (isBelow(host)) return;
  const { left, top } = host.getBoundingClientRect();
  drag = { host, head, pointer: event.pointerId, x: event.clientX - left, y: event.clientY - top };
  head.setPointerCapture(event.pointerId);
  head.classList.add("dragged");
  event.preventDefault(); // no text is selected
});

document.addEventListener("pointermove", (event) => {
  if (!drag || drag.pointer !== event.pointerId) return;
  known()[drag.host.id] = { left: event.clientX - drag.x, top: event.clientY - drag.y };
  show(drag.host);
  if (document.body.dataset.beside) makeRoom();
});

// Also where the panel is closed while it is held.
/** @type {const} */ (["pointerup", "pointercancel", "lostpointercapture"]).forEach((kind) => document.addEventListener(kind, (event) => {
  if (!drag || drag.pointer !== event.pointerId) return;
  const { left, top } = drag.host.getBoundingClientRect();
  if (known()[drag.host.id] && !drag.host.hidden) known()[drag.host.id] = { left, top };
  remember();
  drag.head.classList.remove("dragged");
  drag = null;
}));
