/* The dialog of a method's card: what is known and was checked of it. It is measured when it is asked for, which takes seconds. */

import { closest, element } from "../core/elements.mjs";
import { home } from "../core/server.mjs";
import { measured, partsOf } from "./card-parts.mjs";
import { shown } from "./menu.mjs";

/** @import { Card } from "./card-parts.mjs" */

class CardDialog {
  constructor() {
    this.turn = 0;
    this.message = element("p", { className: "uploads-message", role: "status" });
    this.cards = element("div", { className: "method-cards" });
    this.host = element("dialog", { className: "uploads-dialog", ariaLabel: "Method card" });
    const close = element("button", { type: "button", textContent: "×", className: "region-remove", title: "Close" });
    close.addEventListener("click", () => this.host.close());
    this.host.addEventListener("close", () => { this.turn += 1; });
    this.host.append(element("div", { className: "uploads-head" }, element("h2", { textContent: "Method card", className: "h6" }), close), this.message, this.cards);
    document.body.append(this.host);
  }

  async open() {
    this.host.showModal();
    this.turn += 1;
    const { turn } = this;
    this.cards.replaceChildren();
    try {
      for (const id of shown()) {
        this.message.textContent = "Measuring …";
        /** @type {Card | null} */
        const card = await measured(`${home()}methods/${encodeURIComponent(id)}/card`, () => turn === this.turn);
        if (!card) return;
        this.cards.append(element("h3", { className: "h6", textContent: card.title }), ...partsOf(card));
      }
      this.message.textContent = "";
    } catch (error) {
      if (turn === this.turn) this.message.textContent = /** @type {Error} */ (error).message;
    }
  }
}

/** @type {CardDialog | null} */
let dialog = null;

document.addEventListener("click", (event) => {
  if (!closest(event, "#method-card-open")) return;
  document.querySelector(".head-menu")?.removeAttribute("open");
  dialog = dialog || new CardDialog();
  dialog.open();
});
