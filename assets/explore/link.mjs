/* The explore page's link: the address follows it, and links to the other pages carry of it what they can. */

import { link, state } from "./state.mjs";
import * as address from "../core/address.mjs";
import * as regionLink from "../regions/link.mjs";
import * as pageLinks from "../views/links.mjs";
import { carried } from "../views/view-state.mjs";

regionLink.say(link.parts.regions);
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
