/* Scatterplots of guidance values: where points lie, how dense they are, and those that are marked. */

import { blank, css } from "./pixels.mjs";

/**
 * @import { Area, Context, Shape, Values } from "./pixels.mjs"
 * @import { Pixel } from "./shapes.mjs"
 * @typedef {[number, number]} Ends - Of an axis.
 * @typedef {[number, number, number]} Marked - Place on the canvas, x and y, and a region's colour.
 * @typedef {{ xs: Values, ys: Values, shape: Shape, place: (first: number, second: number) => [number, number] | null }} Plotted
 */

export const GROUND = "#f7f8fa";
/**
 * What plots look like: their ground, and red, green and blue of their points.
 * @typedef {{ ground: string, ink: number[] }} PlotLook
 * @type {Record<string, PlotLook>}
 */
const LOOKS = { light: { ground: GROUND, ink: [35, 39, 46] }, dark: { ground: "#1b1f25", ink: [206, 212, 218] } };
const DOTS = "rgb(31 41 55 / 45%)";
const GREEN = "#00c853";
const FONT = "9px system-ui, sans-serif";
const SHARE = 0.04; // of the values' range that is left free at both ends of an axis, as in app/figures/scatter.py

/**
 * What plots look like in a theme.
 * @param {string | undefined} theme
 */
export function lookOf(theme) {
  return LOOKS[theme || "light"] || LOOKS.light;
}

/**
 * The ends of an axis for values from low to high.
 * @param {number} low
 * @param {number} high
 * @returns {Ends}
 */
export function axisEnds(low, high) {
  if (!(high >= low)) return [0, 1];
  const margin = SHARE * (high - low) || 0.05;
  return [low - margin, high + margin];
}

/**
 * The function from a value to its whole pixel on an axis of this length.
 * @param {Ends} ends
 * @param {number} length
 * @returns {(value: number) => number}
 */
export function placer([low, high], length) {
  const factor = length / (high - low);
  return (value) => Math.floor((value - low) * factor);
}

/**
 * The function from a value to its place on an axis of this length.
 * @param {Ends} ends
 * @param {number} length
 * @returns {(value: number) => number}
 */
export function placing([low, high], length) {
  const factor = length / (high - low);
  return (value) => (value - low) * factor;
}

/**
 * The function from a point to its whole pixel of a plot, [x, y] from the upper left; null outside, and for what is no number.
 * @param {Ends[]} axes
 * @param {number} width
 * @param {number} height
 * @returns {(first: number, second: number) => [number, number] | null}
 */
export function placeOf(axes, width, height) {
  const [across, up] = [placer(axes[0], width), placer(axes[1], height)];
  return (first, second) => {
    const [x, y] = [across(first), height - 1 - up(second)];
    return x >= 0 && y >= 0 && x < width && y < height ? [x, y] : null;
  };
}

/**
 * The points of the (2·half + 1)² pixels around one, { x, y, tint } each; `tint` is a region's colour, 0 outside of all.
 * @param {Plotted} plotted
 * @param {Pixel} pixel
 * @param {number} half
 * @param {Uint32Array | null} tints
 */
export function around({ xs, ys, shape, place }, { row, col }, half, tints) {
  const found = [];
  for (let i = Math.max(0, row - half); i <= Math.min(shape.height - 1, row + half); i += 1) {
    for (let j = Math.max(0, col - half); j <= Math.min(shape.width - 1, col + half); j += 1) {
      const at = i * shape.width + j;
      const where = place(xs[at], ys[at]);
      if (where) found.push({ x: where[0], y: where[1], tint: tints ? tints[at] : 0 });
    }
  }
  return found;
}

/**
 * Fill a square of (2·reach + 1)² pixels around (x, y), as far as it is inside.
 * @param {Shape & { pixels: Uint32Array }} canvas
 * @param {number} x
 * @param {number} y
 * @param {number} reach
 * @param {number} colour
 */
export function square({ pixels, width, height }, x, y, reach, colour) {
  for (let v = Math.max(0, y - reach); v <= Math.min(height - 1, y + reach); v += 1) {
    for (let u = Math.max(0, x - reach); u <= Math.min(width - 1, x + reach); u += 1) pixels[v * width + u] = colour;
  }
}

/**
 * How many points fall on each pixel of a plot: { data }, far from the ground where there are many.
 * @param {Values} xs
 * @param {Values} ys
 * @param {Ends[]} axes
 * @param {number} width
 * @param {number} height
 * @param {number[]} [ink]
 */
