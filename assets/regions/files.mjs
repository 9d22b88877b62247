/* Regions from files and from the pair, and into files: PNG masks, 255 inside and 0 outside. */

import { element, save as handOver } from "../core/elements.mjs";
import { fillValues, picture } from "../painter/pixels.mjs";
import * as regionServer from "./server.mjs";
import * as regions from "./set.mjs";

/** @import { ImageShape, NamedCode, Outcome } from "./set.mjs" */

/** The images' shape; there are regions only once it is known. */
function shownShape() {
  return /** @type {ImageShape} */ (regions.imageShape());
}

/**
 * Names as a sentence has them.
 * @param {string[]} names
 */
function listed(names) {
  return names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}` : names[0];
}

/**
 * Say what became of masks: `outcomes` as regions.load gives them, and what else there is to say.
 * @param {string[]} names
 * @param {Outcome[]} outcomes
 * @param {string} done
 * @param {string[]} [others]
 */
function tell(names, outcomes, done, others = []) {
  /** @param {Outcome} outcome */
  const of = (outcome) => names.filter((_, at) => outcomes[at] === outcome);
  const [added, here, full, other] = [of("added"), of("here"), of("full"), of("other")];
  const sentences = [
    added.length && `${listed(added)} ${added.length > 1 ? "were" : "was"} ${done}.`,
    here.length && `${listed(here)} ${here.length > 1 ? "are" : "is"} here already.`,
    full.length && `There is no room for ${listed(full)}: ${regions.MOST} regions are the most.`,
    other.length && `Another pair is shown now; ${listed(other)} did not come along.`,
    ...others,
  ];
  regionServer.told(sentences.filter(Boolean).join("\n"));
}

/**
 * Add the masks that come with the pair that is shown.
 * @param {NamedCode[]} masks
 */
export function addKnown(masks) {
  const outcomes = regions.load(shownShape().address, masks);
  tell(masks.map(({ name }) => name), outcomes, "added");
}

/**
 * Read all files, then say which were read, and of each other one why it was not.
 * @param {File[]} files
 */
async function read(files) {
  const { address } = shownShape();
  /** @type {NamedCode[]} */
  const masks = [];
  /** @type {string[]} */
  const names = [];
  /** @type {string[]} */
  const problems = [];
  for (const file of files) {
    try {
      masks.push(await regionServer.read(address, file));
      names.push(file.name);
    } catch (error) {
      const { message } = /** @type {Error} */ (error);
      problems.push(message.startsWith(file.name) ? message : `${file.name}: ${message}`);
    }
  }
  tell(names, regions.load(address, masks), "read", problems);
}

export function choose() {
  const input = element("input", { type: "file", accept: "image/png", multiple: true });
  input.addEventListener("change", () => read([...(input.files || [])]));
  input.click();
}

/**
 * Names for files, each its own also where capital and small letters are the same.
 * @param {string[]} names
 */
function fileNames(names) {
  const taken = new Set();
  return names.map((name) => {
    const plain = name.replace(/[^\p{L}\p{N} _-]/gu, "_");
    let text = plain;
    for (let number = 2; taken.has(text.toLowerCase()); number += 1) text = `${plain} ${number}`;
    taken.add(text.toLowerCase());
    return `${text}.png`;
  });
}

/** Save each region that has pixels. */
export function save() {
  const { height, width } = shownShape();
  const filled = regions.all().filter((region) => region.count);
  const names = fileNames(filled.map(({ name }) => name));
  filled.forEach(({ mask }, index) => {
    const canvas = picture(width, height, (pixels) => fillValues(pixels, mask, (one) => (one ? 0xffffffff : 0xff000000)));
    canvas.toBlob((blob) => blob && handOver(blob, names[index]), "image/png");
  });
}
