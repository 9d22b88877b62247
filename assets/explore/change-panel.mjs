/* The panel of the brush (app/layout/brush.py): its controls, pictures of what a change does, and how well that is predicted. */

import * as sidePanels from "../core/side-panels.mjs";
import { showActions, showBrush } from "../change/controls.mjs";
import { draw, scaleWords, summary } from "../change/response.mjs";
import * as painted from "../change/set.mjs";
import * as change from "./change.mjs";
import * as tool from "./change-tool.mjs";
import { state } from "./state.mjs";

let waiting = false;
let opened = false; // whether a link's change has opened the panel

/**
 * An element of the panel; the panel itself where nothing is asked for.
 * @param {string} selector
 */
function inside(selector) {
  return /** @type {HTMLElement | null} */ (document.querySelector(`#${tool.PANEL} ${selector}`));
}

/** Show what the change does. */
function show() {
  waiting = false;
  const host = inside("");
  if (!host) return;
  const found = change.responses();
  const words = painted.all().length && found.current ? summary(found) : "";
  const line = document.getElementById("change-readout");
  if (line) Object.assign(line, { textContent: `Painted change: ${words || "…"}`, hidden: !painted.all().length });
  showActions();
  sidePanels.keepFocus(tool.PANEL);
  if (painted.all().length && !opened) openByLink();
  if (host.hidden) return;
  const end = state.scene ? draw((name) => /** @type {HTMLCanvasElement | null} */ (inside(`canvas[data-response=${name}]`)), found, state.scene) : 1;
  const told = inside(".change-reading");
  const text = painted.all().length ? `${scaleWords(end)} ${words}` : "";
  if (told && told.textContent !== text) told.textContent = text;
  const message = inside(".region-message");
  if (message) message.textContent = found.problem;
}

/** Show it at the next frame. */
function showSoon() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(show);
}

/** Show a link's change, unless the link has opened another panel. */
function openByLink() {
  opened = true;
  if (!sidePanels.isAnyOpen()) openQuietly();
}

/** Open the panel and leave the focus where it is: keys go on to be the page's. */
function openQuietly() {
  const focused = document.activeElement;
  opened = true;
  sidePanels.toggle(tool.PANEL, true);
  if (focused instanceof HTMLElement && focused !== document.body) focused.focus({ preventScroll: true });
  else inside("")?.blur();
}

sidePanels.add(tool.PANEL, {
  opener: "brush-open", closer: "brush-close",
  opened() {
    opened = true;
    showBrush();
    showSoon();
  },
});

document.addEventListener("panel-closed", ({ target }) => {
  if (target instanceof HTMLElement && target.id === tool.PANEL && tool.isOn()) {
    window.dash_clientside.set_props("toolbar-mode", { value: "pixel" });
  }
});

// The tool is a radio button, whose choice Dash hands on to state.mode.
document.addEventListener("tool-chosen", () => tool.isOn() && openQuietly());

change.listen(showSoon);
