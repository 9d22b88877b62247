/* Maps: places of gray levels, ends of scales, colours, words, and what is asked of the server. */

import assert from "node:assert/strict";
import test from "node:test";

import * as jobs from "../../assets/maps/jobs.mjs";
import * as kinds from "../../assets/maps/kinds.mjs";

test("gray levels have the places of powers of 2", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 8, 16, 32, 64].map(kinds.placeOf), [0, 1, 2, 2, 3, 4, 5, 6, 7]);
  assert.ok(Number.isNaN(kinds.placeOf(NaN)));
});

test("a scale ends at the largest number of all images that share it", () => {
  /** @type {(...values: number[]) => import("../../assets/maps/kinds.mjs").Bands} */
  const images = (...values) => ({ height: 1, width: 2, values: new Float32Array(values) });
  const [one, other] = [images(0.5, NaN, -3, 1), images(2, 0, 0, 0)];
  assert.equal(kinds.endOf("response", [one, other]), 3, "of magnitudes");
  assert.equal(kinds.endOf("influence", [one, other]), 2);
  assert.equal(kinds.endOf("reach", [one]), 7);
  assert.equal(kinds.endOf("influence", [images(1, 1, 1, 1, 9, 9, 9, 9)]), 1, "sums with signs are not shown");
  assert.equal(kinds.endOf("response", []), 1);
});

test("what is not known is transparent, and a reversed response has another colour than one that is not", () => {
  const paint = kinds.painterOf("response", 0.5, 1);
  assert.equal(paint(NaN), 0);
  const [blue, red] = [-0.5, 0.5].map((value) => [paint(value) & 255, (paint(value) >> 16) & 255]);
  assert.ok(blue[1] > blue[0] && red[0] > red[1], "blue and red");
  const reach = kinds.painterOf("reach", 0.5, 7);
  assert.equal(reach(5), reach(4));
  assert.notEqual(reach(8), reach(4));
});

test("numbers in words", () => {
  assert.equal(kinds.wordsOf("response", -0.25), "−0.25, reversed");
  assert.equal(kinds.wordsOf("reach", 8), "±8 levels");
  assert.equal(kinds.wordsOf("influence", NaN), "–");
  assert.equal(kinds.reversedShare([NaN, -1, 0, 2, 3]), 0.25);
  assert.equal(kinds.reversedShare([NaN]), null);
});

/**
 * Let the server answer with these, one after the other, and note what it is asked.
 * @param {object[]} answers
 */
function serving(answers) {
  /** @type {string[]} */
  const asked = [];
  globalThis.fetch = /** @type {typeof fetch} */ (/** @type {unknown} */ (async (/** @type {string} */ place, /** @type {RequestInit} */ options) => {
    asked.push(`${options.method} ${place}`);
    return { status: 200, headers: new Map(), json: async () => answers[Math.min(asked.length, answers.length) - 1] };
  }));
  return asked;
}

test("a map is looked at once, and begins only when somebody starts it", async () => {
  jobs.connect(() => ({ home: "/", viewer: "v" }), () => {});
  const asked = serving([{ fraction: 0, running: false, seconds: 12 }]);
  jobs.look("p/m/w/reach");
  jobs.look("p/m/w/reach");
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(asked, ["GET /maps/p/m/w/reach?viewer=v"]);
  assert.equal(jobs.of("p/m/w/reach")?.seconds, 12);
});

test("a stop is heard at once, whatever the server is at", async () => {
  const asked = serving([{ complete: true, fraction: 1, running: false, revision: 3 }]);
  const started = jobs.start("p/m/w/response");
  assert.equal(jobs.of("p/m/w/response")?.running, true);
  const stopped = jobs.stop("p/m/w/response");
  assert.equal(jobs.of("p/m/w/response")?.running, false, "before any answer");
  assert.equal(jobs.of("p/m/w/response")?.cancelled, true);
  await Promise.all([started, stopped]);
  assert.deepEqual(asked.map((one) => one.split("?")[0]), [
    "POST /maps/p/m/w/response/start", "POST /maps/p/m/w/response/stop", "GET /maps/p/m/w/response",
  ]);
});
