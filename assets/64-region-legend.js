/* Which colour is which region, in the line of the button that opens their list; the list says it while it is open. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  function entry({ name, colour }) {
    const made = Object.assign(document.createElement("span"), { className: "region-legend-entry", title: name });
    const dot = Object.assign(document.createElement("span"), { className: "region-legend-dot" });
    dot.style.background = colour;
    made.append(dot, Object.assign(document.createElement("span"), { className: "region-legend-name", textContent: name }));
    return made;
  }

  /** Show the regions as they are now, and name them where their button is. */
  function show() {
    const button = document.getElementById("region-open");
    if (!button) return;
    const list = fusevis.regions.all();
    const text = list.length ? `Regions (${list.length})` : "Regions";
    const names = list.map(({ name }) => name).join(", ");
    button.textContent = text;
    button.title = names ? `Regions of interest: ${names}` : "Regions of interest: box and lasso, masks, PNG";
    button.setAttribute("aria-label", names ? `${text}: ${names}` : text);
    const legend = document.getElementById("region-legend");
    legend.replaceChildren(...list.map(entry));
    legend.hidden = !list.length || !document.getElementById("region-panel").hidden;
  }

  ["panel-opened", "panel-closed"].forEach((kind) => document.addEventListener(kind, show));

  fusevis.regionLegend = { show };
})(window.fusevis);
