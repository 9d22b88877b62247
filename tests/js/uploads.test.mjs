import assert from "node:assert/strict";
import { test } from "node:test";
import "./page.mjs";

const { matching } = await import("../../assets/uploads/catalogue.mjs");
const { about } = await import("../../assets/uploads/preview.mjs");
const { filesOf, refusal } = await import("../../assets/uploads/sending.mjs");

const PAIRS = [
  { address: "1", label: "MRI / PET 1 (mri_1.png + pet_1.png)", modalities: ["MRI", "PET"] },
  { address: "2", label: "MRI / PET 2 (mri_2.png + pet_2.png)", modalities: ["MRI", "PET"] },
  { address: "Camp", label: "IR / VIS Camp (uploaded)", modalities: ["IR", "VIS"] },
];

test("pairs are found by words in any order and case, and by both modalities", () => {
  /** @type {(text: string, kind: string) => string} */
  const found = (text, kind) => matching(PAIRS, text, kind).map(({ address }) => address).join();
  assert.equal(found("", ""), "1,2,Camp");
  assert.equal(found(" camp ir", ""), "Camp");
  assert.equal(found("pet_2", "MRI / PET"), "2");
  assert.equal(found("", "IR / VIS"), "Camp");
  assert.equal(found("camp", "MRI / PET"), "");
});

test("files keep their folders, and hidden ones stay where they are", () => {
  const files = [{ name: "a.png", webkitRelativePath: "set/ir/a.png" }, { name: "b.png", webkitRelativePath: "" },
    { name: ".DS_Store", webkitRelativePath: "set/.DS_Store" }];
  assert.deepEqual(filesOf(/** @type {any} */ (files)).map(({ name }) => name), ["set/ir/a.png", "b.png"]);
});

test("what is too much is refused before it is sent", () => {
  const limits = { most_bytes: 2 ** 20, most_files: 2, piece: 10 };
  /** @type {(...sizes: number[]) => any[]} */
  const files = (...sizes) => sizes.map((size) => ({ name: "a", file: { size } }));
  assert.equal(refusal(files(2 ** 19, 2 ** 19), limits), "");
  assert.match(refusal(files(2 ** 20, 1), limits), /up to 1\.0 MiB/);
  assert.match(refusal(files(1, 1, 1), limits), /3 files/);
  assert.match(refusal([], limits), /no file/);
});

test("an image is described by size, spacing and values", () => {
  const facts = { size: [48, 64], spacing: [0.5, 0.70312], ends: [-1024, 3071.25], histogram: [], picture: "" };
  assert.equal(about(/** @type {any} */ (facts)), "48×64 pixels · 0.5×0.7031 mm a pixel · -1024 to 3071.3");
  assert.equal(about(/** @type {any} */ ({ ...facts, spacing: null })), "48×64 pixels · -1024 to 3071.3");
});
