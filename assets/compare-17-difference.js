/* Difference mode: one more row, X − Y of two methods, from the same arrays, on a signed scale of its own. */
(function (fusevis) {
  "use strict";

  const { state, images } = fusevis.compare;
  const { colours } = fusevis;
  const kept = new Map(); // by kind: the images' difference, with what it was made of
  const windows = new WeakMap(); // by answer: the windows' difference
  let made = null; // the row

  /** The row of the difference, like a scene; null where it is not asked for or a method has no row. */
  function row() {
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

  /** Fused or guidance images of a difference; null while one of both is not here. Guidance RGB has none. */
  function image(scene, kind) {
    if (kind === "inputs") return images.get(scene.difference[0], kind);
    const [first, second] = scene.difference.map((one) => images.get(one, kind));
    if (!first || !second || kind === "rgb") return null;
    const known = kept.get(kind);
    if (known && known.first === first && known.second === second) return known.image;
    const values = first.values.map((value, at) => value - second.values[at]);
    const { bands, height, width } = first;
    const size = height * width;
    const found = {
      bands, height, width, values,
      complete: first.complete && second.complete,
      fraction: Math.min(first.fraction, second.fraction),
      band: (index) => values.subarray(index * size, (index + 1) * size),
      end: largest(values),
    };
    kept.set(kind, { first, second, image: found });
    return found;
  }

  function largest(values) {
    let end = 0;
    for (const value of values) if (Number.isFinite(value) && Math.abs(value) > end) end = Math.abs(value);
    return end || 1;
  }

  /** The window of a difference at a point: over both supports, where a gradient outside its own support is 0. */
  function windowAt(scene, shown) {
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

  /** The end of the signed scale: that of the guidance images' difference for all gradients, once it is known. */
  function endOf(scene, kind) {
    const found = image(scene, kind === "fused" ? "fused" : "guidance");
    if (found) return found.end;
    const shown = state.points().map((point) => point.shown && windowAt(scene, point.shown)).filter(Boolean);
    return Math.max(...shown.map((one) => largest(one.values)), 0) || 1;
  }

  const painters = new Map();

  /** The function from a difference to a pixel, and the name of its colours. */
  function painterFor(scene, kind) {
    const { gamma1, gamma2 } = state.display;
    const gamma = { fused: 1, guidance: gamma2, jacobian: gamma1 }[kind];
    const end = endOf(scene, kind);
    const name = `difference,${gamma},${end}`;
    if (!painters.has(name)) {
      if (painters.size > 16) painters.clear();
      painters.set(name, { name, end, paint: colours.gradientPainter("signed", gamma, end) });
    }
    return painters.get(name);
  }

  fusevis.compare.difference = { row, image, windowAt, endOf, painterFor };
})(window.fusevis);
