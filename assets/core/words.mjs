/* Words that name the inputs: the layout has them once for all pairs. */

/**
 * A text with the names of both inputs in the places that it has for them, {0} and {1}.
 * @param {string} text
 * @param {string[]} names
 */
export function withNames(text, names) {
  return text.replace(/\{([01])\}/g, (_, index) => names[Number(index)]);
}
