/* One panel large over the others: by a double click or its button; Esc, or the same again, brings it back. */

import * as graphs from "./graphs.mjs";
import * as painting from "./paint.mjs";
import { addLarge } from "../core/dialogs.mjs";
import { closest } from "../core/elements.mjs";

const LARGE = "panel-large";
/** @type {string | null} */
let resized = null; // the panel that Plotly is about to draw in another size

/** The panel that is large now. */
function large() {
  return /** @type {HTMLElement | null} */ (document.querySelector(`.${LARGE}`));
}

/** @param {HTMLElement} section */
export function toggle(section) {
  const before = large();
  before?.classList.remove(LARGE);
  if (before !== section) section.classList.add(LARGE);
  document.body.classList.toggle("has-large", before !== section);
  resized = section.dataset.panel || null;
  const sign = section.querySelector(".panel-enlarge");
  sign?.setAttribute("aria-pressed", String(before !== section));
  if (before && before !== section) before.querySelector(".panel-enlarge")?.setAttribute("aria-pressed", "false");
}

document.addEventListener("click", (event) => {
  const section = closest(event, ".panel-enlarge") && closest(event, "section[data-panel]");
  if (section) toggle(section);
});

addLarge(`.${LARGE}`, toggle);

graphs.listen({
  drawn(panel) {
    if (panel !== resized) return;
    resized = null;
    requestAnimationFrame(painting.paintAll);
  },
});
