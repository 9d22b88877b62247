/* Words that both pages say: those that name the inputs, which the layout has once for all pairs, and warnings. */

/**
 * A text with the names of both inputs in the places that it has for them, {0} and {1}.
 * @param {string} text
 * @param {string[]} names
 */
export function withNames(text, names) {
  return text.replace(/\{([01])\}/g, (_, index) => names[Number(index)]);
}

/**
 * The note of a pixel at which some features are near the pole of the method's fusion rule; empty at all others.
 * @param {number | null | undefined} features
 */
export function poleWords(features) {
  if (!features) return "";
  return `⚠ ${features} ${features === 1 ? "feature" : "features"} within 0.05 of the rule’s pole`;
}
