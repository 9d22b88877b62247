/*
 * Reading ahead from an atlas: the windows where the pointer is going, so that they need no request of their own. Large answers
 * are fetched in a worker: on the page's own thread each takes milliseconds that a moving pointer would miss.
 */

import * as channel from "../core/channel.mjs";

const HEADER_INTEGERS = 8;
export const ATLAS = 4; // the number of this path in the header of a window
const REMEMBERED_BYTES = 96 * 2 ** 20;
const SUSPICIOUS = 1000;
const ABSENT_MILLISECONDS = 3000; // after which a window that was not there is asked for again
const BYTES_AT_ONCE = 64 * 1024; // read ahead with the window of a pixel that is waited for
const MOST_WINDOWS = 192; // of one answer
const AHEAD_MILLISECONDS = 150; // how far into the future the pointer's way is followed
const FARTHEST = 48; // pixels
const BESIDE_MOVING = 1; // pixels from the way that are read
const WIDENING = 0.06; // by how much more, for each pixel of the way: the farther, the less is it known
const AROUND_STANDING = 7; // pixels from a pointer that may go anywhere
const STANDING_MILLISECONDS = 200; // after which a way is no longer believed
const SMOOTHING_MILLISECONDS = 40; // of the pointer's speed: single steps are whole pixels

const windows = new Map(); // by name, the oldest first: { scale, radius, values, bytes }, or without values { since }
let remembered = 0;
let halves = null;
let standing = null; // the timer that tells when the pointer stands
let last = null; // { key, row, col, time, down, right }: the pixel and the pointer's speed there, pixels a millisecond

/** The numbers that the 65,536 half precision patterns mean. */
function halfTable() {
  if (halves) return halves;
  halves = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits += 1) {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    let size;
    if (exponent === 31) size = fraction ? NaN : Infinity;
    else size = exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24;
    halves[bits] = bits & 0x8000 ? -size : size;
  }
  return halves;
}

function nameOf(scene, row, col) {
  return `${scene.key}/${row}/${col}`;
}

/** The windows that begin at this byte of an answer, in the order in which they were asked for, as app/routes/binary.py encodes them. */
function decode(buffer, first, count) {
  if (buffer.byteLength === first) return Array.from({ length: count }, absent);
  const [radius] = new Int32Array(buffer, first, HEADER_INTEGERS);
  const scales = new Float32Array(buffer, first + 4 * HEADER_INTEGERS, count);
  const bytes = 4 * (2 * radius + 1) ** 2;
  let at = first + 4 * HEADER_INTEGERS + scales.byteLength;
  return Array.from(scales, (scale) => {
    if (Number.isNaN(scale)) return absent();
    at += bytes;
    return { scale, radius, values: new Uint16Array(buffer.slice(at - bytes, at)), bytes };
  });
}

function absent() {
  return { bytes: 0, since: performance.now() };
}

function remember(name, kept) {
  const before = windows.get(name);
  if (before) remembered -= before.bytes;
  windows.delete(name);
  windows.set(name, kept);
  remembered += kept.bytes;
  while (remembered > REMEMBERED_BYTES) {
    const [oldest, { bytes }] = windows.entries().next().value;
    windows.delete(oldest);
    remembered -= bytes;
  }
}

/** The window of a pixel if it is here, cut off at the image's border; else null. */
export function held(scene, { row, col }) {
  const kept = windows.get(nameOf(scene, row, col));
  if (!kept || !kept.values) return null;
  const { radius, scale } = kept;
  const whole = 2 * radius + 1;
  const top = Math.max(row - radius, 0);
  const left = Math.max(col - radius, 0);
  const height = Math.min(row + radius + 1, scene.height) - top;
  const width = Math.min(col + radius + 1, scene.width) - left;
  const table = halfTable();
  const values = new Float32Array(2 * height * width);
  let suspicious = false;
  for (let index = 0, at = 0; index < 2; index += 1) {
    for (let i = 0; i < height; i += 1) {
      let from = (index * whole + (top + i - row + radius)) * whole + (left - col + radius);
      for (let j = 0; j < width; j += 1, at += 1, from += 1) {
        const value = table[kept.values[from]] * scale;
        values[at] = value;
        if (!(Math.abs(value) <= SUSPICIOUS)) suspicious = true;
      }
    }
  }
  return { key: scene.key, row, col, top, left, height, width, suspicious, path: ATLAS, values, compute: null };
}

function isWanted(name) {
  const known = windows.get(name);
  return !known || !(known.values || performance.now() - known.since < ABSENT_MILLISECONDS);
}

/** Take note of where the pointer was at which time, milliseconds. */
export function follow(scene, { row, col }, time) {
  const passed = last && last.key === scene.key ? time - last.time : Infinity;
  let [down, right] = [0, 0];
  if (passed < STANDING_MILLISECONDS) {
    const share = 1 - Math.exp(-Math.max(passed, 1) / SMOOTHING_MILLISECONDS);
    const speed = (step) => step / Math.max(passed, 1);
    down = last.down + share * (speed(row - last.row) - last.down);
    right = last.right + share * (speed(col - last.col) - last.right);
  }
  last = { key: scene.key, row, col, time, down, right };
}

