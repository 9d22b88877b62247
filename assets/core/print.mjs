/* Printing: one sheet with the pictures as they stand on the screen, made to fit, and below them which view it is and when. */

import { append } from "./elements.mjs";

// A4 in landscape without its margins, CSS pixels, and what the words around the pictures take of its height.
const SHEET = { width: 1047, height: 718 };
const WORDS = 96;
const PICTURES = ".panel-grid:not(#first-frame *), .compare-table";
/** @type {string | undefined} */
let theme;

/**
 * By how much pictures of this size are made smaller, or larger, to fill the sheet.
 * @param {number} width
 * @param {number} height
 */
export function scaleOf(width, height) {
  return Math.min(SHEET.width / width, (SHEET.height - WORDS) / height);
}

/** @param {HTMLElement} pictures */
function note(pictures) {
  const page = /** @type {HTMLElement} */ (pictures.closest(".page"));
  const words = page.querySelector(".print-note") || append("p", "print-note", page);
  const now = new Date();
  const pixel = document.getElementById("pixel-readout")?.innerText.replace(/\s+/g, " ");
  const view = `${document.title} · ${now.toLocaleDateString()} ${now.toLocaleTimeString()} · ${window.location.href}`;
  words.textContent = [pixel, view].filter(Boolean).join("\n");
}

function begin() {
  const pictures = /** @type {HTMLElement | null} */ (document.querySelector(PICTURES));
  const root = document.documentElement;
  if (!pictures || root.dataset.printing) return;
  root.dataset.printing = "on";
  const { scrollWidth: width, scrollHeight: height } = pictures.querySelector(".compare-body") || pictures;
  // In a window as wide as the sheet the grid would have fewer columns.
  const { gridTemplateColumns: columns, gridTemplateRows: rows } = getComputedStyle(pictures);
  Object.entries({ width: `${width}px`, height: `${height}px`, scale: String(scaleOf(width, height)), columns, rows })
    .forEach(([name, value]) => root.style.setProperty(`--print-${name}`, value));
  note(pictures);
  theme = root.dataset.bsTheme;
  lookIn("light"); // paper is
}

/**
 * Show the page in a theme at once: nothing is drawn any more once the printer has begun.
 * @param {string | undefined} theme
 */
function lookIn(theme) {
  document.documentElement.dataset.bsTheme = theme;
  document.dispatchEvent(new Event("theme-changed"));
}

function end() {
  const root = document.documentElement;
  if (!root.dataset.printing) return;
  delete root.dataset.printing;
  if (theme) lookIn(theme);
}

window.addEventListener("beforeprint", begin);
window.addEventListener("afterprint", end);
window.matchMedia?.("print").addEventListener("change", ({ matches }) => (matches ? begin() : end()));
