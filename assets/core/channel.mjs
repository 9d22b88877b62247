/* Windows from the server: one request in flight, the newest wins, the last answers are remembered. */

import { Memory } from "./memory.mjs";
import { pause } from "./patience.mjs";
import { SILENT } from "./server.mjs";

/**
 * @typedef {object} JacobianWindow
 * @property {number} row
 * @property {number} col
 * @property {number} top
 * @property {number} left
 * @property {number} height
 * @property {number} width
 * @property {boolean} suspicious
 * @property {number} path
 * @property {Float32Array} values
 *
 * @typedef {ReturnType<typeof decodeImages>} Images
 * @typedef {ReturnType<typeof decodePart>} Part
 *
 * @typedef {{ number?: number, [name: string]: any }} Request
 * @typedef {{ bytes: number, compute: number | null, [name: string]: any }} Answer
 *
 * @typedef {object} Kind
 * @property {(request: any) => string} nameOf
 * @property {(request: any) => string} addressOf
 * @property {(buffer: ArrayBuffer, request: any) => object} decode
 * @property {(request: any) => boolean} isCurrent
 * @property {(answer: any, request: any, milliseconds: number) => void} deliver
 * @property {(message: string, again: boolean) => void} fail
 * @property {(request: any) => object | null} [held]
 */

/** An error of the server's: its message is for visitors, `retry` says after how many milliseconds to ask again. */
class Refused extends Error {
  /**
   * @param {string} message
   * @param {number | null} retry
   */
  constructor(message, retry) {
    super(message);
    this.retry = retry;
  }
}

/**
 * A scene in the addresses of all that is computed for it: pair/method/weights.
 * @param {{ pair_id: string, method_id: string, weights_id: string }} scene
 */
export function placeOf({ pair_id, method_id, weights_id }) {
  return `${pair_id}/${method_id}/${weights_id}`;
}

const HEADER_INTEGERS = 8;
const REMEMBERED_BYTES = 64 * 2 ** 20;
// How a window was computed, by the number that comes with it.
export const PATHS = ["", "exact chain", "exact window", "full image (global method)", "atlas (rounded to 0.05 %)", "exact by numbers of the whole image"];
const RETRY_MILLISECONDS = 1500;

/**
 * The window that begins at this byte of an answer, as app/routes/binary.py encodes it; `end` is where the next begins.
 * @param {ArrayBuffer} buffer
 * @param {number} start
 * @returns {JacobianWindow & { end: number }}
 */
export function decodeWindow(buffer, start) {
  const [row, col, top, left, height, width, suspicious, path] = new Int32Array(buffer, start, HEADER_INTEGERS);
  const first = start + 4 * HEADER_INTEGERS;
  const values = new Float32Array(buffer, first, 2 * height * width);
  const end = first + values.byteLength;
  return { row, col, top, left, height, width, suspicious: suspicious === 1, path, values, end };
}

/**
 * What gives one of several images, row by row.
 * @param {Float32Array} values
 * @param {number} size - Pixels of each.
 * @returns {(index: number) => Float32Array}
 */
function bandsOf(values, size) {
  return (index) => values.subarray(index * size, (index + 1) * size);
}

/**
 * The images of an answer, as app/routes/binary.py encodes them; `band(index)` is one of them, row by row.
 * @param {ArrayBuffer} buffer
 */
export function decodeImages(buffer) {
  const [bands, height, width, complete, thousandths] = new Int32Array(buffer, 0, HEADER_INTEGERS);
  const values = new Float32Array(buffer, 4 * HEADER_INTEGERS);
  return { bands, height, width, complete: complete === 1, fraction: thousandths / 1000, values, band: bandsOf(values, height * width) };
}

/**
 * The same images without what is air in each of them: NaN there.
 * @param {Omit<Images, "band">} images
 * @param {ArrayLike<number>} air
 */
export function without(images, air) {
  const values = images.values.map((value, at) => (air[at % air.length] ? NaN : value));
  return { ...images, values, band: bandsOf(values, images.height * images.width) };
}

/**
 * The part of an image of an answer, as app/routes/binary.py encodes it.
 * @param {ArrayBuffer} buffer
 */
export function decodePart(buffer) {
  const [top, left, height, width] = new Int32Array(buffer, 0, HEADER_INTEGERS);
  return { top, left, height, width, values: new Float32Array(buffer, 4 * HEADER_INTEGERS) };
}

