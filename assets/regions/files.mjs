/* Regions from files and from the pair, and into files: PNG masks, 255 inside and 0 outside. */

import * as regionServer from "./server.mjs";
import * as regions from "./set.mjs";

/** Names as a sentence has them. */
function listed(names) {
  return names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}` : names[0];
}

/** Say what became of masks: `outcomes` as regions.load gives them, and what else there is to say. */
function tell(names, outcomes, done, others = []) {
  const of = (outcome) => names.filter((_, at) => outcomes[at] === outcome);
  const [added, here, full, other] = ["added", "here", "full", "other"].map(of);
  const sentences = [
    added.length && `${listed(added)} ${added.length > 1 ? "were" : "was"} ${done}.`,
    here.length && `${listed(here)} ${here.length > 1 ? "are" : "is"} here already.`,
    full.length && `There is no room for ${listed(full)}: ${regions.MOST} regions are the most.`,
    other.length && `Another pair is shown now; ${listed(other)} did not come along.`,
    ...others,
  ];
  regionServer.told(sentences.filter(Boolean).join("\n"));
}

/** Add the masks that come with the pair that is shown. */
export function addKnown(masks) {
  const outcomes = regions.load(regions.imageShape().address, masks);
  tell(masks.map(({ name }) => name), outcomes, "added");
}

/** Read all files, then say which were read, and of each other one why it was not. */
async function read(files) {
  const { address } = regions.imageShape();
  const [masks, names, problems] = [[], [], []];
  for (const file of files) {
    try {
      masks.push(await regionServer.read(address, file));
      names.push(file.name);
    } catch ({ message }) {
      problems.push(message.startsWith(file.name) ? message : `${file.name}: ${message}`);
    }
  }
  tell(names, regions.load(address, masks), "read", problems);
}

export function choose() {
  const input = Object.assign(document.createElement("input"), { type: "file", accept: "image/png", multiple: true });
  input.addEventListener("change", () => read([...input.files]));
  input.click();
}

/** Names for files, each its own also where capital and small letters are the same. */
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
  const { height, width } = regions.imageShape();
  const filled = regions.all().filter((region) => region.count);
  const names = fileNames(filled.map(({ name }) => name));
  filled.forEach(({ mask }, index) => {
    const canvas = Object.assign(document.createElement("canvas"), { height, width });
    const data = new ImageData(width, height);
    new Uint32Array(data.data.buffer).set(Uint32Array.from(mask, (one) => (one ? 0xffffffff : 0xff000000)));
    canvas.getContext("2d").putImageData(data, 0, 0);
    canvas.toBlob((blob) => {
      const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: names[index] });
      link.click();
      URL.revokeObjectURL(link.href);
    }, "image/png");
  });
}
