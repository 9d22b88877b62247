/* Arrow keys, which move a pixel by one, and by ten with Shift. */

/** @type {Record<string, [number, number]>} */
const DIRECTIONS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * Where a key moves a pixel, at most to the image's border; null where it is no arrow.
 * @param {{ key: string, shiftKey: boolean }} event
 * @param {{ row: number, col: number }} pixel
 * @param {{ height: number, width: number }} shape
 */
export function step({ key, shiftKey }, { row, col }, { height, width }) {
  const direction = DIRECTIONS[key];
  if (!direction) return null;
  const [down, across] = direction.map((by) => by * (shiftKey ? 10 : 1));
  /** @type {(value: number, end: number) => number} */
  const within = (value, end) => Math.min(Math.max(value, 0), end - 1);
  return { row: within(row + down, height), col: within(col + across, width) };
}
