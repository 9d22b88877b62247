import assert from "node:assert/strict";
import { test } from "node:test";

import "./page.mjs";

window.dash_clientside = { no_update: "no update" };
const { areNewest, chooseNewest } = await import("../../assets/core/controls.mjs");

test("earlier weights lead to the newest ones, of one method and of several", () => {
  assert.ok(areNewest("masknet") && areNewest(["masknet", "deepfuse"]) && areNewest(null) && areNewest([]));
  assert.ok(!areNewest("masknet@d015269a") && !areNewest(["masknet", "deepfuse@97c8cc58"]));
  assert.equal(chooseNewest(1, "masknet@d015269a"), "masknet");
  assert.deepEqual(chooseNewest(2, ["deepfuse@97c8cc58", "masknet", "masknet@d015269a"]), ["deepfuse", "masknet"]);
  assert.equal(chooseNewest(null, "masknet@d015269a"), "no update", "nobody has clicked yet");
});
