/*
 * The compare table's grid in CSS pixels, numbers in and numbers out: how large pictures are, in how many lines a row has
 * them, where rows, columns, inputs and labels stand. Pictures are as large as the window allows, and the inputs never larger
 * than those of the methods.
 */

/**
 * @import { Area } from "../painter/pixels.mjs"
 *
 * @typedef {{ ratio: number, beside: number }} Shape - Of a picture: width over height, and how many stand side by side.
 * @typedef {{ top: number, height: number }} Band
 * @typedef {Band & { label: Area }} Row
 * @typedef {{ left: number, width: number, down: number }} Place - Of a column's cells; `down` from the top of their row.
 *
 * @typedef {object} Asked
 * @property {number} width - Of the place that there is.
 * @property {number} height
 * @property {number} methods
 * @property {Shape[]} columns
 * @property {Shape[]} inputs
 * @property {number} ratio - Of the images.
 * @property {{ inputs: number, method: number }} labels - How high labels are.
 * @property {boolean} large - Whether pictures are to be large, though the table is higher than its place.
 *
 * @typedef {object} Plan - A way to lay the table out.
 * @property {number} side - The height of a picture.
 * @property {number} small - The height of an input.
 * @property {number[][]} lines - Columns, line by line.
 * @property {number[][]} above - Inputs, line by line, where they stand above the methods.
 * @property {number} rail - Width of the inputs' place at the right, 0 where they stand above.
 * @property {number} tall - Height of the inputs with their label.
 * @property {number} row - Height of a method's row.
 * @property {number} total
 * @property {boolean} within - Whether no line is wider than its place.
 *
 * @typedef {object} Grid
 * @property {number} width
 * @property {number} height
 * @property {number} label - Width of the labels; 0 where they stand above their pictures.
 * @property {number} side - The height of a method's picture.
 * @property {boolean} captions - Whether each picture needs a title of its own, as no column has a head.
 * @property {Band} head
 * @property {Row[]} rows - The inputs, then the methods.
 * @property {Place[]} columns
 * @property {number} cell - The height of a cell.
 * @property {Area[]} inputs
 */

export const PAD = 2; // around a picture
export const CAPTION = 16; // above a picture that no head names
const HEAD = 22;
const LABEL = { least: 176, most: 320 };
const ABOVE = 640; // in a narrower place labels stand above their pictures
const SIDE = { least: 88, comfortable: 120, large: 200, most: 420 }; // of a square picture
const SHARE = 0.55; // of a picture's height that an input has at least
const GAIN = 1.1; // by which pictures must be larger where columns have no heads or inputs stand at the right
const STRETCH = 1.4;

/**
 * @param {Shape} shape
 * @param {number} side
 */
function widthOf({ ratio, beside }, side) {
  return beside * (Math.ceil(ratio * side) + 2 * PAD);
}

/**
 * Put widths into lines, as words of a text; gives their numbers, line by line.
 * @param {number[]} widths
 * @param {number} place
 */
function wrapped(widths, place) {
  /** @type {number[][]} */
  const lines = [];
  let left = 0;
  widths.forEach((width, index) => {
    if (!lines.length || width > left) {
      lines.push([]);
      left = place;
    }
    lines[lines.length - 1].push(index);
    left -= width;
  });
  return lines;
}

/**
 * The width of the longest line.
 * @param {number[][]} lines
 * @param {Shape[]} shapes
 * @param {number} side
 */
function longest(lines, shapes, side) {
  return Math.max(0, ...lines.map((line) => line.reduce((sum, index) => sum + widthOf(shapes[index], side), 0)));
}

/** @param {Asked} asked */
const besides = ({ width }) => width >= ABOVE;

/**
 * The widest of the inputs that stand below each other.
 * @param {Asked} asked
 * @param {number} small
 */
function railOf({ inputs }, small) {
  return Math.max(LABEL.least, ...inputs.map((shape) => widthOf(shape, small)));
}

/**
 * The largest inputs that can stand below each other at the right; 0 where they would be too small.
 * @param {Asked} asked
 * @param {number} side
 */
function smallAtRight({ height, labels, inputs }, side) {
  const small = Math.min(side, Math.floor((height - labels.inputs) / inputs.length) - CAPTION - 2 * PAD);
  return small >= SHARE * side ? small : 0;
}

/**
 * The table with pictures so high; null where inputs at the right have no room.
 * @param {Asked} asked
 * @param {number} side
 * @param {{ right: boolean, small?: number }} how
 * @returns {Plan | null}
 */
function plan(asked, side, { right, small: wanted }) {
  const { labels, methods, columns, inputs } = asked;
  const small = right ? smallAtRight(asked, side) : wanted ?? Math.ceil(SHARE * side);
  if (!small) return null;
  const rail = right ? railOf(asked, small) : 0;
  const place = asked.width - (besides(asked) ? LABEL.least : 0);
  const lines = wrapped(columns.map((shape) => widthOf(shape, side)), place - rail);
  const above = right ? [] : wrapped(inputs.map((shape) => widthOf(shape, small)), place);
  const headed = besides(asked) && lines.length <= 1;
  const pictures = lines.length * (side + 2 * PAD + (headed ? 0 : CAPTION));
  const inLines = (right ? inputs.length : above.length) * (small + 2 * PAD + CAPTION);
  const row = besides(asked) ? Math.max(labels.method, pictures) : labels.method + pictures;
  const tall = right || !besides(asked) ? labels.inputs + inLines : Math.max(labels.inputs, inLines);
  const body = (headed ? HEAD : 0) + methods * row;
  const within = longest(lines, columns, side) <= place - rail;
  return { side, small, lines, above, rail, tall, row, within, total: right ? Math.max(tall, body) : tall + body };
}

