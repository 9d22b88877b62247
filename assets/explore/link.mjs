/* What the explore page's address says, as ExploreState of app/link/view_state.py writes it. */

import * as address from "../core/address.mjs";
import { state } from "./state.mjs";
import * as toolbar from "./toolbar.mjs";
import * as regionLink from "../regions/link.mjs";
import * as pageLinks from "../views/links.mjs";

const WEIGHTS_DIGITS = 8;

let first = null;

/** The text of a part, null where the first view has the same. */
function unless(key, value, text = String) {
  first = first || JSON.parse(document.querySelector(".page").dataset.first);
  return value === first[key] ? null : text(value);
}

/** What both pages' links say of gammas and colours. */
function colours() {
  const { gamma1, gamma2, scale } = state.display;
  return {
    gamma1: unless("gamma1", gamma1, address.decimal),
    gamma2: unless("gamma2", gamma2, address.decimal),
    scale: unless("scale", scale),
  };
}

function pinned() {
  return state.pinned && state.pixel ? address.list([state.pixel.row, state.pixel.col]) : null;
}

address.add(() => {
  const { scene, display } = state;
  if (!scene) return null;
  return {
    ...colours(),
    area: address.list(toolbar.area()?.map(address.decimal)),
    method: unless("method", scene.method_id),
    pair: scene.pair_address,
    pixel: pinned(),
    weights: scene.weights_id.slice(0, WEIGHTS_DIGITS),
    zoom: unless("zoom", display.followsSupport ? "support" : display.half),
  };
});

/** What the links to the other pages carry. */
pageLinks.carryBy((link) => {
  const { scene, display } = state;
  if (link.dataset.page !== "compare" || !scene) return "";
  const methods = link.dataset.methods.split(",");
  return address.write({
    ...colours(),
    // A method that the page would not show by itself comes first.
    methods: methods.includes(scene.method_id) ? null : address.list([scene.method_id, ...methods]),
    pair: scene.pair_address,
    pixel: pinned(),
    regions: regionLink.text(),
    zoom: display.followsSupport ? null : unless("zoom", display.half),
  });
});
