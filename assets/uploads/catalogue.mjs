/* The dialog "All pairs": small pictures, a search, a menu of modalities, and what of the data folder is in no pair. */

import { closeHeadMenu } from "../core/dialogs.mjs";
import { closest, element } from "../core/elements.mjs";
import { dialogOf, plainButton } from "../core/native-dialog.mjs";
import * as menu from "./menu.mjs";
import { pictureOf } from "./server.mjs";

/** @import { Choosable } from "./server.mjs" */

const AT_ONCE = 60; // more are added by a button, so that hundreds stay quick

/**
 * The pairs in whose label all words of a text stand, of one kind of both modalities or of all.
 * @param {Choosable[]} pairs
 * @param {string} text
 * @param {string} kind - As `kindOf`, or nothing.
 */
export function matching(pairs, text, kind) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return pairs.filter((pair) => (!kind || kindOf(pair) === kind) && words.every((word) => pair.label.toLowerCase().includes(word)));
}

/** @param {Choosable} pair */
export function kindOf({ modalities }) {
  return modalities.join(" / ");
}

class Catalogue {
  constructor() {
    /** @type {Choosable[]} */
    this.pairs = [];
    this.most = AT_ONCE;
    this.search = element("input", { type: "search", placeholder: "Search", ariaLabel: "Search pairs", className: "form-control form-control-sm" });
    this.kinds = element("select", { className: "form-select form-select-sm", ariaLabel: "Modalities" });
    this.count = element("p", { className: "uploads-message", role: "status" });
    this.list = element("ul", { className: "catalogue-list" });
    this.more = plainButton("Show more");
    this.problems = element("details", { className: "catalogue-problems" });
    this.host = dialogOf("All pairs", "catalogue",
      element("div", { className: "catalogue-filter" }, this.search, this.kinds), this.count, this.list, this.more, this.problems);
    for (const control of [this.search, this.kinds]) control.addEventListener("input", () => this.show(AT_ONCE));
    this.more.addEventListener("click", () => this.show(this.most + AT_ONCE));
  }

  async open() {
    if (!this.host.open) this.host.showModal();
    try {
      const { pairs, problems } = await menu.refresh();
      this.pairs = pairs;
      const kinds = [...new Set(pairs.map(kindOf))].sort();
      this.kinds.replaceChildren(...["", ...kinds].map((kind) => element("option", { value: kind, textContent: kind || "All modalities" })));
      this.problems.hidden = !problems.length;
      this.problems.replaceChildren(element("summary", { textContent: "Images that are in no pair" }),
        element("ul", {}, ...problems.map((text) => element("li", { textContent: text }))));
      this.show(AT_ONCE);
    } catch (error) {
      this.count.textContent = /** @type {Error} */ (error).message;
    }
  }

  /** @param {number} most */
  show(most) {
    this.most = most;
    const found = matching(this.pairs, this.search.value, this.kinds.value);
    this.count.textContent = found.length === 1 ? "1 pair" : `${found.length} pairs`;
    this.list.replaceChildren(...found.slice(0, most).map((pair) => this.card(pair)));
    this.more.hidden = found.length <= most;
  }

  /** @param {Choosable} pair */
  card(pair) {
    const picture = element("img", { loading: "lazy", alt: "", width: 130, height: 64, src: pictureOf(pair.address) });
    picture.addEventListener("error", () => picture.replaceWith(element("span", { textContent: "No picture", className: "catalogue-none" })));
    const card = element("button", { type: "button", className: "catalogue-pair" }, picture, element("span", { textContent: pair.label }));
    card.addEventListener("click", () => {
      menu.choose(pair.address);
      this.host.close();
    });
    return element("li", {}, card);
  }
}

/** @type {Catalogue | null} */
let catalogue = null;

document.addEventListener("click", (event) => {
  if (!closest(event, "#catalogue-open")) return;
  closeHeadMenu();
  catalogue = catalogue || new Catalogue();
  catalogue.open();
});