/**
 * The plan with the largest pictures between two heights that will do; null where none does.
 * @param {Asked} asked
 * @param {{ right: boolean }} how
 * @param {number} least
 * @param {(plan: Plan) => boolean} does
 */
function largest(asked, how, least, does) {
  const factor = Math.sqrt(asked.ratio); // long pictures are lower, so that they are as large
  for (let side = Math.round(SIDE.most / factor); side >= Math.round(least / factor); side -= 1) {
    const found = plan(asked, side, how);
    if (found?.within && does(found)) return found;
  }
  return null;
}

/**
 * The plan whose pictures are largest in the height that there is: in one line below heads, with inputs above or at the
 * right, or in several lines; null where pictures would be too small.
 * @param {Asked} asked
 */
function fitting(asked) {
  /** @type {(plan: Plan) => boolean} */
  const fits = ({ total }) => total <= asked.height;
  /** @type {(plan: Plan) => boolean} */
  const inOneLine = (plan) => fits(plan) && plan.lines.length <= 1;
  const ways = [largest(asked, { right: false }, SIDE.least, inOneLine)];
  if (besides(asked)) ways.push(largest(asked, { right: true }, SIDE.least, inOneLine));
  ways.push(largest(asked, { right: false }, SIDE.least, fits));
  return ways.reduce((best, one) => (one && (!best || one.side >= GAIN * best.side) ? one : best));
}

/**
 * The plan with as few lines as pictures of this height need, and the largest in so many; it may be higher than its place.
 * @param {Asked} asked
 * @param {number} least
 */
function scrolling(asked, least) {
  const start = /** @type {Plan} */ (plan(asked, Math.round(least / Math.sqrt(asked.ratio)), { right: false }));
  return largest(asked, { right: false }, least, ({ lines }) => lines.length <= start.lines.length) || start;
}

/**
 * Inputs above the methods are as large as what the methods leave; where the table scrolls, as large as their lines allow.
 * @param {Asked} asked
 * @param {Plan} found
 */
function withInputs(asked, found) {
  if (found.rail) return found;
  for (let { side: small } = found; small > found.small; small -= 1) {
    const one = /** @type {Plan} */ (plan(asked, found.side, { right: false, small }));
    if (found.total > asked.height ? one.above.length <= found.above.length : one.total <= asked.height) return one;
  }
  return found;
}

/**
 * Where the columns stand: their widths somewhat larger where there is place.
 * @param {Asked} asked
 * @param {Plan} found
 * @param {number} label
 * @param {number} step
 * @param {number} first
 */
function placed({ width, columns }, { side, lines, rail }, label, step, first) {
  const place = width - label - rail;
  const widths = columns.map((shape) => Math.min(widthOf(shape, side), place));
  const used = longest(lines, columns, side);
  const factor = used ? Math.min(STRETCH, place / used) : 1;
  return lines.flatMap((line, number) => {
    let left = label;
    return line.map((index) => {
      const column = { left, width: Math.floor(factor * widths[index]), down: first + number * step };
      left += column.width;
      return column;
    });
  });
}

/**
 * Where the inputs stand, with a caption above each.
 * @param {Asked} asked
 * @param {Plan} found
 * @param {number} label
 * @returns {Area[]}
 */
function inputBoxes(asked, found, label) {
  const { width, labels, inputs } = asked;
  const { small, rail, above } = found;
  const [step, height] = [small + 2 * PAD + CAPTION, small + 2 * PAD];
  if (rail) {
    return inputs.map((_, number) => (
      { left: width - rail, top: labels.inputs + number * step + CAPTION, width: rail, height }));
  }
  const start = label ? 0 : labels.inputs;
  return above.flatMap((line, number) => {
    let left = label;
    return line.map((index) => {
      const across = Math.min(widthOf(inputs[index], small), width - label);
      left += across;
      return { left: left - across, top: start + number * step + CAPTION, width: across, height };
    });
  });
}

/**
 * Lay the table out.
 * @param {Asked} asked
 * @returns {Grid}
 */
export function arrange(asked) {
  const found = withInputs(asked, (!asked.large && fitting(asked)) || scrolling(asked, asked.large ? SIDE.large : SIDE.comfortable));
  const { side, lines, rail, tall, row, total } = found;
  const beside = besides(asked);
  const captions = !beside || lines.length > 1;
  const used = Math.max(longest(lines, asked.columns, side), longest(found.above, asked.inputs, found.small));
  const label = beside ? Math.min(Math.max(asked.width - rail - used, LABEL.least), LABEL.most) : 0;
  const head = { top: rail ? 0 : tall, height: captions ? 0 : HEAD };
  const cell = side + 2 * PAD;
  const first = (beside ? 0 : asked.labels.method) + (captions ? CAPTION : 0);
  /** @type {(top: number, height: number, left: number, width: number) => Row} */
  const band = (top, height, left, width) => ({ top, height, label: { left, top, width, height } });
  const rows = [rail ? band(0, tall, asked.width - rail, rail) : band(0, tall, 0, label || asked.width)];
  if (!beside || rail) rows[0].label.height = asked.labels.inputs;
  for (let number = 0; number < asked.methods; number += 1) {
    rows.push(band(head.top + head.height + number * row, row, 0, label || asked.width));
    if (!beside) rows[number + 1].label.height = asked.labels.method;
  }
  const columns = placed(asked, found, label, cell + (captions ? CAPTION : 0), first);
  return { width: asked.width, height: total, label, side, captions, head, rows, columns, cell, inputs: inputBoxes(asked, found, label) };
}
