/*
 * The registration view, a dialog: both inputs blinking, in a checkerboard, over each other, their difference, and, where a method
 * is chosen, how much the fused image changes when the second moves by a pixel. Arrow keys move the second, which the pair's
 * address then says. It shows the page's pair, or one of an upload before it is used (uploads/preview.mjs).
 */

import { choose, current, place } from "./form.mjs";
import { coloursOf, lengths, moved } from "./views.mjs";
import { decodeImages, fetchBinary, placeOf } from "../core/channel.mjs";
import { closest, element } from "../core/elements.mjs";
import { fill, picture } from "../painter/pixels.mjs";

/**
 * @import { Images } from "../core/channel.mjs"
 *
 * @typedef {{ pair_id: string, method_id: string, weights_id: string, method_title: string, modalities: string[],
 *   aspect: number }} Scene
 *
 * @typedef {object} Shown - What is shown now.
 * @property {string} key - Of its images: others are fetched where it changes.
 * @property {string} method - Its title; empty where none is chosen.
 * @property {string[]} modalities
 * @property {number} aspect - Height of a pixel by its width.
 * @property {[number, number]} shift - Of the second: rows down, columns to the right.
 * @property {[number, number]} applied - By how much it is moved in the images that are fetched.
 *
 * @typedef {object} Source
 * @property {() => Shown | null} shown
 * @property {(shift: [number, number]) => void} move
 * @property {(kind: "inputs" | "shift") => string} addressOf
 */

const WAYS = [
  ["blink", "Blink", "One after the other, twice a second: what moves does not lie on its twin"],
  ["checkerboard", "Checkerboard", "Squares of both in turn: edges go on from square to square where the two lie on each other"],
  ["overlay", "Overlay", "The first in red, the second in green; yellow where both are bright"],
  ["difference", "Difference", "First − second: red where the first is brighter, blue where the second is"],
  ["sensitivity", "Sensitivity", "How much the fused image changes when the second moves by a pixel, |J·∇x2|: brighter is more"],
];
/** @type {Record<string, [number, number]>} */
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const BLINK_MILLISECONDS = 500;

/** @type {Dialog | null} */
let open = null;

class Dialog {
  /** @param {Source} source */
  constructor(source) {
    this.source = source;
    this.listed = WAYS.filter(([way]) => way !== "sensitivity" || source.shown()?.method);
    this.way = WAYS[0][0];
    this.blinks = false;
    /** @type {Images | null} */
    this.inputs = null;
    /** @type {Float32Array | null} */
    this.change = null;
    this.pair = ""; // whose inputs these are
    /** @type {[number, number]} */
    this.applied = [0, 0]; // by how much the second has been moved in them
    this.canvas = element("canvas", { className: "registration-picture", tabIndex: 0 });
    this.words = element("p", { className: "registration-words" });
    this.words.setAttribute("role", "status");
    this.shift = element("output", { className: "registration-shift" });
    this.share = element("input", { type: "range", min: "0", max: "1", step: "0.05", value: "0.5", className: "form-range", id: "registration-share" });
    this.share.addEventListener("input", () => this.draw());
    this.host = this.build();
    document.body.append(this.host);
    this.host.showModal();
    this.canvas.focus();
    this.timer = setInterval(() => this.tick(), BLINK_MILLISECONDS);
    this.tick();
  }

  build() {
    const title = element("h2", { className: "h6", textContent: "Registration view" });
    const close = element("button", { type: "button", className: "btn-close", ariaLabel: "Close" });
    const host = element("dialog", { className: "registration", ariaLabel: "Registration view" });
    const shares = element("label", { htmlFor: this.share.id, textContent: "first" });
    this.overlay = element("div", { className: "registration-row" }, shares, this.share, element("span", {}, "second"));
    host.append(
      element("div", { className: "registration-head" }, title, close), this.ways(), this.overlay, this.canvas, this.words, this.movers(),
    );
    close.addEventListener("click", () => host.close());
    host.addEventListener("close", () => this.end());
    host.addEventListener("keydown", (event) => {
      const move = MOVES[event.key];
      if (!move || closest(event, "input, select")) return;
      event.preventDefault();
      this.move(move);
    });
    return host;
  }

  ways() {
    const group = element("div", { className: "btn-group btn-group-sm registration-ways" });
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", "How both images are shown");
    this.buttons = this.listed.map(([way, textContent, title]) => {
      const button = element("button", { type: "button", className: "btn btn-outline-secondary", textContent, title });
      button.addEventListener("click", () => this.show(way));
      group.append(button);
      return button;
    });
    return group;
  }

