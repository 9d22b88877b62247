/* What is explained: a number of a region, by the names of regions, and as a link has it (app/link/explained.py). */

import { text } from "../core/kinds.mjs";

/**
 * @typedef {"mean" | "contrast" | "ssim"} Quantity
 * @typedef {object} Question
 * @property {Quantity} of
 * @property {string} region - The name of a region.
 * @property {string} against - Of a contrast the name of the second region, of a similarity `x1` or `x2`, else nothing.
 *
 * @typedef {{ name: string, mask: Uint8Array }} Named
 */

const PLACE = "(?:[1-9]|1[0-2])";
/** Of the link's key. */
export const KIND = text(new RegExp(`^(?:mean\\.${PLACE}|contrast\\.${PLACE}\\.${PLACE}|ssim\\.${PLACE}\\.x[12])$`));

/**
 * What a link says; null where it lacks a region of the question.
 * @param {Question} question
 * @param {string[]} names - Of the link's regions, in its order.
 */
export function written({ of, region, against }, names) {
  const [place, other] = [region, against].map((name) => names.indexOf(name) + 1);
  if (!place || (of === "contrast" && !other)) return null;
  if (of === "mean") return `mean.${place}`;
  return `${of}.${place}.${of === "contrast" ? other : against}`;
}

/**
 * A region under its name, or under another one that it has by now; else the first that may be taken.
 * @param {string} name
 * @param {Named[]} before - The regions when it had this name.
 * @param {Named[]} now
 * @param {string} taken - The name of one that may not be taken.
 */
function found(name, before, now, taken) {
  const mask = before.find((one) => one.name === name)?.mask;
  const same = now.find((one) => one.name === name) || now.find((one) => one.mask === mask);
  return (same || now.find((one) => one.name !== taken))?.name || "";
}

/**
 * The same question of the regions that there are now; null where they are too few.
 * @param {Question} question
 * @param {Named[]} before
 * @param {Named[]} now
 * @returns {Question | null}
 */
export function settled({ of, region, against }, before, now) {
  const first = found(region, before, now, "");
  if (of !== "contrast") return first ? { of, region: first, against: of === "ssim" ? against : "" } : null;
  let second = found(against, before, now, first);
  if (second === first) second = now.find(({ name }) => name !== first)?.name || "";
  return second ? { of, region: first, against: second } : null;
}

/**
 * What is explained, in words.
 * @param {Question} question
 * @param {string[]} modalities
 */
export function sentence({ of, region, against }, modalities) {
  if (of === "mean") return `Mean of ${region}`;
  if (of === "contrast") return `Contrast ${region} − ${against}`;
  return `Local SSIM of ${region} with ${modalities[against === "x1" ? 0 : 1]}`;
}
