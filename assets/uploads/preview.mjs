/* Pairs of an upload before they are used: both images in small, how their values are spread, and what is wrong with them. */

import { element } from "../core/elements.mjs";
import { home } from "../core/server.mjs";
import { codeOf, PLAIN } from "../reading/code.mjs";
import { view } from "../reading/registration.mjs";

/**
 * @typedef {object} Pair
 * @property {string} name
 * @property {[string, string]} modalities
 * @property {[string, string]} files
 * @property {boolean} named - Whether names say what the images show.
 *
 * @typedef {object} Facts
 * @property {[number, number]} size
 * @property {[number, number] | null} spacing - mm.
 * @property {[number, number]} ends - Smallest and largest value.
 * @property {number[]} histogram
 * @property {string} picture - Its address.
 *
 * @typedef {object} Looked
 * @property {[Facts | null, Facts | null]} images
 * @property {string[]} notes
 * @property {string} problem
 * @property {boolean} unequal - Whether the second has to be stretched.
 * @property {[number, number]} aspects - Height of a pixel by its width, where each of both comes first.
 *
 * @typedef {{ place: number, name: string, swap: boolean, reading: string }} Choice
 */

const SVG = "http://www.w3.org/2000/svg";

/** A pair that can be chosen. */
export class PairLine {
  /**
   * @param {string} id - Of the upload.
   * @param {Pair} pair
   * @param {number} place
   * @param {() => void} changed - Called when it is chosen or not.
   */
  constructor(id, pair, place, changed) {
    this.id = id;
    this.pair = pair;
    this.place = place;
    this.swapped = false;
    /** @type {[number, number]} */
    this.shift = [0, 0];
    /** @type {Looked | null} */
    this.looked = null;
    this.tick = element("input", { type: "checkbox", checked: true, disabled: true, ariaLabel: `Use ${pair.name}` });
    this.tick.addEventListener("change", changed);
    this.field = element("input", {
      type: "text", value: pair.name, maxLength: 60, className: "form-control form-control-sm", ariaLabel: `Name of ${pair.name}`,
    });
    const swap = element("button", { type: "button", textContent: "⇄", title: "Swap x1 and x2", className: "btn btn-outline-secondary btn-sm" });
    swap.ariaLabel = `Swap x1 and x2 of ${pair.name}`;
    swap.addEventListener("click", () => {
      this.swapped = !this.swapped;
      // As Reading.swapped of fusion/choices.py: the one that was moved stays, and the other moves.
      this.shift = [0 - this.shift[0], 0 - this.shift[1]];
      this.show();
    });
    this.stretch = element("input", { type: "checkbox", checked: true, id: `upload-stretch-${place}`, className: "form-check-input" });
    this.stretch.addEventListener("change", () => this.show());
    this.register = element("button", {
      type: "button", textContent: "Registration view…", className: "btn btn-outline-secondary btn-sm",
      title: "Both images blinking, in a checkerboard, over each other; move the second by arrow keys",
    });
    this.register.addEventListener("click", () => view(this));
    this.images = element("div", { className: "upload-images" });
    this.words = element("div", { className: "upload-words" });
    this.line = element("li", { className: "upload-pair" },
      element("div", { className: "upload-line" }, this.tick, this.field, swap, this.register), this.images, this.words);
    this.show();
  }

  /** @param {Looked} looked */
  take(looked) {
    this.looked = looked;
    this.tick.disabled = Boolean(looked.problem);
    this.tick.checked = !looked.problem;
    this.show();
  }

  get isChosen() {
    return this.tick.checked && !this.tick.disabled;
  }

  /** @returns {Choice} */
  get choice() {
    return { place: this.place, name: this.field.value, swap: this.swapped, reading: this.code(this.shift) };
  }

  /**
   * The code by which the pair is read.
   * @param {[number, number]} shift
   */
  code(shift) {
    return codeOf({ ...PLAIN, resample: this.looked?.unequal && this.stretch.checked ? true : null, shift });
  }

