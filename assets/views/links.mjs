/*
 * Links to the view: "Link" puts one into the clipboard or, where a browser refuses that, into a field; those between
 * the pages carry pair, method, pinned pixel and regions along.
 */

import * as address from "../core/address.mjs";
import { closest, element } from "../core/elements.mjs";
import { isStoring, linkable } from "../regions/link.mjs";

const CONFIRMED_MILLISECONDS = 2500;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** @type {(link: HTMLAnchorElement) => string} */
let queryFor = () => ""; // what a link of this page carries

/**
 * Let a page say what its links carry: queryFor(link) gives a query string.
 * @param {(link: HTMLAnchorElement) => string} provider
 */
export function carryBy(provider) {
  queryFor = provider;
}

/**
 * @param {HTMLElement} button
 * @param {string} text
 */
function confirm(button, text) {
  const plain = button.dataset.plain || button.textContent || "";
  button.dataset.plain = plain;
  // Below the button, which keeps its width: the tools beside it do not move.
  button.replaceChildren(element("span", { className: "confirmation", textContent: text }));
  clearTimeout(timer);
  timer = setTimeout(() => (button.textContent = plain), CONFIRMED_MILLISECONDS);
}

/**
 * Show the link in a field, selected: browsers grant the clipboard only to pages of this machine and of https.
 * @param {string} link
 * @param {string[]} lacking
 */
function offer(link, lacking) {
  const field = element("input", { type: "text", readOnly: true, value: link, className: "form-control form-control-sm" });
  const dialog = element("dialog", { className: "link-dialog" }, element("label", {}, "Copy this link (Ctrl+C, or ⌘C):", field));
  const close = element("button", { type: "button", textContent: "Close", className: "btn btn-sm btn-outline-secondary" });
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  if (lacking.length) {
    const told = `It lacks regions that the server did not keep: “${lacking.join("”, “")}”. The list of regions says why.`;
    dialog.append(element("p", { textContent: told }));
  }
  dialog.append(close);
  document.body.append(dialog);
  dialog.showModal();
  field.focus();
  field.select();
}

document.addEventListener("click", async (event) => {
  const button = closest(event, "#copy-link");
  if (!button) return;
  const lacking = await linkable();
  const link = address.link();
  try {
    await navigator.clipboard.writeText(link);
  } catch {
    offer(link, lacking);
    return;
  }
  confirm(button, lacking.length ? `Link copied, without ${lacking.join(", ")}` : "Link copied");
});

/** @param {Event} event */
function carry(event) {
  const link = /** @type {HTMLAnchorElement | null} */ (closest(event, "a[data-page]"));
  if (link) link.search = queryFor(link);
}

// Before the click itself, so that a middle click and a copied address have it too.
document.addEventListener("pointerdown", carry, true);
document.addEventListener("click", carry, true);

// A link made at once after a large region was drawn has that region too.
document.addEventListener("click", async (event) => {
  const link = /** @type {HTMLAnchorElement | null} */ (closest(event, "a[data-page]"));
  const elsewhere = event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
  if (!link || elsewhere || !isStoring()) return;
  event.preventDefault();
  await linkable();
  link.search = queryFor(link);
  window.location.assign(link.href);
});
