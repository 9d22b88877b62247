/*
 * The head of both pages: tools by their keys, a toolbar that is one stop of the keyboard, the menu, the help, and the numbers
 * of both gammas beside their sliders.
 */

import { nameWhenThere } from "../core/controls.mjs";
import { addMenu, isForPage } from "../core/dialogs.mjs";
import { closest } from "../core/elements.mjs";

/** @import { LinkState } from "../core/tracked.mjs" */

/** @type {Record<string, string>} */
const TOOLS = { v: "pixel", z: "zoom", h: "pan", r: "box", l: "lasso", b: "brush" };
/** @type {Record<string, number>} */
const STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -Infinity, End: Infinity };
const GAMMAS = ["gamma1", "gamma2"];

/**
 * @param {string} id
 * @param {Record<string, unknown>} properties
 */
function set(id, properties) {
  window.dash_clientside.set_props(id, properties);
}

/**
 * Choose a tool; on a page that lacks it nothing happens.
 * @param {string} tool
 */
function choose(tool) {
  if (document.getElementById("toolbar-mode")) set("toolbar-mode", { value: tool });
  else /** @type {HTMLElement | null} */ (document.querySelector(`[data-tool="${tool === "pixel" ? "point" : tool}"]`))?.click();
}

document.addEventListener("keydown", (event) => {
  const tool = TOOLS[event.key.toLowerCase()];
  if (tool && !event.shiftKey && isForPage(event)) choose(tool);
  if (event.key === "?" && isForPage(event)) set("help-panel", { is_open: true });
});

/** @param {Element} bar */
function buttonsOf(bar) {
  return /** @type {HTMLElement[]} */ ([...bar.querySelectorAll("button")]);
}

document.addEventListener("keydown", (event) => {
  const bar = closest(event, "[role=toolbar]");
  const step = STEPS[event.key];
  if (!bar || !step) return;
  const buttons = buttonsOf(bar);
  const at = buttons.findIndex((button) => button.contains(/** @type {Node} */ (event.target)));
  event.preventDefault();
  buttons[Math.min(Math.max(at + step, 0), buttons.length - 1)].focus();
});

document.addEventListener("focusin", (event) => {
  const bar = closest(event, "[role=toolbar]");
  if (bar) buttonsOf(bar).forEach((button) => (button.tabIndex = button === event.target ? 0 : -1));
});

["head-menu", "method-about", "panel-about"].forEach((name) => addMenu(`details.${name}`));

document.addEventListener("click", (event) => {
  if (closest(event, "#help-open")) set("help-panel", { is_open: true });
  const reset = closest(event, ".scale-reset");
  if (!reset) return;
  GAMMAS.forEach((id) => set(id, { value: Number(reset.dataset[id]) }));
  set(reset.dataset.scale || "", { value: reset.dataset.first });
});

/** @param {string} id */
function fieldOf(id) {
  return /** @type {HTMLInputElement | null} */ (document.getElementById(`${id}-number`));
}

/**
 * Let the numbers say what both gammas are, and the sliders follow what is typed into them.
 * @param {LinkState<any>} link - The page's, which has both.
 * @param {number} parts - How many sliders, bars and dropdowns it has that take no name of their own.
 */
export function begin(link, parts) {
  nameWhenThere(parts);
  GAMMAS.forEach((id) => {
    const { [id]: gamma } = link.parts;
    const tell = () => set(`${id}-number`, { value: gamma.value });
    gamma.subscribe(() => document.activeElement !== fieldOf(id) && tell());
    document.addEventListener("input", (event) => {
      const field = fieldOf(id);
      if (event.target === field && field?.value && field.validity.valid) set(id, { value: Number(field.value) });
    });
    // What is left half typed becomes what is shown.
    document.addEventListener("focusout", (event) => event.target === fieldOf(id) && tell());
  });
}
