/* The compare page's link: the address follows it, and links to the other pages carry of it what they can. */

import { link, state } from "./state.mjs";
import * as address from "../core/address.mjs";
import * as regionLink from "../regions/link.mjs";
import * as pageLinks from "../views/links.mjs";
import { carried } from "../views/view-state.mjs";

regionLink.say(link.parts.regions);
address.show(link);

pageLinks.carryBy((anchor) => {
  const common = state.common();
  if (anchor.dataset.page !== "explore" || !common) return "";
  return carried(link, { method: common.method_id, pair: common.pair_address, zoom: link.parts.zoom.text });
});
