/* What the compare page's address says, as CompareState of app/link/view_state.py writes it; other pages' links carry it along. */

import { state } from "./state.mjs";
import * as address from "../core/address.mjs";
import * as regionLink from "../regions/link.mjs";
import * as pageLinks from "../views/links.mjs";

const WEIGHTS_DIGITS = 8;

/** The text of a part, null where the first view has the same. */
function unless(key, value, text = String) {
  const first = state.facts().first[key];
  const same = Array.isArray(value) ? value.join() === first.join() : value === first;
  return same ? null : text(value);
}

function bit(on) {
  return on ? "1" : "0";
}

function pixelOf(pixel) {
  return pixel ? address.list([pixel.row, pixel.col]) : null;
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

/** The short ids of all rows' weights, in the order of the methods; empty where a method cannot be had. */
function weights() {
  const known = new Map(state.ready().map((scene) => [scene.method_id, scene.weights_id.slice(0, WEIGHTS_DIGITS)]));
  return known.size ? state.methods.map((id) => known.get(id) || "").join(",").replace(/,+$/, "") || null : null;
}

address.add(() => {
  if (!state.pair) return null;
  const { shared, size, zoom } = state.display;
  return {
    ...colours(),
    columns: unless("columns", state.columns, address.list),
    difference: unless("difference", state.difference, address.list),
    methods: unless("methods", state.methods, address.list),
    numbers: unless("numbers", state.numbers, bit),
    pair: state.pair,
    pin: pixelOf(state.b.pixel),
    pixel: state.a.pinned ? pixelOf(state.a.pixel) : null,
    shared: unless("shared", shared, bit),
    size: unless("size", size),
    weights: weights(),
    zoom: unless("zoom", zoom),
  };
});

pageLinks.carryBy((link) => {
  const common = state.common();
  if (link.dataset.page !== "explore" || !common) return "";
  return address.write({
    ...colours(),
    method: common.method_id,
    pair: common.pair_address,
    pixel: state.a.pinned ? pixelOf(state.a.pixel) : null,
    regions: regionLink.text(),
    zoom: unless("zoom", state.display.zoom),
  });
});
