/* Jobs in words: for whom, how far, how long yet. */

/**
 * @typedef {object} Job A job as `/jobs.json` has it.
 * @property {string} id
 * @property {string} what
 * @property {string} pair
 * @property {string} method
 * @property {string | null} link
 * @property {boolean} yours
 * @property {number} others
 * @property {"waiting" | "running"} state
 * @property {number} fraction
 * @property {number} seconds
 * @property {number | null} left
 */

/** @param {number} fraction Rounded down: 100 % is what is complete. */
export const percent = (fraction) => `${Math.floor(fraction * 100)} %`;

/**
 * In words, as fusion/durations.py has them.
 * @param {number} seconds
 */
export function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

/** @param {Job} job */
export function forWhom({ yours, others }) {
  const rest = others === 1 ? "one other" : `${others} others`;
  if (yours) return others ? `you and ${rest}` : "you";
  return others ? rest : "nobody any more";
}

/** @param {Job} job */
export function left({ state, left: seconds }) {
  if (state === "waiting") return "waits for its turn";
  return seconds === null ? "not known yet" : `about ${duration(seconds)}`;
}
