import assert from "node:assert/strict";
import { test } from "node:test";

import "./page.mjs";

globalThis.URL.createObjectURL = () => "blob:worker";
let asked = [];
globalThis.fetch = async (address) => {
  asked.push(address);
  return { ok: true, headers: new Headers(), arrayBuffer: async () => Float32Array.of(7).buffer };
};
let instances = 0;

/** The module as it is where workers are like this one: what it knows of them it keeps. */
async function fresh(Worker) {
  globalThis.Worker = Worker;
  asked = [];
  instances += 1;
  return import(`../../assets/explore/read-ahead.mjs?instance=${instances}`);
}

const number = async (promise) => new Float32Array(await promise)[0];

test("what is read ahead comes from a worker", async () => {
  const { fetchBuffer } = await fresh(
    class {
      postMessage({ number, address }) {
        assert.equal(address, "http://localhost/atlas/1.2.3");
        queueMicrotask(() => this.onmessage({ data: { number, buffer: Float32Array.of(5).buffer } }));
      }
    },
  );
  assert.equal(await number(fetchBuffer("atlas/1.2.3")), 5);
  assert.deepEqual(asked, []);
});

test("where none may be started the page fetches it itself", async () => {
  const { fetchBuffer } = await fresh(
    class {
      constructor() {
        throw new Error("blocked");
      }
    },
  );
  assert.equal(await number(fetchBuffer("atlas/1.2.3")), 7);
  assert.equal(await number(fetchBuffer("atlas/1.2.4")), 7);
  assert.deepEqual(asked, ["http://localhost/atlas/1.2.3", "http://localhost/atlas/1.2.4"]);
});

test("where one fails later, the page fetches what it was asked for, and does not start another", async () => {
  let started = 0;
  let one;
  const { fetchBuffer } = await fresh(
    class {
      constructor() {
        started += 1;
        one = this;
      }
      postMessage() {}
      terminate() {}
    },
  );
  const waited = fetchBuffer("atlas/1.2.3");
  assert.deepEqual(asked, []);
  one.onerror(new Event("error"));
  assert.equal(await number(waited), 7);
  assert.equal(await number(fetchBuffer("atlas/1.2.4")), 7);
  assert.equal(started, 1);
});

test("of one that says nothing, the window of a pixel does not wait", async () => {
  const { around, held } = await fresh(
    class {
      postMessage() {}
    },
  );
  const scene = { key: "scene", height: 24, width: 32, support_radius: [0, 0] };
  around(scene, { row: 10, col: 10 }, "atlas/");
  await new Promise((resolve) => setTimeout(resolve, 250));
  assert.equal(held(scene, { row: 10, col: 11 }), null, "it is asked for by a request of its own");
  assert.deepEqual(asked, []);
});
