/* Kinds of values in links, each written as the server writes it. */

/**
 * @template T
 * @typedef {import("./tracked.mjs").Kind<T>} Kind
 */

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const WHOLE = /^\d+$/;

/**
 * A number as Python writes a float.
 * @param {number} value
 */
export function decimal(value) {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

/** @type {(low: number, high: number) => (value: number) => boolean} */
const between = (low, high) => (value) => value >= low && value <= high;

/**
 * A number with decimals.
 * @param {number} low
 * @param {number} high
 * @returns {Kind<number>}
 */
export function number(low, high) {
  return { write: decimal, read: (text) => (DECIMAL.test(text) ? Number(text) : NaN), valid: between(low, high) };
}

/**
 * A whole number.
 * @param {number} low
 * @param {number} high
 * @returns {Kind<number>}
 */
export function whole(low, high) {
  return { write: String, read: (text) => (WHOLE.test(text) ? Number(text) : NaN), valid: between(low, high) };
}

/**
 * A text of a form.
 * @param {RegExp} form
 * @returns {Kind<string>}
 */
export function text(form) {
  return { write: String, read: String, valid: (value) => form.test(value) };
}

/**
 * One of a few words.
 * @template {string} Word
 * @param {readonly Word[]} words
 * @returns {Kind<Word>}
 */
export function word(words) {
  return { write: String, read: (value) => /** @type {Word} */ (value), valid: (value) => words.includes(value) };
}

/** @type {Kind<boolean>} */
export const bit = {
  write: (on) => (on ? "1" : "0"),
  read: (value) => /** @type {boolean} */ ({ 1: true, 0: false }[value]),
  valid: (on) => typeof on === "boolean",
};

/**
 * A word, or else what another kind has.
 * @template {string} Word
 * @template T
 * @param {Word} only
 * @param {Kind<T>} kind
 * @returns {Kind<Word | T>}
 */
export function wordOr(only, kind) {
  return {
    write: (value) => (value === only ? only : kind.write(/** @type {T} */ (value))),
    read: (value) => (value === only ? only : kind.read(value)),
    valid: (value) => value === only || kind.valid(/** @type {T} */ (value)),
  };
}

/**
 * Several values with commas between them; an empty text is none.
 * @template T
 * @param {Kind<T>} kind - Of each.
 * @param {(values: T[]) => boolean} valid - Whether they may stand together.
 * @returns {Kind<T[]>}
 */
export function list(kind, valid) {
  return {
    write: (values) => values.map(kind.write).join(","),
    read: (value) => (value ? value.split(",").map(kind.read) : []),
    valid: (values) => values.every(kind.valid) && valid(values),
  };
}

/**
 * Whether no value stands there twice.
 * @param {unknown[]} values
 */
export function differ(values) {
  return new Set(values).size === values.length;
}