  /** Whether both images can be laid over each other. */
  get lies() {
    return Boolean(this.looked && !this.looked.problem && (!this.looked.unequal || this.stretch.checked));
  }

  /** What the registration view shows. */
  shown() {
    const names = this.pair.named ? this.pair.modalities : ["x1", "x2"];
    const aspect = this.looked?.aspects[this.swapped ? 1 : 0] ?? 1;
    /** @type {[number, number]} */
    const applied = [0, 0];
    const modalities = this.swapped && this.pair.named ? [...names].reverse() : names;
    return { key: this.addressOf(), method: "", modalities, aspect, shift: this.shift, applied };
  }

  /** @param {[number, number]} shift */
  move(shift) {
    this.shift = shift;
    this.show();
  }

  addressOf() {
    return `${home()}uploads/${this.id}/inputs?place=${this.place}&swap=${Number(this.swapped)}&code=${this.code([0, 0])}`;
  }

  show() {
    const order = this.swapped ? [1, 0] : [0, 1];
    this.images.replaceChildren(...order.map((from, at) => this.figure(from, at)));
    const { problem, notes } = this.looked || { problem: "", notes: [] };
    const [second, first] = order.map((from) => (this.pair.named ? this.pair.modalities[from] : `x${order.indexOf(from) + 1}`)).reverse();
    const offer = element("p", { className: "upload-stretch" }, this.stretch,
      element("label", { htmlFor: this.stretch.id, textContent: `Stretch ${second} onto ${first}, as their sizes differ: whether both then show the same place is not known` }));
    const [down, right] = this.shift;
    const moved = down || right ? [`${second} is moved ${down} down, ${right} to the right.`] : [];
    this.register.disabled = !this.lies;
    const unnamed = this.pair.named ? [] : ["Their names do not say what these images show. Swap them if x1 and x2 are the wrong way round."];
    this.words.replaceChildren(
      ...(problem ? [element("p", { className: "upload-problem", textContent: problem })] : []),
      ...(!problem && this.looked?.unequal ? [offer] : []),
      ...(problem ? [] : [...unnamed, ...moved, ...notes]).map((text) => element("p", { textContent: text })));
  }

  /**
   * @param {number} from - The image, as it was brought.
   * @param {number} at - Whether it is x1 or x2.
   */
  figure(from, at) {
    const facts = this.looked && this.looked.images[from];
    const role = `x${at + 1}`;
    const shown = this.pair.named ? `${role}: ${this.pair.modalities[from]}` : role;
    const place = element("div", { className: "upload-picture" });
    if (facts) place.append(element("img", { src: facts.picture, alt: `${shown}, ${this.pair.files[from]}` }));
    return element("figure", {}, place,
      element("figcaption", {}, element("b", { textContent: shown }), element("span", { textContent: this.pair.files[from] }),
        ...(facts ? [element("span", { textContent: about(facts) }), histogram(facts)] : [])));
  }
}

/** @param {Facts} facts */
export function about({ size, spacing, ends }) {
  const mm = spacing ? [`${spacing.map((one) => Number(one.toPrecision(4))).join("×")} mm a pixel`] : [];
  return [`${size.join("×")} pixels`, ...mm, `${ends.map((one) => Number(one.toPrecision(5))).join(" to ")}`].join(" · ");
}

/** @param {Facts} facts */
function histogram({ histogram: counts, ends }) {
  const most = Math.max(...counts, 1);
  // The square root: black background else hides all that is in the picture.
  const bars = counts.map((count, at) => `M${at + 0.5} 16v${-16 * Math.sqrt(count / most)}`).join("");
  const drawn = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", bars);
  drawn.append(path);
  drawn.setAttribute("viewBox", `0 0 ${counts.length} 16`);
  drawn.setAttribute("preserveAspectRatio", "none");
  drawn.setAttribute("role", "img");
  drawn.setAttribute("aria-label", `Histogram of its values, ${ends.map((one) => Number(one.toPrecision(5))).join(" to ")}`);
  return drawn;
}
