import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.window = /** @type {any} */ ({});
const { patiently, pause } = await import("../../assets/core/patience.mjs");
const { listen, told } = await import("../../assets/core/dash-requests.mjs");

const busy = () => new Response("{}", { status: 503, headers: { "Retry-After": "2" } });

test("a busy server is asked again after the pause that it names, and that is told", async () => {
  const answers = [busy(), busy(), new Response("at last")];
  const words = [];
  const slept = [];
  const answer = await patiently(async () => answers.shift(), (text) => words.push(text), async (milliseconds) => slept.push(milliseconds));
  assert.equal(await answer.text(), "at last");
  assert.equal(words.length, 2);
  assert.match(words[0], /busy/);
  assert.ok(slept.every((milliseconds) => milliseconds >= 2000 && milliseconds <= 3000), String(slept));
});

test("what is no matter of patience is given as it is, and a server that stays busy too, after many tries", async () => {
  for (const answer of [new Response("", { status: 503 }), new Response("", { status: 500, headers: { "Retry-After": "2" } }), new Response("")]) {
    assert.equal(pause(answer), null);
    assert.equal(await patiently(async () => answer), answer);
  }
  let asked = 0;
  const last = await patiently(async () => (asked += 1, busy()), undefined, async () => null);
  assert.equal(last.status, 503);
  assert.equal(asked, 100);
});

test("Dash is given the answer that comes in the end, and who listens hears of the delay", async () => {
  const answers = [new Response("{}", { status: 503, headers: { "Retry-After": "0.001" } }), new Response("{}")];
  const heard = [];
  listen({ sent: () => heard.push("sent"), delayed: (_, words) => heard.push(words), ended: (_, failure) => heard.push(failure) });
  const body = JSON.stringify({ output: "..scene.data..", inputs: [{ id: "pair-select", value: "a" }] });
  const answer = await told(async () => answers.shift())("/_dash-update-component", { body });
  assert.ok(answer.ok);
  assert.deepEqual(heard, ["sent", "The server is busy; it is asked again in a moment", null]);
});