export function density(xs, ys, axes, width, height, ink = LOOKS.light.ink) {
  const counts = new Uint32Array(width * height);
  const [across, up] = [placer(axes[0], width), placer(axes[1], height)];
  let most = 1;
  for (let at = 0; at < xs.length; at += 1) {
    const x = across(xs[at]);
    const y = height - 1 - up(ys[at]);
    if (!(x >= 0 && y >= 0 && x < width && y < height)) continue; // what is not a number too
    counts[y * width + x] += 1;
    most = Math.max(most, counts[y * width + x]);
  }
  const { data, pixels } = blank(width, height);
  const colour = (ink[2] << 16) | (ink[1] << 8) | ink[0];
  const scale = 1 / Math.log1p(most);
  for (let at = 0; at < counts.length; at += 1) {
    // One pixel is to be seen, ten thousand are not to be the only ones seen.
    if (counts[at]) pixels[at] = ((Math.round(255 * (0.35 + 0.65 * Math.log1p(counts[at]) * scale)) << 24) | colour) >>> 0;
  }
  return data;
}

/**
 * Put the ground of a scatterplot under what is drawn.
 * @param {Context} context
 */
export function ground(context) {
  const { width, height } = context.canvas;
  context.save();
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = GROUND;
  context.fillRect(0, 0, width, height);
  context.restore();
}

/**
 * Draw all points as dots that become dark where there are many, as Plotly's plot has them. `unit` is a pixel of the screen.
 * @param {Context} context
 * @param {Values} xs
 * @param {Values} ys
 * @param {Ends[]} axes
 * @param {number} [unit]
 */
export function darkDots(context, xs, ys, axes, unit = 1) {
  const { width, height } = context.canvas;
  const [[x0, x1], [y0, y1]] = axes;
  context.fillStyle = DOTS;
  for (let at = 0; at < xs.length; at += 1) {
    const [x, y] = [((xs[at] - x0) / (x1 - x0)) * width, ((y1 - ys[at]) / (y1 - y0)) * height];
    context.fillRect(x - unit, y - unit, 2 * unit, 2 * unit);
  }
}

/**
 * Draw the same on the plot's ground: the first view's stand-in.
 * @param {Context} context
 * @param {Values} xs
 * @param {Values} ys
 * @param {Ends[]} axes
 */
export function dots(context, xs, ys, axes) {
  darkDots(context, xs, ys, axes);
  ground(context);
}

/**
 * Draw the points around the principal pixel, [x, y, tint] each, where `tint` is the pixel of a region's colour, 0 outside of
 * all: green squares, and over all of them a core in those that are in a region. `unit` is a pixel of the screen.
 * @param {Context} context
 * @param {Marked[]} points
 * @param {number} unit
 */
export function neighbours(context, points, unit) {
  /** @type {(x: number, y: number, side: number) => void} */
  const draw = (x, y, side) => context.fillRect(x - side / 2, y - side / 2, side, side);
  context.fillStyle = GREEN;
  for (const [x, y, tint] of points) draw(x, y, (tint ? 5 : 3) * unit);
  for (const [x, y, tint] of points) {
    if (!tint) continue;
    context.fillStyle = css(tint);
    draw(x, y, 3 * unit);
  }
}

/**
 * Round numbers for an axis: at most `most` of them.
 * @param {Ends} ends
 * @param {number} most
 */
export function ticks([low, high], most) {
  const rough = (high - low) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough) || 10 * power;
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  /** @type {[number, string][]} */
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high; k += 1) found.push([k * step, (k * step).toFixed(digits)]);
  return found;
}

/**
 * Draw the axes of a plot in its box, with numbers and titles.
 * @param {Context} context
 * @param {Area} box
 * @param {Area} area
 * @param {Ends[]} axes
 * @param {string[]} titles
 * @param {string} ink
 */
export function drawAxes(context, box, area, axes, titles, ink) {
  context.font = FONT;
  context.fillStyle = ink;
  context.textAlign = "center";
  context.textBaseline = "top";
  const bottom = area.top + area.height;
  for (const [value, text] of ticks(axes[0], area.width / 34)) {
    const x = area.left + ((value - axes[0][0]) / (axes[0][1] - axes[0][0])) * area.width;
    context.fillRect(x, bottom, 1, 3);
    context.fillText(text, Math.min(Math.max(x, area.left + 8), area.left + area.width - 8), bottom + 4);
  }
  context.fillText(titles[0], area.left + area.width / 2, bottom + 15, area.width + 30);
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const [value, text] of ticks(axes[1], area.height / 22)) {
    const y = bottom - ((value - axes[1][0]) / (axes[1][1] - axes[1][0])) * area.height;
    context.fillRect(area.left - 3, y, 3, 1);
    context.fillText(text, area.left - 5, Math.min(Math.max(y, area.top + 4), bottom - 4));
  }
  context.save();
  context.translate(box.left + 5, box.top + box.height / 2);
  context.rotate(-Math.PI / 2);
  context.textAlign = "center";
  context.fillText(titles[1], 0, 0, box.height - 8);
  context.restore();
}
