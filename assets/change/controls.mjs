/* The controls of the brush (app/layout/brush.py), in whatever panel they stand: what it is, and the way back. */

import { closest, element } from "../core/elements.mjs";
import * as painted from "./set.mjs";
import * as tool from "./tool.mjs";

/** @import { Operation } from "./strokes.mjs" */

const UNITS = { s: "of 255", a: "of 255", e: "%", b: "%" };
/** @type {Record<string, () => void>} */
const ACTIONS = {
  "brush-undo": painted.undo, "brush-redo": painted.redo, "brush-clear": painted.clear, "change-clear": painted.clear,
};

/** @param {string} id */
function field(id) {
  return /** @type {HTMLInputElement} */ (document.getElementById(id));
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

/** Show the brush as it is. */
export function showBrush() {
  if (!field("brush-input")) return;
  document.querySelectorAll(".brush-slider:empty").forEach((place) => makeSlider(/** @type {HTMLElement} */ (place)));
  const { input, operation, size, strength, limits } = tool.current();
  field("brush-input").value = String(input);
  field("brush-operation").value = operation;
  field("brush-size").value = String(size);
  Object.assign(field("brush-strength"), { min: String(limits[0]), max: String(limits[1]), value: String(strength) });
  /** @type {(id: string, text: string) => void} */
  const say = (id, text) => {
    const output = document.querySelector(`output[data-of=${id}]`);
    if (output) output.textContent = text;
    field(id).setAttribute("aria-valuetext", text);
  };
  say("brush-size", `${size} px`);
  say("brush-strength", `${strength} ${UNITS[operation]}`);
}

/** Say which of the buttons can be pressed. */
export function showActions() {
  const none = !painted.all().length;
  /** @type {Record<string, boolean>} */
  const off = { "brush-undo": !painted.canUndo(), "brush-redo": !painted.canRedo(), "brush-clear": none, "change-clear": none };
  for (const [id, disabled] of Object.entries(off)) {
    const button = /** @type {HTMLButtonElement | null} */ (document.getElementById(id));
    if (button) button.disabled = disabled;
  }
}

document.addEventListener("click", (event) => {
  const button = closest(event, "button[id^=brush-], #change-clear");
  if (button && ACTIONS[button.id]) ACTIONS[button.id]();
});

document.addEventListener("change", (event) => {
  const { target } = event;
  if (!(target instanceof HTMLSelectElement)) return;
  if (target.id === "brush-input") tool.choose({ input: Number(target.value) });
  else if (target.id === "brush-operation") tool.choose({ operation: /** @type {Operation} */ (target.value) });
});

tool.listen(showBrush);
