/* Reading ahead from an atlas: the tiles where the pointer is going, so that their windows need no request at all. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  const HEADER_INTEGERS = 8;
  const ATLAS = 4; // the number of this path in the header of a window
  const REMEMBERED_BYTES = 96 * 2 ** 20;
  const SUSPICIOUS = 1000;
  const ABSENT_MILLISECONDS = 3000; // after which a tile that was not there is asked for again
  const REQUESTS_AT_ONCE = 2;
  const TILES_A_REQUEST = 4;
  const SOON_SIDES = 3; // sides of a tile, from the pointer and its way
  const MOST_WANTED = 12;
  const AHEAD_MILLISECONDS = 150; // how far into the future the pointer's way is followed
  const FARTHEST = 48; // pixels
  const STANDING_MILLISECONDS = 200; // after which a way is no longer believed

  const tiles = new Map(); // by name, the oldest first; without values where there was none
  let remembered = 0;
  let side = 8; // pixels along a tile; the first tile says it
  let wanted = [];
  let requests = 0;
  const underWay = new Set(); // names of tiles
  let halves = null;
  let last = null; // { key, row, col, time, down, right }: the pixel before and the pointer's speed there, pixels a millisecond

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

  /** The tile of so many bytes that begins at this byte of an answer, as app/atlas_routes.py encodes it. */
  function decode(buffer, first, bytes) {
    if (!bytes) return absent();
    const [top, left, rows, cols, radius, across] = new Int32Array(buffer, first, HEADER_INTEGERS);
    const start = first + 4 * HEADER_INTEGERS;
    const scales = new Float32Array(buffer, start, rows * cols);
    const numbers = start + scales.byteLength;
    const values = new Uint16Array(buffer, numbers, (first + bytes - numbers) / 2);
    return { top, left, rows, cols, radius, side: across, scales, values, bytes };
  }

  function absent() {
    return { bytes: 0, since: performance.now() };
  }

  function remember(name, tile) {
    const before = tiles.get(name);
    if (before) remembered -= before.bytes;
    tiles.delete(name);
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

  /** How far the pointer will have gone in a moment, as it moved so far: [down, right] in pixels. */
  function way(scene, { row, col }) {
    const time = performance.now();
    const passed = last && last.key === scene.key ? time - last.time : Infinity;
    let [down, right] = [0, 0];
    if (passed < STANDING_MILLISECONDS) {
      // Half of the newest step, half of those before: single steps are whole pixels and whole milliseconds.
      const share = 0.5 / Math.max(passed, 1);
      [down, right] = [0.5 * last.down + share * (row - last.row), 0.5 * last.right + share * (col - last.col)];
    }
    last = { key: scene.key, row, col, time, down, right };
    const length = Math.hypot(down, right) * AHEAD_MILLISECONDS;
    const scale = AHEAD_MILLISECONDS * Math.min(1, FARTHEST / Math.max(length, 1));
    return [down * scale, right * scale];
  }

  /** The tiles along the pointer's way and beside it that are not here, those that it reaches first before the others. */
  function tilesAlong(scene, pixel) {
    const [down, right] = way(scene, pixel);
    const length = Math.max(down * down + right * right, 1e-9);
    const from = (start, step) => Math.max(Math.floor((start + Math.min(step, 0)) / side) - 1, 0);
    const to = (start, step, size) => Math.floor(Math.min(start + Math.max(step, 0) + side, size - 1) / side);
    // Who moves on needs nothing far beside the way; who stands may go anywhere.
    const reach = length > side * side ? 1.5 * side : 2.5 * side;
    const found = [];
    for (let row = from(pixel.row, down); row <= to(pixel.row, down, scene.height); row += 1) {
      for (let col = from(pixel.col, right); col <= to(pixel.col, right, scene.width); col += 1) {
        const [y, x] = [(row + 0.5) * side - pixel.row, (col + 0.5) * side - pixel.col];
        const along = Math.min(Math.max((y * down + x * right) / length, 0), 1);
        const beside = Math.hypot(y - along * down, x - along * right);
        const name = nameOf(scene, row, col);
        if (beside < reach && isWanted(name)) found.push({ row, col, name, rank: 2 * beside + along * Math.sqrt(length) });
      }
    }
    return found.sort((one, other) => one.rank - other.rank).slice(0, MOST_WANTED);
  }

  /** Ask for the tiles around a pixel and where the pointer is going that are not here; who asks later comes first. */
  function readAround(scene, pixel, base) {
    const path = scene.jacobian_path.replace(/^jacobian/, "atlas");
    wanted = tilesAlong(scene, pixel).map((tile) => ({ ...tile, home: `${base}${path}/tiles/` }));
    readMore();
  }

  /** Ask for the first of those that are wanted: few alone only where the pointer may be there any moment. */
  function readMore() {
    while (requests < REQUESTS_AT_ONCE && wanted.length) {
      if (wanted.length < TILES_A_REQUEST && wanted[0].rank > SOON_SIDES * side) return;
      read(wanted.splice(0, TILES_A_REQUEST));
    }
  }

  /** Ask for tiles of one scene. */
  async function read(asked) {
    requests += 1;
    asked.forEach(({ name }) => underWay.add(name));
    try {
      const places = asked.map(({ row, col }) => `${row}.${col}`).join("-");
      const buffer = await fusevis.backgroundReader.fetchBuffer(asked[0].home + places);
      let at = 0;
      for (const { name } of asked) {
        const [bytes] = new Int32Array(buffer, at, 1);
        const tile = decode(buffer, at + 4, bytes);
        if (tile.side) ({ side } = tile);
        remember(name, tile);
        at += 4 + 4 * Math.ceil(bytes / 4);
      }
    } catch {
      // Reading ahead is for speed alone: the request for the window itself tells what is wrong.
      asked.forEach(({ name }) => remember(name, absent()));
    }
    requests -= 1;
    asked.forEach(({ name }) => underWay.delete(name));
    readMore();
  }

  fusevis.tiles = { ATLAS, held, readAround };
})(window.fusevis);
