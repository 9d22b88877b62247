/* What goes elsewhere of the compare page's view: into the address, with links to the other pages, into exported files. */

import * as difference from "./difference.mjs";
import * as images from "./images.mjs";
import * as layout from "./layout.mjs";
import { COLUMNS, link, state } from "./state.mjs";
import * as table from "./table.mjs";
import * as address from "../core/address.mjs";
import { closest } from "../core/elements.mjs";
import { INPUTS, provide } from "../export/menu.mjs";
import * as painted from "../change/set.mjs";
import * as explained from "../explain/panel.mjs";
import * as regionLink from "../regions/link.mjs";
import * as pageLinks from "../views/links.mjs";
import { carried } from "../views/view-state.mjs";

/** @import { Meaning, Picture } from "./layout.mjs" */
/** @import { Scene } from "./state.mjs" */

const EMPTY_IN_DIFFERENCE = ["fused_colour", "guidance_rgb", "scatter"];
/** @type {Picture | null} */
let under = null; // the picture that the pointer was on last

regionLink.say(link.parts.regions);
painted.say(link.parts.change);
explained.begin({
  scenes: state.ready,
  home: () => state.facts().home,
  gamma: () => state.display.gamma1,
}, link.parts.explain);
address.show(link);

pageLinks.carryBy((anchor) => {
  const common = state.common();
  if (anchor.dataset.page !== "explore" || !common) return "";
  return carried(link, {
    method: common.method_id,
    pair: common.pair_address,
    scale: state.display.scale, // the other page begins with another one
    zoom: link.parts.zoom.text,
  });
});

/** Why nothing can be exported now; empty where something can. */
function obstacle() {
  if (!state.ready().length) return "There is no method to export.";
  const waiting = state.ready().filter((scene) => !images.get(scene, "guidance")?.complete);
  if (!waiting.length) return "";
  /** @param {Scene} scene */
  const share = (scene) => Math.floor(100 * (state.progress[scene.key]?.fraction || 0));
  const parts = waiting.map((scene) => `${scene.method_title} ${share(scene)} %`);
  return `Guidance images are needed and still computed: ${parts.join(", ")}.`;
}

/** The link's query; the principal pixel is part of a file even where it is not pinned. */
function query() {
  const { search } = new URL(address.link());
  const { pixel } = state.a;
  const whole = new URLSearchParams(search);
  const known = state.ready().map((scene) => scene.method_id);
  if (known.length < state.methods.length) {
    whole.set("methods", known.join());
    whole.delete("weights");
  }
  if (pixel) whole.set("pixel", `${pixel.row},${pixel.col}`);
  return whole;
}

function rows() {
  const shown = difference.rows().filter((scene) => !scene.error);
  return [...shown.map((scene) => [scene.method_id, scene.method_title]), ["inputs", "Inputs"]];
}

/** @param {string} row */
function columns(row) {
  if (row === "inputs") return INPUTS;
  return COLUMNS.filter((name) => row !== "difference" || !EMPTY_IN_DIFFERENCE.includes(name));
}

/**
 * The name of a picture's column.
 * @param {Meaning} picture
 */
function nameOf({ kind, index, zoom }) {
  const wanted = kind === "inputs" ? "input" : kind;
  return [...INPUTS, ...COLUMNS].find((name) => {
    const meant = layout.meaning(name);
    return meant.kind === wanted && meant.index === index && meant.zoom === zoom;
  });
}

document.addEventListener("pointermove", (event) => {
  const drawn = table.shown();
  const canvas = closest(event, ".compare-canvas");
  if (!drawn || !canvas) return;
  const { left, top } = canvas.getBoundingClientRect();
  const [x, y] = [event.clientX - left, event.clientY - top];
  /** @param {Picture} picture */
  const inside = ({ box }) => x >= box.left && x < box.left + box.width && y >= box.top && y < box.top + box.height;
  under = drawn.pictures.find(inside) || under;
});

provide({
  page: "compare",
  obstacle,
  query,
  rows,
  columns,
  forms: (/** @type {string} */ form) => state.columns.length > 0 || form === "npz" || form === "csv",
  current: () => under && [under.kind === "inputs" ? "inputs" : under.scene.method_id, nameOf(under)],
});