  movers() {
    const row = element("div", { className: "registration-row" }, this.shift);
    const buttons = /** @type {[string, string, [number, number] | null][]} */ ([
      ["←", "Move the second image to the left", MOVES.ArrowLeft], ["→", "Move it to the right", MOVES.ArrowRight],
      ["↑", "Move it up", MOVES.ArrowUp], ["↓", "Move it down", MOVES.ArrowDown], ["0", "Put it back", null],
    ]);
    for (const [textContent, title, move] of buttons) {
      const button = element("button", { type: "button", className: "btn btn-sm btn-outline-secondary", textContent, title, ariaLabel: title });
      button.addEventListener("click", () => this.move(move));
      row.append(button);
    }
    return row;
  }

  /** @param {string} way */
  show(way) {
    this.way = way;
    if (way === "sensitivity" && !this.change) this.load("shift");
    this.draw();
  }

  /** @param {[number, number] | null} move - Null: back to where it was. */
  move(move) {
    const shown = this.source.shown();
    if (!shown) return;
    const [down, right] = shown.shift;
    this.source.move(move ? [down + move[0], right + move[1]] : [0, 0]);
    this.draw();
  }

  /** Blink, and follow the page to a pair that is read in another way. */
  tick() {
    const shown = this.source.shown();
    if (shown && shown.key !== this.pair) {
      this.pair = shown.key;
      this.change = null;
      this.load("inputs");
      if (this.way === "sensitivity") this.load("shift");
    }
    this.blinks = !this.blinks;
    if (this.way === "blink") this.draw();
  }

  /** @param {"inputs" | "shift"} kind */
  async load(kind) {
    const key = this.source.shown()?.key;
    if (!key) return;
    try {
      const { buffer } = await fetchBinary(this.source.addressOf(kind));
      if (key !== this.pair) return;
      const images = decodeImages(buffer);
      if (kind === "shift") this.change = lengths(images.band(0), images.band(1));
      else {
        this.inputs = images;
        this.applied = this.source.shown()?.applied || [0, 0];
      }
      this.draw();
    } catch (error) {
      this.say(/** @type {Error} */ (error).message);
    }
  }

  draw() {
    const [shown, images] = [this.source.shown(), this.inputs];
    this.buttons?.forEach((button, at) => button.setAttribute("aria-pressed", String(this.listed[at][0] === this.way)));
    if (this.overlay) this.overlay.hidden = this.way !== "overlay";
    if (!shown || !images) return;
    const { width, height } = images;
    const [down, right] = shown.shift;
    this.shift.textContent = `${shown.modalities[1]} moved ${down} down, ${right} to the right`;
    const second = moved(images.band(1), images, [down - this.applied[0], right - this.applied[1]]);
    const look = { share: Number(this.share.value), blinks: this.blinks };
    const colour = coloursOf(this.way, images.band(0), second, images, look, this.change);
    const [, , explanation] = WAYS.find(([way]) => way === this.way) || [];
    if (colour) {
      picture(width, height, (pixels) => fill(pixels, width, height, colour), this.canvas);
      this.canvas.style.setProperty("--ratio", String(width / (height * shown.aspect)));
      this.canvas.ariaLabel = `${shown.modalities.join(" and ")}: ${this.way}. Arrow keys move the second.`;
      this.canvas.setAttribute("role", "img");
      this.say(`${explanation}.${this.largest(shown.method)}`);
    } else this.say("The sensitivity is being computed…");
  }

  /**
   * Say something below the picture, once.
   * @param {string} words
   */
  say(words) {
    if (this.words.textContent !== words) this.words.textContent = words;
  }

  /** @param {string} method */
  largest(method) {
    if (this.way !== "sensitivity" || !this.change) return "";
    return ` ${method}; at most ${Math.max(0, this.change.reduce((most, value) => Math.max(most, value), 0)).toPrecision(3)} of the fused intensity a pixel.`;
  }

  end() {
    clearInterval(this.timer);
    this.host.remove();
    open = null;
  }
}

/**
 * Open the view.
 * @param {Source} source
 */
export function view(source) {
  open = open || new Dialog(source);
}

/**
 * Let the form's button open the view.
 * @param {() => Scene | null} sceneOf - What the page shows.
 */
export function begin(sceneOf) {
  /** @type {Source} */
  const source = {
    shown() {
      const [scene, form] = [sceneOf(), current()];
      if (!scene || !form) return null;
      const { pair_id: key, method_title: method, modalities, aspect } = scene;
      return { key, method, modalities, aspect, shift: form.chosen.shift, applied: form.facts.chosen.shift };
    },
    move: (shift) => choose({ shift }),
    addressOf: (kind) => `${place().dataset.home || ""}images/${placeOf(/** @type {Scene} */ (sceneOf()))}/${kind}`,
  };
  document.addEventListener("click", (event) => {
    if (closest(event, "#registration-open")) view(source);
  });
}
