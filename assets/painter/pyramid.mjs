/*
 * Images of large pairs at several resolutions, as cache/services/pyramids.py has them: which tiles of which level a view needs, and
 * where they lie. Level 0 is the image itself; a pixel of level n is the mean of 2ⁿ×2ⁿ of the image's.
 */

/**
 * @import { Shape } from "./pixels.mjs"
 *
 * @typedef {{ level: number, row: number, col: number }} Tile - Row and column counted in tiles of its level.
 * @typedef {{ top: number, left: number, bottom: number, right: number }} Edges - In pixels of the image, whose first begins at 0.
 */

/**
 * The coarsest level whose pixels are not larger than the screen's, else the image itself.
 * @param {number} unit - Pixels of the image a pixel of the screen.
 * @param {number} levels
 */
export function levelOf(unit, levels) {
  return Math.max(0, Math.min(Math.floor(Math.log2(unit) + 1e-6), levels - 1));
}

/**
 * The tiles of a level that lie in a part of the image.
 * @param {Edges} part
 * @param {Shape} shape
 * @param {number} level
 * @param {number} side
 * @returns {Tile[]}
 */
export function tilesIn({ top, left, bottom, right }, { height, width }, level, side) {
  const reach = side * 2 ** level;
  /** @type {(from: number, to: number, end: number) => number[]} */
  const along = (from, to, end) => {
    const [begin, stop] = [Math.max(0, from), Math.min(to, end)];
    const first = Math.floor(begin / reach);
    const last = stop > begin ? Math.ceil(stop / reach) : first;
    return Array.from({ length: Math.max(0, last - first) }, (_, at) => first + at);
  };
  return along(top, bottom, height).flatMap((row) => along(left, right, width).map((col) => ({ level, row, col })));
}

/**
 * Where a tile lies that has this many pixels of its own; at the image's ends its last ones reach beyond.
 * @param {Tile} tile
 * @param {Shape} own
 * @param {number} side
 * @returns {Edges}
 */
export function edgesOf({ level, row, col }, { height, width }, side) {
  const unit = 2 ** level;
  const [top, left] = [row * side * unit, col * side * unit];
  return { top, left, bottom: top + height * unit, right: left + width * unit };
}

/**
 * The tiles that show the same more coarsely, the next coarser first.
 * @param {Tile} tile
 * @param {number} levels
 * @returns {Tile[]}
 */
export function above({ level, row, col }, levels) {
  return Array.from({ length: Math.max(0, levels - 1 - level) }, (_, at) => {
    const factor = 2 ** (at + 1);
    return { level: level + at + 1, row: Math.floor(row / factor), col: Math.floor(col / factor) };
  });
}

/** @param {Tile} tile */
export function nameOf({ level, row, col }) {
  return `${level}/${row}/${col}`;
}

const MOST_BANDS = 4; // rows of tiles of which the values are at hand

/** An image of which only parts are here, as rows of numbers: NaN where it is not. */
export class SparseRows {
  /** @param {Shape} shape */
  constructor({ height, width }) {
    this.width = width;
    this.nothing = new Float32Array(width).fill(NaN);
    /** @type {Float32Array[]} */
    this.rows = new Array(height).fill(this.nothing);
    /** @type {Map<number, Set<string>>} */
    this.bands = new Map(); // by the first row of tiles: those that are here, the band used last at the end
  }

  /** @param {Tile} tile @param {number} side */
  has({ row, col, level }, side) {
    return this.bands.get(row * side)?.has(nameOf({ level, row, col })) || false;
  }

  /**
   * Put the values of a tile of level 0 in their place.
   * @param {Tile} tile
   * @param {Shape} own
   * @param {Float32Array} values
   * @param {number} side
   */
  put(tile, own, values, side) {
    const [top, left] = [tile.row * side, tile.col * side];
    const known = this.bands.get(top) || new Set();
    this.bands.delete(top);
    this.bands.set(top, known.add(nameOf(tile)));
    for (let row = 0; row < own.height; row += 1) {
      if (this.rows[top + row] === this.nothing) this.rows[top + row] = this.nothing.slice();
      this.rows[top + row].set(values.subarray(row * own.width, (row + 1) * own.width), left);
    }
    this.forget(side);
  }

  /** @param {number} side */
  forget(side) {
    for (const top of this.bands.keys()) {
      if (this.bands.size <= MOST_BANDS) return;
      this.rows.fill(this.nothing, top, top + side);
      this.bands.delete(top);
    }
  }
}
