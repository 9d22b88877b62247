import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeImages, decodeWindow, fetchBinary, make, waiting } from "../../assets/core/channel.mjs";
import { Memory } from "../../assets/core/memory.mjs";

const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

/** Answers that come when the test lets them: `held` has { address, answer } of those that are asked for. */
function server() {
  const held = [];
  globalThis.fetch = (address) => new Promise((resolve) => held.push({ address, answer: resolve }));
  return held;
}

function good(number) {
  return { ok: true, headers: new Headers({ "Server-Timing": "compute;dur=2.5" }), arrayBuffer: async () => Float32Array.of(number).buffer };
}

function channel(kind = {}) {
  const [delivered, failed] = [[], []];
  const made = make({
    nameOf: ({ pixel }) => String(pixel),
    addressOf: ({ pixel }) => `/${pixel}`,
    decode: (buffer) => ({ value: new Float32Array(buffer)[0] }),
    isCurrent: () => true,
    deliver: (answer, request, milliseconds) => delivered.push([answer.value, request.number, milliseconds === 0]),
    fail: (message) => failed.push(message),
    ...kind,
  });
  return { ...made, delivered, failed };
}

test("one request is in flight, and of those that wait the newest goes next", async () => {
  const held = server();
  const { ask, delivered } = channel();
  [1, 2, 3].forEach((pixel) => ask({ pixel }));
  assert.deepEqual(held.map(({ address }) => address), ["/1"]);
  held[0].answer(good(1));
  await turn();
  assert.deepEqual(held.map(({ address }) => address), ["/1", "/3"]);
  held[1].answer(good(3));
  await turn();
  assert.deepEqual(delivered, [[1, 1, false], [3, 3, false]]);
});

test("an answer that came before is remembered, and what waited is out of date then", async () => {
  const held = server();
  const { ask, delivered } = channel();
  ask({ pixel: 1 });
  held[0].answer(good(1));
  await turn();
  ask({ pixel: 2 });
  ask({ pixel: 3 });
  ask({ pixel: 1 });
  held[1].answer(good(2));
  await turn();
  assert.equal(held.length, 2, "3 was passed over");
  assert.deepEqual(delivered.map(([value, number]) => [value, number]), [[1, 1], [1, 4], [2, 2]]);
});

test("what is not wanted any more is not asked for", async () => {
  const held = server();
  let wanted = true;
  const { ask } = channel({ isCurrent: () => wanted });
  ask({ pixel: 1 });
  ask({ pixel: 2 });
  wanted = false;
  held[0].answer(good(1));
  await turn();
  assert.equal(held.length, 1);
});

test("an error has the server's words, and the next request goes on", async () => {
  const held = server();
  const { ask, failed, delivered } = channel();
  ask({ pixel: 1 });
  ask({ pixel: 2 });
  held[0].answer({ ok: false, status: 400, headers: new Headers(), json: async () => ({ error: "No such pixel." }) });
  await turn();
  held[1].answer(good(2));
  await turn();
  assert.deepEqual(failed, ["No such pixel."]);
  assert.deepEqual(delivered, [[2, 2, false]]);
});

test("a busy server is asked again for the same", async () => {
  const held = server();
  const { ask, failed, delivered } = channel();
  ask({ pixel: 1 });
  held[0].answer({ ok: false, status: 503, headers: new Headers({ "Retry-After": "0.01" }), json: async () => ({ error: "Busy." }) });
  await new Promise((resolve) => setTimeout(resolve, 40));
  held[1].answer(good(1));
  await turn();
  assert.deepEqual(failed, ["Busy. Trying again …"]);
  assert.equal(delivered.length, 1);
});

test("a server that is gone is told of in words", async () => {
  globalThis.fetch = async () => {
    throw new TypeError("Failed to fetch");
  };
  await assert.rejects(fetchBinary("/"), { message: "The server does not answer. Is it still running?", retry: 1500 });
});

test("what was held from elsewhere needs no request", () => {
  const held = server();
  const { ask, delivered } = channel({ held: () => ({ value: 7 }) });
  ask({ pixel: 1 });
  assert.deepEqual([held.length, delivered], [0, [[7, 1, true]]]);
});

test("windows and images are decoded as the routes write them", () => {
  const buffer = new ArrayBuffer(4 + 32 + 4 * 12);
  new Int32Array(buffer, 4, 8).set([5, 6, 4, 5, 2, 3, 1, 4]);
  new Float32Array(buffer, 36).set(Array.from({ length: 12 }, (_, at) => at));
  const window = decodeWindow(buffer, 4);
  assert.deepEqual({ ...window, values: [...window.values] }, {
    row: 5, col: 6, top: 4, left: 5, height: 2, width: 3, suspicious: true, path: 4,
    values: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], end: 84,
  });
  const images = new ArrayBuffer(32 + 4 * 4);
  new Int32Array(images, 0, 8).set([2, 1, 2, 0, 250, 0, 0, 0]);
  new Float32Array(images, 32).set([1, 2, 3, 4]);
  const { complete, fraction, band } = decodeImages(images);
  assert.deepEqual([complete, fraction, [...band(1)]], [false, 0.25, [3, 4]]);
});

test("an answer that took less than computing it was begun earlier", () => {
  assert.equal(waiting(12.4, 3), "answered in 12 ms");
  assert.equal(waiting(2, 30), "answered in 2 ms (begun earlier)");
  assert.equal(waiting(2, null), "answered in 2 ms");
});

test("a memory forgets the oldest, counts what is replaced once, and keeps the newest whatever its size", () => {
  const memory = new Memory(10);
  memory.set("a", { bytes: 4 });
  memory.set("b", { bytes: 4 });
  memory.set("a", { bytes: 5 });
  assert.deepEqual([memory.bytes, [...memory.kept.keys()]], [9, ["b", "a"]]);
  memory.set("c", { bytes: 3 });
  assert.deepEqual([memory.bytes, [...memory.kept.keys()]], [8, ["a", "c"]]);
  memory.set("d", { bytes: 30 });
  assert.deepEqual([memory.bytes, [...memory.kept.keys()]], [30, ["d"]]);
});
