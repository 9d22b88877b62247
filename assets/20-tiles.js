/* Reading ahead from an atlas: the tiles around the pointer, so that their windows need no request at all. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  const HEADER_INTEGERS = 8;
  const ATLAS = 4; // the number of this path in the header of a window
  const REMEMBERED_BYTES = 96 * 2 ** 20;
  const SUSPICIOUS = 1000;
  const ABSENT_MILLISECONDS = 3000; // after which a tile that was not there is asked for again
  const AT_ONCE = 2;
  const AROUND = [[0, 0], [0, 1], [0, -1], [1, 0], [-1, 0], [1, 1], [1, -1], [-1, 1], [-1, -1]];

  const tiles = new Map(); // by name, the oldest first; without values where there was none
  let remembered = 0;
  let side = 8; // pixels along a tile; the first tile says it
  let wanted = [];
  const underWay = new Set();
  let halves = null;

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

  function decode(buffer) {
    if (!buffer.byteLength) return { bytes: 0, since: performance.now() };
    const [top, left, rows, cols, radius, across] = new Int32Array(buffer, 0, HEADER_INTEGERS);
    const start = 4 * HEADER_INTEGERS;
    const scales = new Float32Array(buffer, start, rows * cols);
    const values = new Uint16Array(buffer, start + scales.byteLength);
    return { top, left, rows, cols, radius, side: across, scales, values, bytes: buffer.byteLength };
  }

  function remember(name, tile) {
    tiles.set(name, tile);
    remembered += tile.bytes;
    while (remembered > REMEMBERED_BYTES) {
      const [oldest, { bytes }] = tiles.entries().next().value;
      tiles.delete(oldest);
      remembered -= bytes;
    }
  }

  /** The window of a pixel from a tile that is here, cut off at the image's border; null where none is. */
  function held(scene, { row, col }) {
    const tile = tiles.get(nameOf(scene, Math.floor(row / side), Math.floor(col / side)));
    if (!tile || !tile.values) return null;
    const { radius } = tile;
    const whole = 2 * radius + 1;
    const top = Math.max(row - radius, 0);
    const left = Math.max(col - radius, 0);
    const height = Math.min(row + radius + 1, scene.height) - top;
    const width = Math.min(col + radius + 1, scene.width) - left;
    const table = halfTable();
    const scale = tile.scales[(row - tile.top) * tile.cols + (col - tile.left)];
    const first = ((row - tile.top) * tile.side + (col - tile.left)) * 2 * whole * whole;
    const values = new Float32Array(2 * height * width);
    let suspicious = false;
    for (let index = 0, at = 0; index < 2; index += 1) {
      for (let i = 0; i < height; i += 1) {
        let from = first + (index * whole + (top + i - row + radius)) * whole + (left - col + radius);
        for (let j = 0; j < width; j += 1, at += 1, from += 1) {
          const value = table[tile.values[from]] * scale;
          values[at] = value;
          if (!(Math.abs(value) <= SUSPICIOUS)) suspicious = true;
        }
      }
    }
    return { key: scene.key, row, col, top, left, height, width, suspicious, path: ATLAS, values, compute: null };
  }

  function isWanted(name) {
    const known = tiles.get(name);
    if (known && (known.values || performance.now() - known.since < ABSENT_MILLISECONDS)) return false;
    return !underWay.has(name);
  }

  /** Ask for the tiles around a pixel that are not here, the nearest first; who asks later comes first. */
  function readAround(scene, { row, col }, base) {
    wanted = [];
    for (const [down, right] of AROUND) {
      const [tileRow, tileCol] = [Math.floor(row / side) + down, Math.floor(col / side) + right];
      if (tileRow < 0 || tileCol < 0 || tileRow * side >= scene.height || tileCol * side >= scene.width) continue;
      const name = nameOf(scene, tileRow, tileCol);
      const path = scene.jacobian_path.replace(/^jacobian/, "atlas");
      if (isWanted(name)) wanted.push({ name, address: `${base}${path}/${tileRow}/${tileCol}` });
    }
    while (underWay.size < AT_ONCE && wanted.length) read(wanted.shift());
  }

  async function read({ name, address }) {
    underWay.add(name);
    try {
      const tile = decode((await fusevis.channel.fetchBinary(address)).buffer);
      if (tile.side) ({ side } = tile);
      const before = tiles.get(name);
      if (before) remembered -= before.bytes;
      tiles.delete(name);
      remember(name, tile);
    } catch {
      // Reading ahead is for speed alone: the request for the window itself tells what is wrong.
      remember(name, { bytes: 0, since: performance.now() });
    } finally {
      underWay.delete(name);
    }
    if (wanted.length && underWay.size < AT_ONCE) read(wanted.shift());
  }

  fusevis.tiles = { ATLAS, held, readAround };
})(window.fusevis);
