/* The form about a network: what its description would say, with defaults that the file itself has. */

import { element } from "../core/elements.mjs";

/**
 * @typedef {object} Facts - What an ONNX file says of itself.
 * @property {[string, (number | string)[]][]} images - Name and sides of each input.
 * @property {string[]} outputs
 * @property {number} channels
 * @property {[number, number] | null} fixed
 * @property {number} multiple
 * @property {boolean} single
 * @property {number} nodes
 *
 * @typedef {Record<string, any>} Tables - As a description's TOML file has them.
 */

/** @type {Record<string, { words: string, mean: number[], std: number[] }>} */
const NORMALISATIONS = {
  "": { words: "none", mean: [], std: [] },
  imagenet: { words: "ImageNet's means and deviations (3 channels)", mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  half: { words: "mean 0.5, deviation 0.5", mean: [0.5], std: [0.5] },
};
const CHANNELS = { mean: "mean of its channels", luma: "luma of red, green, blue", 0: "its first channel", 1: "its second channel", 2: "its third channel" };

/**
 * The tables of a description, without what is left as it is by default.
 * @param {Record<string, string>} values - Of the fields, by name.
 * @returns {Tables}
 */
export function tablesOf(values) {
  /** @type {(text: string) => number | undefined} */
  const number = (text) => (text === "" || text === undefined ? undefined : Number(text));
  /** @type {(...texts: string[]) => number[] | undefined} */
  const both = (...texts) => (texts.some((text) => text) ? texts.map(Number) : undefined);
  const { mean, std } = NORMALISATIONS[values.normalisation] || NORMALISATIONS[""];
  const channel = values.channel === "mean" || values.channel === "luma" ? values.channel : number(values.channel);
  return filled({
    title: values.title.trim() || undefined,
    note: values.note.trim() || undefined,
    inputs: filled({
      order: values.order === "x2 x1" ? ["x2", "x1"] : undefined,
      channels: number(values.channels),
      range: both(values.low, values.high),
      mean: mean.length ? mean : undefined,
      std: std.length ? std : undefined,
    }),
    output: filled({ index: number(values.index), channel, range: both(values.outLow, values.outHigh) }),
    sizes: filled({ multiple: number(values.multiple), minimum: number(values.minimum) }),
  });
}

/** @param {Tables} table */
function filled(table) {
  return Object.fromEntries(Object.entries(table).filter(([, value]) => value !== undefined));
}

/**
 * Whether the first input looks like x2 by its name, as in "x2, x1" or "img_b, img_a".
 * @param {Facts} facts
 */
export function isSwapped({ images }) {
  const [first, second] = images.map(([name]) => name);
  return second !== undefined && /(2|b)$/i.test(first) && /(1|a)$/i.test(second);
}

/**
 * What a file takes and returns, in words.
 * @param {Facts} facts
 */
export function said({ images, outputs, fixed, single, nodes }) {
  const inputs = images.map(([name, sides]) => `${name} (${sides.map((side) => (String(side).startsWith("?") ? "any" : side)).join(" × ")})`);
  const only = fixed ? `, images of ${fixed[0]}×${fixed[1]} pixels only` : "";
  return `It takes ${inputs.join(" and ")}${only}, returns ${outputs.join(", ")}, and has ${nodes} operators${single ? "; one pair at a time" : ""}.`;
}

export class NetworkForm {
  /**
   * @param {Facts} facts
   * @param {string} title
   */
  constructor(facts, title) {
    /** @type {Map<string, HTMLInputElement | HTMLSelectElement>} */
    this.fields = new Map();
    this.form = element("form", { className: "network-form", noValidate: true });
    this.form.append(element("p", { textContent: said(facts) }),
      this.text("title", "Title", title, 60), this.text("note", "Note, one sentence", "", 200),
      ...this.inputs(facts), ...this.outputs(facts), ...this.sizes(facts));
  }

  /** @param {Facts} facts */
  inputs(facts) {
    const [first, second] = facts.images.map(([name]) => name);
    const order = second === undefined
      ? { "x1 x2": "x1, then x2", "x2 x1": "x2, then x1" }
      : { "x1 x2": `x1 is ${first}, x2 is ${second}`, "x2 x1": `x2 is ${first}, x1 is ${second}` };
    const normalisations = Object.fromEntries(Object.entries(NORMALISATIONS).map(([key, { words }]) => [key, words]));
    return [
      this.choice("order", "Inputs", order, isSwapped(facts) ? "x2 x1" : "x1 x2"),
      this.number("channels", "Each gray image is given so many times, as channels", facts.channels, 1),
      this.row("Black and white are for it", this.number("low", "Black", 0), this.number("high", "White", 1)),
      this.choice("normalisation", "Normalisation", normalisations, ""),
    ];
  }

  /** @param {Facts} facts */
  outputs({ outputs }) {
    const several = Object.fromEntries(outputs.map((name, place) => [String(place), name]));
    return [
      ...(outputs.length > 1 ? [this.choice("index", "The fused image is", several, "0")] : []),
      this.choice("channel", "Of several channels", CHANNELS, "mean"),
      this.row("It returns for black and white, if something else", this.number("outLow", "Returned for black"), this.number("outHigh", "Returned for white")),
    ];
  }

  /** @param {Facts} facts */
  sizes({ fixed, multiple }) {
    if (fixed) return [];
    return [
      this.number("multiple", "Sides are padded to multiples of", multiple, 1),
      this.number("minimum", "Pixels along each side at least", 1, 1),
    ];
  }

  /** What the fields say now. */
  get tables() {
    return tablesOf({ title: "", note: "", ...Object.fromEntries([...this.fields].map(([name, { value }]) => [name, value])) });
  }

  /**
   * @param {string} name
   * @param {string} label
   * @param {string} value
   * @param {number} maxLength
   */
  text(name, label, value, maxLength) {
    return this.labelled(name, label, element("input", { type: "text", value, maxLength, className: "form-control form-control-sm" }));
  }

  /**
   * @param {string} name
   * @param {string} label
   * @param {number | ""} [value]
   * @param {number} [min]
   */
  number(name, label, value = "", min = undefined) {
    const field = element("input", { type: "number", step: "any", value: String(value), className: "form-control form-control-sm", ...(min !== undefined && { min }) });
    return this.labelled(name, label, field);
  }

  /**
   * @param {string} name
   * @param {string} label
   * @param {Record<string, string>} choices
   * @param {string} value
   */
  choice(name, label, choices, value) {
    const options = Object.entries(choices).map(([key, words]) => element("option", { value: key, textContent: words, selected: key === value }));
    return this.labelled(name, label, element("select", { className: "form-select form-select-sm" }, ...options));
  }

  /**
   * @param {string} label
   * @param {...HTMLElement} parts
   */
  row(label, ...parts) {
    return element("fieldset", { className: "network-row" }, element("legend", { textContent: label }), ...parts);
  }

  /**
   * @param {string} name
   * @param {string} label
   * @param {HTMLInputElement | HTMLSelectElement} field
   */
  labelled(name, label, field) {
    field.name = name;
    this.fields.set(name, field);
    return element("label", { className: "network-field" }, element("span", { textContent: label }), field);
  }
}
