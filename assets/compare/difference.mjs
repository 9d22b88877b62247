/* Difference mode: one more row, X − Y of two methods, from the same arrays, on a signed scale of its own. */

import { state } from "./state.mjs";

const kept = new Map(); // by kind: the images' difference, with what it was made of
const windows = new WeakMap(); // by answer: the windows' difference
let made = null; // the row

/** The row of the difference, like a scene; null where it is not asked for or a method has no row. */
export function row() {
  const scenes = (state.difference || []).map((id) => state.ready().find((scene) => scene.method_id === id));
  if (scenes.length !== 2 || !scenes.every(Boolean)) return null;
  if (!made || made.difference.some((scene, index) => scene !== scenes[index])) {
    const [first, second] = scenes;
    made = {
      ...first,
      key: `difference-${first.key}-${second.key}`,
      method_id: "difference",
      method_title: `${first.method_title} − ${second.method_title}`,
      difference: scenes,
    };
  }
  return made;
}

/** The rows under the inputs: the methods', and that of a difference. */
export function rows() {
  const difference = row();
  return difference ? [...state.scenes, difference] : state.scenes;
}

/** The difference of two methods' images of a kind, fused or guidance. */
export function imageOf(kind, first, second) {
  const known = kept.get(kind);
  if (known && known.first === first && known.second === second) return known.image;
  const values = first.values.map((value, at) => value - second.values[at]);
  const { bands, height, width } = first;
  const size = height * width;
  const image = {
    bands, height, width, values,
    complete: first.complete && second.complete,
    fraction: Math.min(first.fraction, second.fraction),
    band: (index) => values.subarray(index * size, (index + 1) * size),
    end: largest(values),
  };
  kept.set(kind, { first, second, image });
  return image;
}

/** The largest magnitude among numbers; 1 where all are 0. */
export function largest(values) {
  let end = 0;
  for (const value of values) if (Number.isFinite(value) && Math.abs(value) > end) end = Math.abs(value);
  return end || 1;
}

/** The window of a difference at a point: over both supports, where a gradient outside its own support is 0. */
export function windowAt(scene, shown) {
  if (windows.get(shown) && windows.get(shown).scene === scene) return windows.get(shown).window;
  const both = scene.difference.map((one) => shown.windows.get(one.key));
  const window = both.every(Boolean) ? subtracted(both) : null;
  windows.set(shown, { scene, window });
  return window;
}

function subtracted(both) {
  const [first] = both;
  const top = Math.min(...both.map((one) => one.top));
  const left = Math.min(...both.map((one) => one.left));
  const height = Math.max(...both.map((one) => one.top + one.height)) - top;
  const width = Math.max(...both.map((one) => one.left + one.width)) - left;
  const values = new Float32Array(2 * height * width);
  both.forEach((one, number) => {
    const sign = number ? -1 : 1;
    for (let index = 0; index < 2; index += 1) {
      for (let i = 0; i < one.height; i += 1) {
        const to = (index * height + one.top - top + i) * width + one.left - left;
        const from = (index * one.height + i) * one.width;
        for (let j = 0; j < one.width; j += 1) values[to + j] += sign * one.values[from + j];
      }
    }
  });
  const suspicious = both.some((one) => one.suspicious);
  return { row: first.row, col: first.col, top, left, height, width, values, suspicious };
}
