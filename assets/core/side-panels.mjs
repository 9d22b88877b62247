/*
 * The panels at the page's side, regions and views: opening and closing (events of the document say so), and the focus. They are
 * moved by their heads, so that what they cover can be seen, and stay in the window.
 */

const CONTROLS = "input, textarea, button, a";
const panels = new Map(); // by id

/** Let the button `opener` open and close a panel, and the button `closer` within close it; opened() is told. */
export function add(id, { opener, closer, opened }) {
  panels.set(id, { opener, closer, opened });
}

function elementOf(id) {
  return document.getElementById(id);
}

/** Open or close a panel, or the other way round than it is. */
export function toggle(id, wanted) {
  const host = elementOf(id);
  const open = wanted === undefined ? host.hidden : wanted;
  if (open !== host.hidden) return;
  const { opener, opened } = panels.get(id);
  // Before it is hidden, so that a field in which somebody types still tells its change.
  if (!open && host.contains(document.activeElement)) elementOf(opener).focus();
  host.hidden = !open;
  elementOf(opener).setAttribute("aria-expanded", String(open));
  host.dispatchEvent(new CustomEvent(open ? "panel-opened" : "panel-closed", { bubbles: true }));
  if (!open) return;
  // They have the same place.
  for (const other of panels.keys()) if (other !== id) toggle(other, false);
  opened();
  host.focus({ preventScroll: true });
}

/** The panel in which an element is. */
function around(element) {
  return [...panels.keys()].map(elementOf).find((host) => host && host.contains(element));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest && event.target.closest("button[id]");
  if (!button) return;
  for (const [id, { opener, closer }] of panels) {
    if (button.id === opener) toggle(id);
    else if (button.id === closer) toggle(id, false);
  }
});

// At the body, and before the pages: the same keys move pixels and let them go.
document.body.addEventListener("keydown", (event) => {
  const host = around(event.target);
  if (!host || event.ctrlKey || event.metaKey || event.altKey) return;
  event.stopImmediatePropagation();
  if (event.key === "Escape" && !event.isComposing) toggle(host.id, false);
});

function controlsOf(line) {
  return [...line.querySelectorAll(CONTROLS)];
}

/**
 * Let a list in a panel have a line for each item: make(item, index) once for each key, then update(line, item). Lines that
 * are there stay, and with them the focus and what is being typed; where the line with the focus goes, the same control of
 * the line in its place gets it.
 */
export function fill(list, items, keyOf, make, update) {
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  const before = [...list.children];
  const index = before.findIndex((line) => line.contains(focused));
  const control = focused && controlsOf(before[index]).indexOf(focused);
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
  const next = list.children[Math.min(index, list.children.length - 1)];
  const wanted = focused.isConnected ? focused : next && controlsOf(next)[control];
  (wanted || around(list)).focus({ preventScroll: true });
}

/** Keep the focus in a panel whose buttons have changed: one that can no longer be pressed loses it to the whole page. */
export function keepFocus(id) {
  const { activeElement } = document;
  if (activeElement && activeElement.disabled && elementOf(id).contains(activeElement)) elementOf(id).focus({ preventScroll: true });
}

const REMEMBERED = "fusevis-panel-places"; // by the browser, until its tab is closed
let places = null; // by the panel's id, { left, top }: where it was put, which may lie outside of a smaller window
let drag = null; // { host, head, pointer, x, y }: where in the panel it is held

function known() {
  if (places) return places;
  try {
    places = JSON.parse(window.sessionStorage.getItem(REMEMBERED)) || {};
  } catch {
    places = {}; // a browser may keep nothing
  }
  return places;
}

function remember() {
  try {
    window.sessionStorage.setItem(REMEMBERED, JSON.stringify(places));
  } catch {
    // Then it is remembered until the page is left.
  }
}

/** Put a panel where it was put, as far as that is inside of the window. */
function show(host) {
  const place = known()[host.id];
  if (!place || host.hidden) return;
  const { clientWidth, clientHeight } = document.documentElement;
  const within = (value, most) => `${Math.max(0, Math.min(value, most))}px`;
  Object.assign(host.style, {
    right: "auto", left: within(place.left, clientWidth - host.offsetWidth), top: within(place.top, clientHeight - host.offsetHeight),
  });
}

const grown = new ResizeObserver((entries) => entries.forEach(({ target }) => show(target)));

document.addEventListener("panel-opened", ({ target }) => {
  show(target);
  grown.observe(target);
});
window.addEventListener("resize", () => document.querySelectorAll(".region-panel").forEach(show));

document.addEventListener("pointerdown", (event) => {
  const head = event.button === 0 && event.isPrimary && event.target.closest && event.target.closest(".region-head");
  if (!head || drag || event.target.closest("button")) return;
  const host = head.parentNode;
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
});

// Also where the panel is closed while it is held.
["pointerup", "pointercancel", "lostpointercapture"].forEach((kind) => document.addEventListener(kind, (event) => {
  if (!drag || drag.pointer !== event.pointerId) return;
  const { left, top } = drag.host.getBoundingClientRect();
  if (known()[drag.host.id] && !drag.host.hidden) places[drag.host.id] = { left, top };
  remember();
  drag.head.classList.remove("dragged");
  drag = null;
}));
