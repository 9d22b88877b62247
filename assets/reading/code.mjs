/* The code by which the files of a pair are read, as fusion/choices.py reads it; the server says what is chosen, and checks all. */

/**
 * @typedef {[number | null, number | null]} Numbers - Of x1 and x2.
 *
 * @typedef {object} Reading - As Reading.described of fusion/choices.py.
 * @property {string} axis
 * @property {Numbers} slices
 * @property {Numbers} frames
 * @property {[string | null, string | null]} windows - "LOW:HIGH", or "LOW%:HIGH%".
 * @property {boolean | null} resample - Null: as positions ask for.
 * @property {[number, number]} shift - Of x2: rows down, columns to the right.
 * @property {[string, string]} colour_maps - How pictures in colour become gray.
 * @property {boolean} nan_is_no_data
 */

export const SWAPPED = "~swapped";
export const LUMA = "luma";
const READ_AS = "@";
/** @type {Reading} */
export const PLAIN = {
  axis: "axial", slices: [null, null], frames: [null, null], windows: [null, null], resample: null, shift: [0, 0], colour_maps: [LUMA, LUMA],
  nan_is_no_data: false,
};

/** @param {Numbers} numbers */
function written([first, second]) {
  if (second === null || first === second) return first === null ? "" : String(first);
  return `${first ?? ""}x${second}`;
}

/**
 * The two ends of a window as somebody has typed it; null where it is none.
 * @param {string} text
 */
export function ends(text) {
  const found = /^\s*([^:%\s]+)(%?)\s*:\s*([^:%\s]+)(%?)\s*$/.exec(text.replaceAll("−", "-"));
  if (!found || found[2] !== found[4]) return null;
  const [low, high] = [Number(found[1]), Number(found[3])];
  const fits = Number.isFinite(low) && Number.isFinite(high) && low < high && (!found[2] || (low >= 0 && high <= 100));
  return fits ? { low, high, percent: found[2] === "%" } : null;
}

/** @param {string | null} window */
function windowCode(window) {
  const found = window === null ? null : ends(window);
  if (!found) return "";
  const sign = found.percent ? "p" : "";
  return [found.low, found.high].map((end) => String(end).replace("+", "") + sign).join("to");
}

/**
 * The code of a reading; empty where nothing is chosen.
 * @param {Reading} reading
 */
export function codeOf({ axis, slices, frames, windows, resample, shift, colour_maps: maps, nan_is_no_data: empty }) {
  const numbers = written(slices);
  const [first, second] = windows.map(windowCode);
  return [
    numbers || axis !== "axial" ? axis[0] + numbers : "",
    written(frames) && `f${written(frames)}`,
    first && `u${first}`,
    second && `v${second}`,
    resample === null ? "" : resample ? "r" : "n",
    shift.some(Boolean) ? `m${shift}` : "",
    ...maps.map((map, input) => (map === LUMA ? "" : "gh"[input] + map)),
    empty ? "d" : "",
  ].filter(Boolean).join("_");
}

/**
 * The address of a pair that is read so.
 * @param {string} base - Of the pair as it is read by itself.
 * @param {Reading} reading
 */
export function addressOf(base, reading) {
  const code = codeOf(reading);
  return code ? base + READ_AS + code : base;
}

/**
 * A pair with x1 and x2 in each other's place.
 * @param {string} base
 * @param {Reading} reading
 */
export function swapped(base, { axis, slices, frames, windows, resample, shift, colour_maps: maps, nan_is_no_data }) {
  const other = base.endsWith(SWAPPED) ? base.slice(0, -SWAPPED.length) : base + SWAPPED;
  /** @type {<Of>(both: [Of, Of]) => [Of, Of]} */
  const turned = ([first, second]) => [second, first];
  const [down, right] = shift;
  return addressOf(other, {
    axis, resample, nan_is_no_data, slices: turned(slices), frames: turned(frames), windows: turned(windows), colour_maps: turned(maps),
    shift: [down && -down, right && -right],
  });
}
