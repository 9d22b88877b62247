/* The browser's own dialogs, as those of images and networks: their head, their buttons, and lines of what somebody has brought. */

import { element } from "./elements.mjs";

/**
 * Make a dialog of the page, closed, with a title and a button that closes it.
 * @param {string} title
 * @param {string} className - Beside that of all such dialogs.
 * @param {...Node} parts - Below its head.
 */
export function dialogOf(title, className, ...parts) {
  const close = element("button", { type: "button", textContent: "×", className: "region-remove", title: "Close" });
  const head = element("div", { className: "uploads-head" }, element("h2", { textContent: title, className: "h6" }), close);
  const host = element("dialog", { className: `uploads-dialog ${className}`.trim(), ariaLabel: title }, head, ...parts);
  close.addEventListener("click", () => host.close());
  document.body.append(host);
  return host;
}

/** @param {string} text */
export function plainButton(text) {
  return element("button", { type: "button", textContent: text, className: "btn btn-sm btn-outline-secondary" });
}

/**
 * Make the line of something that this browser has brought.
 * @param {string} label
 * @param {string} about
 * @param {() => void} open
 * @param {() => void} remove
 */
export function broughtLine(label, about, open, remove) {
  const buttons = /** @type {[string, () => void][]} */ ([["Open", open], ["Delete", remove]]).map(([text, act]) => {
    const made = plainButton(text);
    made.ariaLabel = `${text} ${label}`;
    made.addEventListener("click", act);
    return made;
  });
  return element("li", {}, element("span", { textContent: `${label} · ${about}` }), ...buttons);
}