/**
 * How long the server took for the numbers of an answer, milliseconds; null where it does not say.
 * @param {Response} answer
 */
function computing(answer) {
  const found = /compute;dur=([\d.]+)/.exec(answer.headers.get("Server-Timing") || "");
  return found ? Number(found[1]) : null;
}

/**
 * How long an answer was waited for, in words. Less than computing it took: what was asked for before, as the first
 * view's window, or comes out of the browser's cache.
 * @param {number} milliseconds
 * @param {number | null} compute
 */
export function waiting(milliseconds, compute) {
  const earlier = typeof compute === "number" && compute > milliseconds + 1 ? " (begun earlier)" : "";
  return `answered in ${milliseconds.toFixed(0)} ms${earlier}`;
}

/** @param {Response} answer */
async function reason(answer) {
  try {
    return (await answer.json()).error || `The server answered ${answer.status}.`;
  } catch {
    return `The server answered ${answer.status}.`;
  }
}

/**
 * What the browser says of an answer that does not come means nothing to anybody who has not written a browser.
 * @returns {never}
 */
function unreachable() {
  throw new Refused(SILENT, RETRY_MILLISECONDS);
}

/**
 * Fetch a binary answer; an error has the server's own words, and in `retry` when to ask again, if that may help.
 * @param {string} address
 */
export async function fetchBinary(address) {
  const answer = await fetch(address, { credentials: "same-origin" }).catch(unreachable);
  if (!answer.ok) throw new Refused(await reason(answer), pause(answer));
  return { buffer: await answer.arrayBuffer().catch(unreachable), compute: computing(answer) };
}

/**
 * Make a channel for requests of one kind.
 *
 * `nameOf(request)` is what an answer is remembered by, `addressOf(request)` where it is asked for, `decode(buffer,
 * request)` makes an object of it, `isCurrent(request)` says whether it is still wanted, `deliver(answer, request,
 * milliseconds)` gets it and `fail(message, again)` an error, where `again` says that it is asked again after a pause.
 * `held(request)`, if there is such a function, gives an answer that is here already, or null. Requests are numbered, so
 * that a late answer never takes a newer one's place.
 * @param {Kind} kind
 */
export function make(kind) {
  const { nameOf, held, deliver, isCurrent } = kind;
  /** @type {Memory<Answer>} */
  const memory = new Memory(REMEMBERED_BYTES);
  let asked = 0;
  let inFlight = false;
  /** @type {Request | null} */
  let next = null;

  /** @param {Request} request */
  function ask(request) {
    if (request.number === undefined) request.number = asked += 1;
    const known = memory.get(nameOf(request)) || (held && held(request));
    if (known) {
      next = null;
      deliver(known, request, 0);
    } else if (inFlight) {
      next = request;
    } else {
      send(request);
    }
  }

  /** @param {Request} request */
  async function send(request) {
    inFlight = true;
    const sent = performance.now();
    const received = await receive(kind, request, () => (next = next || request));
    const milliseconds = performance.now() - sent;
    if (received) memory.set(nameOf(request), received);
    // The server computes the next one while this one is painted.
    askNext();
    if (received) deliver(received, request, milliseconds);
  }

  function askNext() {
    inFlight = false;
    const wanted = next;
    next = null;
    if (wanted && isCurrent(wanted)) ask(wanted);
  }

  return { ask };
}

/**
 * The answer to a request; null where there is none, of which again() is told if it is worth another try, after a pause.
 * @param {Kind} kind
 * @param {Request} request
 * @param {() => void} again
 * @returns {Promise<Answer | null>}
 */
async function receive({ addressOf, decode, fail }, request, again) {
  try {
    const { buffer, compute } = await fetchBinary(addressOf(request));
    return Object.assign(decode(buffer, request), { compute, bytes: buffer.byteLength });
  } catch (error) {
    const { message, retry } = /** @type {Refused} */ (error);
    fail(retry ? `${message} Trying again …` : message, Boolean(retry));
    if (retry) {
      // The server is not reachable, or too busy: slowly, and the same, unless the pointer goes on.
      again();
      await new Promise((resolve) => setTimeout(resolve, retry));
    }
    return null;
  }
}
