/* What is remembered up to so many bytes: the oldest goes first. */

/** @template {{ bytes: number }} Kept */
export class Memory {
  /** @param {number} most - Bytes of all that is kept; the newest is kept whatever its size. */
  constructor(most) {
    this.most = most;
    this.bytes = 0;
    /** @type {Map<string, Kept>} */
    this.kept = new Map();
  }

  /** @param {string} name */
  get(name) {
    return this.kept.get(name);
  }

  /**
   * Keep something as the newest, in the place of what had its name.
   * @param {string} name
   * @param {Kept} one
   */
  set(name, one) {
    this.bytes += one.bytes - (this.kept.get(name)?.bytes ?? 0);
    this.kept.delete(name);
    this.kept.set(name, one);
    for (const [oldest, { bytes }] of this.kept) {
      if (this.bytes <= this.most || this.kept.size === 1) break;
      this.kept.delete(oldest);
      this.bytes -= bytes;
    }
  }
}
