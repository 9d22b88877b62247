/* The brush on this page: its inputs are the panels of the pair. */

import { closest } from "../core/elements.mjs";
import { workOn } from "../change/tool.mjs";
import { INPUTS } from "./change.mjs";
import * as graphs from "./graphs.mjs";
import * as overlays from "./overlays.mjs";
import { state } from "./state.mjs";

export const PANEL = "brush-panel";

export function isOn() {
  return state.mode === "brush";
}

/**
 * The part of a panel in which its picture lies, from the corner of the image's first pixel.
 * @param {string} panel
 */
function groundOf(panel) {
  const one = overlays.placed(panel);
  if (!one) return null;
  const { x, y, width, height } = one.area;
  const across = width / (x[1] - x[0]);
  const down = height / (y[0] - y[1]);
  return { element: one.element, left: (-0.5 - x[0]) * across, top: (-0.5 - y[1]) * down, across, down };
}

workOn({
  panel: PANEL,
  isOn,
  putAway: () => window.dash_clientside.set_props("toolbar-mode", { value: "pixel" }),
  placeAt(event) {
    const panel = closest(event, "section[data-panel]")?.dataset.panel || "";
    if (!state.scene || !INPUTS.includes(panel) || closest(event, "button, details")) return null;
    const pixel = graphs.pixelAt(panel, event.clientX, event.clientY);
    return pixel && {
      input: INPUTS.indexOf(panel),
      pixel,
      pixelAt: (x, y) => graphs.pixelAt(panel, x, y, true),
      ground: () => groundOf(panel),
    };
  },
  chosen: () => state.pixel && state.scene && { pixel: state.pixel, modalities: state.scene.modalities },
});
