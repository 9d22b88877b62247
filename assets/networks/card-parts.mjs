/* What a method's card says, asked for until it is measured; on the page of trainings, when its place there is opened. */

import { element } from "../core/elements.mjs";
import { answered, found } from "../core/server.mjs";

/** @typedef {{ title: string, note: string, facts: [string, string][], ready: boolean }} Card */

const PAUSE_MILLISECONDS = 500;

/**
 * The card at an address once it is there; null where nobody waits for it any more.
 * @param {string} address
 * @param {() => boolean} isWanted
 * @returns {Promise<Card | null>}
 */
export async function measured(address, isWanted) {
  for (;;) {
    /** @type {Card} */
    const card = await found(await answered(address));
    if (!isWanted()) return null;
    if (card.ready) return card;
    await new Promise((done) => setTimeout(done, PAUSE_MILLISECONDS));
  }
}

/**
 * A card's note and facts.
 * @param {Card} card
 */
export function partsOf({ note, facts }) {
  const lines = facts.flatMap(([name, words]) => [element("dt", { textContent: name }), element("dd", { textContent: words })]);
  return [...(note ? [element("p", { textContent: note })] : []), element("dl", {}, ...lines)];
}

/** Fill the place of a card when it is opened, `details` that say the card's address. */
export function fillWhenOpened() {
  document.addEventListener("toggle", ({ target }) => {
    if (!(target instanceof HTMLDetailsElement) || !target.open || !target.dataset.methodCard) return;
    const place = /** @type {Element} */ (target.lastElementChild);
    place.textContent = "Measuring …";
    measured(target.dataset.methodCard, () => target.open).then(
      (card) => card && place.replaceChildren(...partsOf(card)),
      (error) => { place.textContent = error.message; },
    );
  }, true);
}
