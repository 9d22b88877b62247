/* Beside the title of each Jacobian panel, how much of the influence is negative, which the paper's scale hides. */

import * as painting from "./paint.mjs";
import { state } from "./state.mjs";
import { closest, element } from "../core/elements.mjs";
import { influences, percent } from "../painter/influence.mjs";

const SCALE = "colour-scale";
const WORD_END = "ative"; // of “negative”, which narrow panels leave out (styles/panels.css)

/** Say it of the window that is shown. */
function refresh() {
  const { window: shown, scene, display } = state;
  if (!shown || !scene) return;
  influences(shown).forEach(({ negative }, index) => {
    const button = /** @type {HTMLButtonElement | null} */ (
      document.querySelector(`section[data-panel="${painting.JACOBIANS[index]}"] .negative-share`)
    );
    if (!button) return;
    const hidden = !(negative > 0);
    if (button.hidden !== hidden) button.hidden = hidden;
    const text = `${percent(negative)} negative`;
    if (hidden || button.textContent === text && button.dataset.scale === display.scale) return;
    button.replaceChildren(text.slice(0, -WORD_END.length), element("span", { className: "word-end", textContent: WORD_END }));
    button.dataset.scale = display.scale;
    const shows = display.scale === "signed" ? "It is blue on this scale." : "This scale hides it; a click shows it in blue.";
    button.title = `${percent(negative)} of the influence of ${scene.modalities[index]} is negative: where it becomes brighter, the fused pixel becomes darker. ${shows}`;
    button.setAttribute("aria-label", `${text}: ${button.title}`);
  });
}

document.addEventListener("click", (event) => {
  if (closest(event, ".negative-share")) window.dash_clientside.set_props(SCALE, { value: "signed" });
});

painting.whenPainted(refresh);
