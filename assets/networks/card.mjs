/* The dialog of a method's card: what is known and was checked of it. It is measured when it is asked for, which takes seconds. */

import { closeHeadMenu } from "../core/dialogs.mjs";
import { closest, element } from "../core/elements.mjs";
import { dialogOf } from "../core/native-dialog.mjs";
import { home } from "../core/server.mjs";
import { measured, partsOf } from "./card-parts.mjs";
import { shown } from "./menu.mjs";

/** @import { Card } from "./card-parts.mjs" */

class CardDialog {
  constructor() {
    this.turn = 0;
    this.message = element("p", { className: "uploads-message", role: "status" });
    this.cards = element("div", { className: "method-cards" });
    this.host = dialogOf("Method card", "", this.message, this.cards);
    this.host.addEventListener("close", () => { this.turn += 1; });
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
  closeHeadMenu();
  dialog = dialog || new CardDialog();
  dialog.open();
});
