/*
 * Notices: those that are replaced before anybody has closed them join a list of earlier ones, the same text is there once,
 * and Esc closes all. Dash shows the newest ones itself.
 */

import { isForPage } from "./dialogs.mjs";
import { append, element } from "./elements.mjs";

/** @type {HTMLElement | null} */
let host = null;
/** @type {string[]} */
let shown = []; // texts of the notices that are open
/** @type {string[]} */
let earlier = [];

/**
 * The texts of earlier notices, the newest first, after others have come.
 * @param {string[]} before - Earlier ones until now.
 * @param {string[]} was - What was open.
 * @param {string[]} is - What is open now. Where nothing of it is new, what went was closed.
 */
export function joined(before, was, is) {
  const replaced = is.some((text) => !was.includes(text)) ? was : [];
  return [...new Set([...replaced, ...before])].filter((text) => !is.includes(text));
}

function toasts() {
  return host ? /** @type {HTMLElement[]} */ ([...host.querySelectorAll(".toast.show, .toast.showing")]) : [];
}

/** @param {Element} toast */
function close(toast) {
  /** @type {HTMLElement | null} */ (toast.querySelector(".btn-close"))?.click();
}

function change() {
  const open = toasts();
  const texts = open.map((toast) => /** @type {HTMLElement} */ (toast.querySelector(".toast-body") || toast).innerText.trim());
  open.forEach((toast, at) => texts.indexOf(texts[at]) < at && close(toast));
  earlier = joined(earlier, shown, texts);
  shown = texts;
  list();
}

/** Draw the list of earlier notices; it stays open where it is. */
function list() {
  const known = /** @type {HTMLElement | null | undefined} */ (host?.querySelector(".notices-earlier"));
  if (!host || known?.dataset.texts === JSON.stringify(earlier) || (!known && !earlier.length)) return;
  const details = known || append("details", "notices-earlier", host);
  details.dataset.texts = JSON.stringify(earlier);
  details.hidden = !earlier.length;
  const count = earlier.length === 1 ? "1 earlier notice" : `${earlier.length} earlier notices`;
  details.replaceChildren(
    element("summary", { textContent: count }),
    element("ul", { className: "notice-list", tabIndex: 0, ariaLabel: count }, ...earlier.map((textContent) => element("li", { textContent }))),
    element("button", { type: "button", className: "btn btn-sm btn-outline-secondary", textContent: "Forget", onclick: forget }),
  );
}

function forget() {
  earlier = [];
  list();
}

// Before whatever else Esc means to the page.
window.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && !event.isComposing && isForPage(event) ? toasts() : [];
  if (!open.length) return;
  event.stopImmediatePropagation();
  open.forEach(close);
  forget();
}, true);

/** Follow the page's notices, once there is a page. */
const arrival = new MutationObserver(() => {
  host = document.getElementById("notices");
  if (!host) return;
  arrival.disconnect();
  new MutationObserver(change).observe(host, { childList: true, subtree: true, characterData: true, attributeFilter: ["class"] });
  change();
});
const root = document.getElementById("react-entry-point");
if (root) arrival.observe(root, { childList: true, subtree: true });
