/* Tiles of one kind of image of a large pair: fetched once each, a few at a time, the newest wish first. */

import { fetchBinary, decodeImages } from "./channel.mjs";
import { Memory } from "./memory.mjs";
import { nameOf } from "../painter/pyramid.mjs";

/**
 * @import { Images } from "./channel.mjs"
 * @import { Tile } from "../painter/pyramid.mjs"
 *
 * @typedef {object} Facts - As app/routes/binary.py tells them of a pyramid.
 * @property {number} side
 * @property {number} levels
 * @property {number} bands
 * @property {[number, number][]} ranges
 * @property {number} fraction
 * @property {boolean} complete
 *
 * @typedef {Images & { bytes: number }} Kept
 */

const AT_ONCE = 4;
const MOST_WISHES = 128;
const MOST_BYTES = 96 * 2 ** 20;
const PAUSE_MILLISECONDS = 1500; // before something is asked for again that the server could not give

export class Tiles {
  /**
   * @param {string} address - Of the pyramid.
   * @param {string} viewer
   * @param {() => void} arrived - Called when something has come.
   * @param {(message: string) => void} failed
   */
  constructor(address, viewer, arrived, failed) {
    this.address = address;
    this.viewer = viewer;
    this.arrived = arrived;
    this.failed = failed;
    /** @type {Facts | null} */
    this.facts = null;
    /** @type {Memory<Kept>} */
    this.kept = new Memory(MOST_BYTES);
    /** @type {Set<string>} */
    this.wishes = new Set(); // names of tiles, the newest at the end
    this.underWay = new Set();
    this.left = false;
    this.ask();
  }

  /** @param {string} path */
  get(path) {
    return fetchBinary(`${this.address}${path}?viewer=${this.viewer}`);
  }

  async ask() {
    try {
      const { buffer } = await this.get("");
      this.facts = /** @type {Facts} */ (JSON.parse(new TextDecoder().decode(buffer)));
      if (!this.left) this.arrived();
    } catch (error) {
      this.again(error, () => this.ask());
    }
  }

  /**
   * @param {unknown} error
   * @param {() => void} act
   */
  again(error, act) {
    if (this.left) return;
    const { message, retry } = /** @type {Error & { retry?: number | null }} */ (error);
    this.failed(message);
    if (retry) setTimeout(act, Math.max(retry, PAUSE_MILLISECONDS));
  }

  /** Ask for nothing any more. */
  leave() {
    this.left = true;
    this.wishes.clear();
  }

  /**
   * A tile if it is here; else it is asked for.
   * @param {Tile} tile
   */
  tile(tile) {
    const name = nameOf(tile);
    const known = this.kept.get(name);
    if (known) {
      this.kept.set(name, known);
      return known;
    }
    if (this.underWay.has(name)) return null;
    this.wishes.delete(name);
    this.wishes.add(name);
    for (const oldest of this.wishes) {
      if (this.wishes.size <= MOST_WISHES) break;
      this.wishes.delete(oldest);
    }
    this.fetchNext();
    return null;
  }

  fetchNext() {
    if (this.left || this.underWay.size >= AT_ONCE) return;
    const name = [...this.wishes].pop();
    if (name === undefined) return;
    this.wishes.delete(name);
    this.underWay.add(name);
    this.fetch(name);
    this.fetchNext();
  }

  /** @param {string} name */
  async fetch(name) {
    try {
      const { buffer } = await this.get(`/${name}`);
      if (this.left) return;
      this.kept.set(name, Object.assign(decodeImages(buffer), { bytes: buffer.byteLength }));
      this.arrived();
    } catch (error) {
      // Whoever still wants it asks again when something is painted.
      this.again(error, this.arrived);
    } finally {
      this.underWay.delete(name);
      this.fetchNext();
    }
  }
}
