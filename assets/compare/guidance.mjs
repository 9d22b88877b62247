/* How far the guidance images of all methods are, in the words of the other page. */

/** @import { Progress } from "./state.mjs" */

/**
 * The words, and percent of all methods together.
 * @param {Record<string, Progress> | null} progress - By scene.
 * @returns {[string, number]}
 */
export function tellGuidance(progress) {
  const all = Object.values(progress || {});
  if (!all.length) return ["Guidance images", 0];
  /** @param {string} stage */
  const count = (stage) => all.filter((one) => one.stage === stage).length;
  const done = count("complete");
  const part = all.reduce((sum, one) => sum + (one.stage === "complete" ? 1 : one.fraction || 0), 0) / all.length;
  const percent = Math.round(100 * part);
  if (done === all.length) return ["Guidance complete", 100];
  if (count("running") || count("waiting")) return [`Guidance ${done} of ${all.length}, ${percent}%`, percent];
  return [count("failed") ? `Guidance failed for ${count("failed")} of ${all.length}` : "Guidance cancelled", percent];
}