/** How far the pointer will have gone in a moment: [down, right] in pixels. */
function way() {
  const { down, right } = last;
  const length = Math.hypot(down, right) * AHEAD_MILLISECONDS;
  const scale = AHEAD_MILLISECONDS * Math.min(1, FARTHEST / Math.max(length, 1));
  return [down * scale, right * scale];
}

/** The pixels within reach of the pointer's way whose windows are not here, those that it reaches first before the others. */
function missing(scene, pixel, [down, right], reach) {
  const length = Math.hypot(down, right);
  const most = reach + WIDENING * length;
  const from = (start, step) => Math.max(Math.ceil(start + Math.min(step, 0) - most), 0);
  const to = (start, step, size) => Math.min(Math.floor(start + Math.max(step, 0) + most), size - 1);
  const found = [];
  for (let row = from(pixel.row, down); row <= to(pixel.row, down, scene.height); row += 1) {
    for (let col = from(pixel.col, right); col <= to(pixel.col, right, scene.width); col += 1) {
      const [y, x] = [row - pixel.row, col - pixel.col];
      const along = length ? Math.min(Math.max((y * down + x * right) / length ** 2, 0), 1) : 0;
      const beside = Math.hypot(y - along * down, x - along * right);
      const name = nameOf(scene, row, col);
      if (beside <= reach + WIDENING * along * length && isWanted(name)) {
        found.push({ row, col, name, rank: 2 * beside + along * length });
      }
    }
  }
  return found.sort((one, other) => one.rank - other.rank);
}

/** Pixels in the order in which their windows are asked for, and how the routes read them: runs of neighbours. */
function inRuns(pixels) {
  pixels.sort((one, other) => one.row - other.row || one.col - other.col);
  const runs = [];
  for (const { row, col } of pixels) {
    const run = runs.at(-1);
    if (run && run.row === row && run.col + run.count === col) run.count += 1;
    else runs.push({ row, col, count: 1 });
  }
  return { pixels, text: runs.map(({ row, col, count }) => `${row}.${col}.${count}`).join("-") };
}

/** What to ask for together with the window of a pixel that the pointer has reached; null where nothing is missing. */
export function along(scene, pixel) {
  const side = 2 * Math.max(...scene.support_radius) + 1;
  const most = Math.min(Math.ceil(BYTES_AT_ONCE / (4 * side * side)), MOST_WINDOWS);
  const found = missing(scene, pixel, way(), BESIDE_MOVING).filter(({ rank }) => rank > 0);
  return found.length && most ? inRuns(found.slice(0, most)) : null;
}

/** Take the windows that begin at this byte of an answer to what was asked for. */
export function take({ pixels }, buffer, first) {
  const found = decode(buffer, first, pixels.length);
  pixels.forEach(({ name }, number) => remember(name, found[number]));
}

/** Read all around a pixel once the pointer stands there: it may go anywhere next. */
export function around(scene, pixel, home) {
  clearTimeout(standing);
  standing = setTimeout(async () => {
    const asked = missing(scene, pixel, [0, 0], AROUND_STANDING).slice(0, MOST_WINDOWS);
    if (!asked.length) return;
    const runs = inRuns(asked);
    try {
      take(runs, await fetchBuffer(home + runs.text), 0);
    } catch {
      // Reading ahead is for speed alone: the request for the window itself tells what is wrong.
      asked.forEach(({ name }) => windows.has(name) || remember(name, absent()));
    }
  }, STANDING_MILLISECONDS);
}

const SOURCE = `onmessage = async ({ data: { number, address } }) => {
  try {
    const answer = await fetch(address, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(String(answer.status));
    const buffer = await answer.arrayBuffer();
    postMessage({ number, buffer }, [buffer]);
  } catch (error) {
    postMessage({ number, error: error.message });
  }
};`;
const waiting = new Map(); // by number: { address, resolve, reject }
let worker = null;
let possible = typeof Worker === "function"; // some pages are shown where none may be started
let numbers = 0;

function start() {
  try {
    worker = new Worker(URL.createObjectURL(new Blob([SOURCE], { type: "text/javascript" })));
  } catch {
    possible = false;
    return;
  }
  worker.onmessage = ({ data: { number, buffer, error } }) => {
    const { resolve, reject } = waiting.get(number);
    waiting.delete(number);
    if (buffer) resolve(buffer);
    else reject(new Error(error));
  };
  worker.onerror = () => {
    worker.terminate();
    worker = null;
    possible = false;
    const left = [...waiting.values()];
    waiting.clear();
    left.forEach(({ address, resolve, reject }) => fetchHere(address).then(resolve, reject));
  };
}

async function fetchHere(address) {
  return (await channel.fetchBinary(address)).buffer;
}

/** Fetch a binary answer: a promise of its buffer, or of an error where there is none. */
export function fetchBuffer(path) {
  const address = new URL(path, window.location.href).href;
  if (possible && !worker) start();
  if (!worker) return fetchHere(address);
  return new Promise((resolve, reject) => {
    numbers += 1;
    waiting.set(numbers, { address, resolve, reject });
    worker.postMessage({ number: numbers, address });
  });
}
