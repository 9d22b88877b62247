/* What goes elsewhere of the explore page's view: into the address, with links to the other pages, into exported files. */

import { base } from "./pixel.mjs";
import { link, state } from "./state.mjs";
import * as address from "../core/address.mjs";
import { closest } from "../core/elements.mjs";
import { INPUTS, provide } from "../export/menu.mjs";
import * as painted from "../change/set.mjs";
import * as explained from "../explain/panel.mjs";
import * as regionLink from "../regions/link.mjs";
import * as pageLinks from "../views/links.mjs";
import { carried } from "../views/view-state.mjs";

const COLUMNS = [
  "fused", "guidance_mri", "guidance_pet", "guidance_rgb", "scatter",
  "jacobian_mri", "jacobian_pet", "jacobian_mri_zoom", "jacobian_pet_zoom",
];
const ZOOMS = ["fused_zoom", "guidance_mri_zoom", "guidance_pet_zoom", "guidance_rgb_zoom"]; // alone only
/** @type {string | null} */
let under = null; // the panel that the pointer was on last

regionLink.say(link.parts.regions);
painted.say(link.parts.change);
explained.begin({
  scenes: () => (state.scene ? [state.scene] : []),
  home: base,
  gamma: () => state.display.gamma1,
}, link.parts.explain);
address.show(link);

pageLinks.carryBy((anchor) => {
  const { scene, display } = state;
  if (anchor.dataset.page !== "compare" || !scene) return "";
  const methods = (anchor.dataset.methods || "").split(",");
  return carried(link, {
    // A method that the page would not show by itself comes first.
    methods: methods.includes(scene.method_id) ? null : [scene.method_id, ...methods].join(","),
    zoom: display.followsSupport ? null : link.parts.zoom.text,
  });
});

/** The columns of the maps that stand open. */
function mapColumns() {
  return link.parts.maps.value.flatMap((kind) => [`${kind}_mri`, `${kind}_pet`]);
}

/** The fused image in colour, of pairs that have colours. */
function colourColumns() {
  return state.scene?.in_colour.some(Boolean) ? ["fused_colour"] : [];
}

/** Why nothing can be exported now; empty where something can. */
function obstacle() {
  if (!state.scene) return "There is nothing to export yet.";
  if (state.limits && !state.limits.provisional) return "";
  return `Guidance images are needed and still computed: ${document.getElementById("guidance-status")?.textContent}.`;
}

/** The link's query; the principal pixel is part of a file even where it is not pinned. */
function query() {
  const whole = new URLSearchParams(address.query() || "");
  const { pixel } = state;
  if (pixel) whole.set("pixel", `${pixel.row},${pixel.col}`);
  return whole;
}

function current() {
  if (!under || !state.scene) return null;
  const name = under.replace("panel-", "").replaceAll("-", "_");
  return /^(mri|pet)/.test(name) ? ["inputs", `input_${name}`] : [state.scene.method_id, name];
}

document.addEventListener("pointermove", (event) => {
  const section = closest(event, "section.panel");
  if (section) under = section.dataset.panel || null;
});

provide({
  page: "explore",
  obstacle,
  query,
  current,
  rows: () => (state.scene ? [[state.scene.method_id, state.scene.method_title], ["inputs", "Inputs"]] : []),
  columns: (row) => (row === "inputs" ? INPUTS : [...COLUMNS, ...colourColumns(), ...ZOOMS, ...mapColumns()]),
  forms: () => true,
});
