/*
 * How a region is drawn, and what links say of it: keys behind its code, none of which an ordinary region has
 * (RegionLook of app/link/texts.py is the twin).
 */

/**
 * @typedef {object} Look - Never changed, only replaced, as regions are.
 * @property {boolean} hidden
 * @property {boolean} outline
 * @property {boolean} filled
 * @property {number} opacity - In percent.
 */

/** @type {Readonly<Look>} */
export const FIRST_LOOK = Object.freeze({ hidden: false, outline: true, filled: true, opacity: 100 });
/**
 * Of what is selected by its values: its pixels lie anywhere, and outlines of so many fragments would hide the picture.
 * @type {Readonly<Look>}
 */
export const SCATTERED = Object.freeze({ ...FIRST_LOOK, outline: false });

const BESIDE_OUTLINE = 0.28;
const ALONE = 0.5; // a filling leaves the picture to be seen

/**
 * What a link has behind a region's code.
 * @param {Look} look
 */
export function written({ hidden, outline, filled, opacity }) {
  const only = outline === filled ? "" : `~${outline ? "o" : "f"}`;
  return (hidden ? "~h" : "") + only + (opacity < 100 ? `~p${opacity}` : "");
}

/**
 * A look with some of it changed. One with neither outline nor filling could not be seen: what was not changed comes back.
 * @param {Look} look
 * @param {Partial<Look>} changes
 * @returns {Look}
 */
export function changed(look, changes) {
  const next = { ...look, ...changes };
  if (!next.outline && !next.filled) next["outline" in changes ? "filled" : "outline"] = true;
  return next;
}

/**
 * Whether two regions are drawn in the same way.
 * @param {Look} one
 * @param {Look} other
 */
export function alike(one, other) {
  return written(one) === written(other);
}

/**
 * How opaque a filling is, 0 to 1.
 * @param {Look} look
 */
export function fillingOf({ outline, opacity }) {
  return ((outline ? BESIDE_OUTLINE : ALONE) * opacity) / 100;
}
