/* What is explained: in links, when regions change, and which part of the images is shown. */

import "./page.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";
import { partOf, sums } from "../../assets/explain/pictures.mjs";
import { KIND, sentence, settled, written } from "../../assets/explain/question.mjs";

const region = (name) => ({ name, mask: new Uint8Array(4) });
const [core, rim, tail] = ["core", "rim", "tail"].map(region);
const contrast = { of: "contrast", region: "core", against: "rim" };

test("a link names regions by their places, and none that it lacks", () => {
  assert.equal(written(contrast, ["core", "rim"]), "contrast.1.2");
  assert.equal(written({ of: "ssim", region: "rim", against: "x2" }, ["core", "rim"]), "ssim.2.x2");
  assert.equal(written({ of: "mean", region: "rim", against: "" }, ["core", "rim"]), "mean.2");
  assert.equal(written(contrast, ["core"]), null);
  assert.equal(written({ of: "mean", region: "tail", against: "" }, ["core"]), null);
  for (const good of ["mean.1", "contrast.12.3", "ssim.4.x1"]) assert.ok(KIND.valid(good), good);
  for (const wrong of ["mean", "mean.0", "mean.13", "mean.1.2", "contrast.1", "contrast.1.x1", "ssim.1.x3", "ssim.1.2", "mean.1\n"]) {
    assert.ok(!KIND.valid(wrong), wrong);
  }
});

test("a question follows its regions when they are renamed, and finds others when they go", () => {
  assert.deepEqual(settled(contrast, [core, rim], [{ ...core, name: "middle" }, rim]), { of: "contrast", region: "middle", against: "rim" });
  assert.deepEqual(settled(contrast, [core, rim], [{ name: "core", mask: new Uint8Array(4) }, rim]), contrast, "drawn anew");
  assert.deepEqual(settled(contrast, [core, rim], [core, tail]), { of: "contrast", region: "core", against: "tail" });
  assert.deepEqual(settled(contrast, [core, rim], [rim, tail]), { of: "contrast", region: "rim", against: "tail" });
  assert.equal(settled(contrast, [core, rim], [rim]), null, "one region has no contrast");
  assert.deepEqual(settled({ of: "ssim", region: "", against: "x1" }, [], [core]), { of: "ssim", region: "core", against: "x1" });
  assert.equal(settled({ of: "mean", region: "", against: "" }, [], []), null);
  assert.equal(sentence(contrast, ["MRI", "PET"]), "Contrast core − rim");
  assert.equal(sentence({ of: "ssim", region: "core", against: "x2" }, ["MRI", "PET"]), "Local SSIM of core with PET");
});

function images(height, width, ...places) {
  const values = new Float32Array(2 * height * width);
  for (const [index, row, col, value] of places) values[(index * height + row) * width + col] = value;
  return { height, width, values, band: (index) => values.subarray(index * height * width, (index + 1) * height * width) };
}

test("pictures show the part that acts, with a margin and within the images", () => {
  assert.deepEqual(partOf(images(100, 90, [0, 50, 40, 1], [1, 52, 44, -1])), { row: 36, col: 27, height: 32, width: 32 });
  assert.deepEqual(partOf(images(100, 90, [0, 1, 2, 1], [1, 70, 89, 1])), { row: 0, col: 0, height: 78, width: 90 });
  assert.deepEqual(partOf(images(100, 90, [1, 99, 89, 1])), { row: 68, col: 58, height: 32, width: 32 });
  assert.deepEqual(partOf(images(6, 8)), { row: 0, col: 0, height: 6, width: 8 });
  assert.deepEqual(sums(images(6, 8, [0, 1, 1, 1.5], [0, 1, 2, -0.5])), ["Σ 1.00, Σ|·| 2.00, 25 % negative", "Σ 0, Σ|·| 0, – negative"]);
});
