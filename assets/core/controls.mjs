/* What Dash's controls do not do by themselves: a light and a dark theme, a way past the head, and names. */

import { followWords } from "./announce.mjs";
import { closest } from "./elements.mjs";
import { remember, remembered } from "./storage.mjs";

const KEY = "fusevis-theme";

/**
 * Show the visitor's choice of theme, else the system's; a click changes it. Gives the button's sign.
 * @param {number | null} clicks
 */
export function changeTheme(clicks) {
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  let theme = remembered(KEY) || system;
  if (clicks) {
    theme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    remember(KEY, theme);
  }
  root.dataset.bsTheme = theme;
  const words = theme === "dark" ? "Light theme" : "Dark theme";
  const button = document.getElementById("theme-switch");
  if (button) Object.assign(button, { title: words, ariaLabel: words });
  return "◐";
}

/**
 * A method's id with its newest weights: what stands before the sign of earlier ones (`fusion.weights`).
 * @param {string} id
 */
const newestOf = (id) => id.split("@")[0];

/**
 * Whether all methods have their newest weights; none chosen has none.
 * @param {string | string[] | null} ids
 */
export function areNewest(ids) {
  return [ids || []].flat().every((id) => newestOf(id) === id);
}

/**
 * The same methods with their newest weights, after a click.
 * @param {number | null} clicks
 * @param {string | string[] | null} ids
 */
export function chooseNewest(clicks, ids) {
  if (!clicks || !ids) return window.dash_clientside.no_update;
  return Array.isArray(ids) ? [...new Set(ids.map(newestOf))] : newestOf(ids);
}

// The address says what is shown, and not where one is.
document.addEventListener("click", (event) => {
  const link = /** @type {HTMLAnchorElement | null} */ (closest(event, "a.skip-link"));
  if (!link) return;
  event.preventDefault();
  document.getElementById(link.hash.slice(1))?.focus();
});

const PARTS = "[role=group][aria-label] :is([role=slider], [role=progressbar], .dash-dropdown)";

/** Name sliders and bars for screen readers as the groups around them, and dialogs by their titles: Dash's own take no names. */
function nameParts() {
  const parts = document.querySelectorAll(PARTS);
  document.querySelectorAll(":is(.modal, .offcanvas):not([aria-label])").forEach((dialog) => {
    dialog.setAttribute("aria-label", dialog.querySelector(".modal-title, .offcanvas-title")?.textContent || "");
  });
  parts.forEach((part) => {
    if (part.matches(".dash-dropdown")) mendDropdown(/** @type {HTMLElement} */ (part));
    else part.setAttribute("aria-label", part.closest("[role=group]")?.getAttribute("aria-label") || "");
  });
  ["guidance-status", "atlas-text"].forEach(followWords);
  return parts.length;
}

/**
 * Let the button of a dropdown have the focus by itself: Dash's hands it on from a field that screen readers are told to ignore.
 * @param {HTMLElement} button
 */
function mendDropdown(button) {
  const { previousElementSibling: field } = button;
  if (field instanceof HTMLElement && field.matches(".dash-dropdown-focus-target")) field.hidden = true;
  button.tabIndex = 0;
}

/**
 * Name the list of an open dropdown, and let it be what it is: check boxes under one name, and no options that hold others.
 * @param {HTMLElement} content
 */
function mendList(content) {
  /** @type {HTMLButtonElement | null} */
  const opener = document.querySelector(`[aria-controls="${content.id}"]`);
  const name = opener?.labels?.[0]?.textContent || "";
  content.setAttribute("aria-label", name);
  content.querySelectorAll("[role=listbox]").forEach((list) => {
    list.setAttribute("role", "group");
    list.setAttribute("aria-label", name);
  });
  content.querySelectorAll("[role=option]").forEach((option) => ["role", "aria-selected"].forEach((one) => option.removeAttribute(one)));
}

/** @type {WeakSet<HTMLElement>} */
const mended = new WeakSet();

document.addEventListener("focusin", (event) => {
  const content = closest(event, ".dash-dropdown-content");
  if (!content || mended.has(content)) return;
  mended.add(content);
  mendList(content);
  new MutationObserver(() => mendList(content)).observe(content, { childList: true, subtree: true });
});

/**
 * Name parts as soon as Dash has made them.
 * @param {number} count - How many the page begins with.
 */
export function nameWhenThere(count) {
  const observer = new MutationObserver(() => nameParts() >= count && observer.disconnect());
  observer.observe(document.body, { childList: true, subtree: true });
}

// What a dialog has is made when it opens, which is when it gets the focus.
document.addEventListener("focusin", (event) => closest(event, "[role=dialog]") && nameParts());
