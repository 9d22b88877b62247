/* Toolbars are one stop of the Tab key: within one, the arrow keys, Home and End go from tool to tool. */

import { closest } from "./elements.mjs";

const TOOLBAR = "[role=toolbar]";
/** @type {Record<string, (at: number, count: number) => number>} */
const STEPS = {
  ArrowRight: (at, count) => (at + 1) % count,
  ArrowDown: (at, count) => (at + 1) % count,
  ArrowLeft: (at, count) => (at + count - 1) % count,
  ArrowUp: (at, count) => (at + count - 1) % count,
  Home: () => 0,
  End: (_at, count) => count - 1,
};

/** @param {HTMLElement} bar */
function toolsOf(bar) {
  return /** @type {HTMLElement[]} */ ([...bar.querySelectorAll("button:not(:disabled), a[href], summary")])
    .filter((tool) => tool.checkVisibility());
}

// Whatever has the focus is what Tab comes back to.
document.addEventListener("focusin", (event) => {
  const bar = closest(event, TOOLBAR);
  if (!bar) return;
  const tools = toolsOf(bar);
  if (!tools.includes(/** @type {HTMLElement} */ (event.target))) return;
  tools.forEach((tool) => (tool.tabIndex = tool === event.target ? 0 : -1));
});

document.addEventListener("keydown", (event) => {
  const bar = closest(event, TOOLBAR);
  const step = STEPS[event.key];
  if (!bar || !step || event.altKey || event.ctrlKey || event.metaKey) return;
  const tools = toolsOf(bar);
  const at = tools.indexOf(/** @type {HTMLElement} */ (event.target));
  if (at < 0) return;
  event.preventDefault();
  tools[step(at, tools.length)].focus();
});
