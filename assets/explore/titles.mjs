/* The titles of the panels: those of Plotly's figures, on the page's own line, where they can be shortened and share it with signs. */

import * as graphs from "./graphs.mjs";

graphs.listen({
  drawn(panel) {
    const text = graphs.titleOf(panel);
    const element = /** @type {HTMLElement | null} */ (document.querySelector(`section[data-panel="${panel}"] .panel-title`));
    if (element && element.title !== text) Object.assign(element, { textContent: text, title: text });
  },
});
