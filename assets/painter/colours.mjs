/* How gradients become colours, as fusion/colours.py has it: min(v / end, 1)^gamma, sign kept on the signed scale. */

/**
 * @typedef {"paper" | "signed" | "robust"} Scale
 * @typedef {"own" | "common"} Ranges - Of red and green of guidance RGB.
 * @typedef {"unit" | "own"} Grays - Ends of the gray scale of fused images: 0 to 1, or further where one goes further.
 * @typedef {(value: number) => number} Painter - From a value to a pixel.
 * @typedef {{ maximum: number, magnitude: number, percentile: number }} Limits
 */

const STOPS = 96;
const LEVELS = 1024;
const SEQUENTIAL = [
  [68, 1, 84], [72, 40, 120], [62, 73, 137], [49, 104, 142], [38, 130, 142],
  [31, 158, 137], [53, 183, 121], [110, 206, 88], [181, 222, 43], [253, 231, 37],
];
const DIVERGING = [
  [5, 48, 97], [33, 102, 172], [67, 147, 195], [146, 197, 222], [209, 229, 240], [247, 247, 247],
  [253, 219, 199], [244, 165, 130], [214, 96, 77], [178, 24, 43], [103, 0, 31],
];
/** @type {Map<string, Uint32Array>} */
const tables = new Map();

/**
 * The opaque pixel of red, green and blue bytes.
 * @param {number} red
 * @param {number} green
 * @param {number} blue
 */
export function opaque(red, green, blue) {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** The pixel of a Jacobian image where the method does not reach, as OUTSIDE_SUPPORT of fusion/colours.py. */
export const OUTSIDE_SUPPORT = opaque(178, 182, 189);
/** The mark of a pixel near the pole of a fusion rule, as NEAR_POLE of fusion/colours.py. */
export const NEAR_POLE = opaque(255, 0, 255);
const [AIR_GROUND, AIR_STRIPE] = [opaque(52, 55, 60), opaque(112, 116, 122)];

/**
 * The pixel of what is left out as air, at a place of the image, as hatch of fusion/colours.py.
 * @param {number} row
 * @param {number} col
 */
export function hatch(row, col) {
  return (row + col) % 6 < 2 ? AIR_STRIPE : AIR_GROUND;
}

/**
 * @param {number[][]} palette
 * @param {number} position
 */
function interpolate(palette, position) {
  const at = position * (palette.length - 1);
  const low = Math.min(Math.floor(at), palette.length - 2);
  const part = at - low;
  return palette[low].map((value, band) => Math.floor(value + part * (palette[low + 1][band] - value) + 0.5));
}

/** @param {Scale} scale */
function palette(scale) {
  return scale === "signed" ? DIVERGING : SEQUENTIAL;
}

/**
 * The Plotly colour scale that shows true values with gamma.
 * @param {Scale} scale
 * @param {number} gamma
 */
export function bent(scale, gamma) {
  /** @type {[number, string][]} */
  const stops = [];
  for (let k = 0; k <= STOPS; k += 1) {
    const shown = k / STOPS;
    const centred = 2 * shown - 1;
    const position =
      scale === "signed"
        ? (Math.sign(centred) * Math.abs(centred) ** (1 / gamma) + 1) / 2
        : shown ** (1 / gamma);
    stops.push([position, `rgb(${interpolate(palette(scale), shown).join(",")})`]);
  }
  return stops;
}

/**
 * The palette as opaque pixels for putImageData (little-endian: alpha, blue, green, red).
 * @param {Scale} scale
 */
function table(scale) {
  const name = scale === "signed" ? "signed" : "sequential";
  const known = tables.get(name);
  if (known) return known;
  const colours = new Uint32Array(LEVELS);
  for (let k = 0; k < LEVELS; k += 1) {
    const [red, green, blue] = interpolate(palette(scale), k / (LEVELS - 1));
    colours[k] = opaque(red, green, blue);
  }
  tables.set(name, colours);
  return colours;
}

/**
 * Make the function from a gradient to an opaque pixel; what is not a number is transparent.
 * @param {Scale} scale
 * @param {number} gamma
 * @param {number} end
 * @returns {Painter}
 */
export function gradientPainter(scale, gamma, end) {
  const colours = table(scale);
  const top = LEVELS - 1;
  if (scale === "signed") {
    return (value) => {
      if (Number.isNaN(value)) return 0;
      const size = Math.min(Math.abs(value) / end, 1) ** gamma;
      return colours[Math.round(((value < 0 ? -size : size) + 1) * 0.5 * top)];
    };
  }
  return (value) => {
    if (Number.isNaN(value)) return 0;
    return colours[value <= 0 ? 0 : Math.round(Math.min(value / end, 1) ** gamma * top)];
  };
}

/**
 * Make the function from an intensity to an opaque pixel, black at `low` and white at `high`.
 * @param {number} low
 * @param {number} high
 * @returns {Painter}
 */
export function grayPainter(low, high) {
  return (value) => {
    if (Number.isNaN(value)) return 0;
    const shade = Math.round((255 * Math.min(Math.max(value - low, 0), high - low)) / (high - low));
    return opaque(shade, shade, shade);
  };
}

/**
 * What is black and what is white in an image: 0 and 1, or further where it goes further, as gray_range of fusion/colours.py.
 * @param {[number, number]} range - Of its numbers.
 * @param {Grays} grays
 * @returns {[number, number]}
 */
export function grayEnds([low, high], grays) {
  return grays === "unit" ? [0, 1] : [Math.min(0, low), Math.max(1, high)];
}

/**
 * The smallest and the largest number of values, [low, high]; what is not finite does not count.
 * @param {Iterable<number>} values
 * @returns {[number, number]}
 */
export function rangeOf(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/**
 * What the ends of the scales are taken from, as Limits of fusion/colours.py; the percentile only when asked for.
 * @param {Float32Array | Float64Array} values
 * @returns {Limits}
 */
export function limitsOf(values) {
  const finite = values.filter(Number.isFinite);
  let maximum = 0;
  let magnitude = 0;
  for (const value of finite) {
    if (value > maximum) maximum = value;
    if (Math.abs(value) > magnitude) magnitude = Math.abs(value);
  }
  /** @type {number | null} */
  let known = null;
  return {
    maximum,
    magnitude,
    get percentile() {
      if (known === null) known = finite.length ? percentile(finite.map(Math.abs).sort(), 0.99) : 0;
      return known;
    },
  };
}

/**
 * @param {Float32Array | Float64Array} sorted
 * @param {number} part
 */
function percentile(sorted, part) {
  const at = part * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}

/** @type {Record<Scale, keyof Limits>} */
const ENDS = { paper: "maximum", signed: "magnitude", robust: "percentile" };

/**
 * The end of a scale, above 0; 1 where there are no limits or no gradient.
 * @param {Limits | null | undefined} limits
 * @param {Scale} scale
 */
export function endOf(limits, scale) {
  const end = limits ? limits[ENDS[scale]] : 0;
  return end > 0 ? end : 1;
}
