/* The panel of the brush (app/layout/brush.py): its controls, pictures of what a change does, and how well that is predicted. */

import * as sidePanels from "../core/side-panels.mjs";
import { closest, element } from "../core/elements.mjs";
import { draw, scaleWords, summary } from "../change/response.mjs";
import * as painted from "../change/set.mjs";
import * as change from "./change.mjs";
import * as tool from "./change-tool.mjs";
import { state } from "./state.mjs";

/** @import { Operation } from "../change/strokes.mjs" */

const UNITS = { s: "of 255", a: "of 255", e: "%", b: "%" };
/** @type {Record<string, () => void>} */
const ACTIONS = { "brush-undo": painted.undo, "brush-redo": painted.redo, "brush-clear": painted.clear };
let waiting = false;
let opened = false; // whether a link's change has opened the panel

/**
 * An element of the panel; the panel itself where nothing is asked for.
 * @param {string} selector
 */
function inside(selector) {
  return /** @type {HTMLElement | null} */ (document.querySelector(`#${tool.PANEL} ${selector}`));
}

/**
 * Make the sliders where the layout has places for them.
 * @param {HTMLElement} place
 */
function makeSlider(place) {
  const { for: id, min, max, label } = place.dataset;
  const slider = element("input", { type: "range", id, min, max, step: "1" });
  slider.setAttribute("aria-label", label || "");
  slider.addEventListener("input", () => tool.choose({ [id === "brush-size" ? "size" : "strength"]: Number(slider.value) }));
  place.replaceChildren(slider);
}

/** @param {string} id */
function field(id) {
  return /** @type {HTMLInputElement} */ (document.getElementById(id));
}

/** Show the brush as it is. */
function showBrush() {
  if (!inside("")) return;
  document.querySelectorAll(".brush-slider:empty").forEach((place) => makeSlider(/** @type {HTMLElement} */ (place)));
  const { input, operation, size, strength, limits } = tool.current();
  field("brush-input").value = String(input);
  field("brush-operation").value = operation;
  field("brush-size").value = String(size);
  Object.assign(field("brush-strength"), { min: String(limits[0]), max: String(limits[1]), value: String(strength) });
  /** @type {(id: string, text: string) => void} */
  const say = (id, text) => {
    const output = inside(`output[data-of=${id}]`);
    if (output) output.textContent = text;
    field(id).setAttribute("aria-valuetext", text);
  };
  say("brush-size", `${size} px`);
  say("brush-strength", `${strength} ${UNITS[operation]}`);
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
  /** @type {Record<string, boolean>} */
  const off = { "brush-undo": !painted.canUndo(), "brush-redo": !painted.canRedo(), "brush-clear": !painted.all().length };
  for (const [id, disabled] of Object.entries(off)) /** @type {HTMLButtonElement} */ (document.getElementById(id)).disabled = disabled;
  sidePanels.keepFocus(tool.PANEL);
  if (painted.all().length && !opened) openQuietly();
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

document.addEventListener("click", (event) => {
  const button = closest(event, "button[id^=brush-]");
  if (button && ACTIONS[button.id]) ACTIONS[button.id]();
});

document.addEventListener("change", (event) => {
  const { target } = event;
  if (!(target instanceof HTMLSelectElement)) return;
  if (target.id === "brush-input") tool.choose({ input: Number(target.value) });
  else if (target.id === "brush-operation") tool.choose({ operation: /** @type {Operation} */ (target.value) });
});

tool.listen(showBrush);
change.listen(showSoon);
