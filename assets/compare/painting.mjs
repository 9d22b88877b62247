/* The brush on this page: the inputs stand in the first row. */

import { workOn } from "../change/tool.mjs";
import * as painted from "../change/set.mjs";
import { closest } from "../core/elements.mjs";
import { changeTool, isTool } from "./brush.mjs";
import { redraw } from "./frames.mjs";
import * as layout from "./layout.mjs";
import { state } from "./state.mjs";
import * as table from "./table.mjs";

/** @import { Picture } from "./layout.mjs" */

/**
 * Where a picture of an input lies in the table, from the corner of the image's first pixel.
 * @param {Picture} picture
 */
function groundOf(picture) {
  const body = table.elements()?.body;
  const { row, col, height, width } = layout.partOf(picture);
  const across = picture.area.width / width;
  const down = picture.area.height / height;
  return body ? { element: body, left: picture.area.left - col * across, top: picture.area.top - row * down, across, down } : null;
}

workOn({
  panel: "change-panel",
  isOn: () => isTool("brush"),
  putAway: () => changeTool("point"),
  placeAt(event) {
    const picture = closest(event, ".compare-canvas") && table.pictureAt(event.clientX, event.clientY);
    const pixel = picture && picture.kind === "inputs" ? table.pixelIn(picture, event.clientX, event.clientY) : null;
    return pixel && picture && {
      input: picture.index,
      pixel,
      pixelAt: (x, y) => table.pixelIn(picture, x, y, true),
      ground: () => groundOf(picture),
    };
  },
  chosen() {
    const common = state.common();
    return state.a.pixel && common && { pixel: state.a.pixel, modalities: common.modalities };
  },
});

// The brush's keys are the page's and not its panel's.
document.addEventListener("click", (event) => {
  if (closest(event, "button[data-tool=brush]") && isTool("brush")) table.elements()?.host.focus({ preventScroll: true });
});

painted.listen(redraw);
