/* Words that name the inputs: of the pair that is shown. */

import { withNames } from "../core/words.mjs";

/**
 * Put the names of both inputs into all texts and tooltips that have a place for them, {0} and {1}.
 * @param {string[]} names
 */
export function say(names) {
  /** @param {string | undefined} text */
  const filled = (text) => withNames(text || "", names);
  /** @type {NodeListOf<HTMLElement>} */
  const texts = document.querySelectorAll("[data-words]");
  texts.forEach((element) => (element.textContent = filled(element.dataset.words)));
  /** @type {NodeListOf<HTMLElement>} */
  const titles = document.querySelectorAll("[data-title]");
  titles.forEach((element) => (element.title = filled(element.dataset.title)));
}
