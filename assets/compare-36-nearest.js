/* The other way round: from a place in a scatterplot to the pixel of the image whose point is nearest. */
(function (fusevis) {
  "use strict";

  const { scatter } = fusevis.compare;
  const REACH = 10; // of the screen's pixels: further off no point is meant
  const kept = new Map(); // by scene: which pixel each place of its plot shows

  /** For each place of the plot the first pixel of the image that lies there, −1 where none does; null while unknown. */
  function indexOf(scene, axes, width, height) {
    const place = scatter.placing(scene, axes, width, height);
    if (!place) return null;
    const name = `${width},${height},${axes}`;
    const known = kept.get(scene.key);
    if (known && known.name === name && known.guidance === scatter.guidanceOf(scene)) return known.pixels;
    const pixels = new Int32Array(width * height).fill(-1);
    for (let at = scene.height * scene.width - 1; at >= 0; at -= 1) {
      const found = place(at);
      if (found) pixels[found[1] * width + found[0]] = at;
    }
    kept.set(scene.key, { name, guidance: scatter.guidanceOf(scene), pixels });
    return pixels;
  }

  /** The pixel whose point is nearest to (x, y) of the table, { row, col }; null where none is near. */
  function pixelAt({ scene, box }, x, y) {
    const axes = scatter.ranges();
    if (!axes || scene.difference) return null;
    const { left, top, width, height } = scatter.plot(box);
    const pixels = indexOf(scene, axes, width, height);
    if (!pixels) return null;
    const [across, down] = [Math.floor(x - left), Math.floor(y - top)];
    let best = -1;
    let least = REACH * REACH + 1;
    for (let v = Math.max(0, down - REACH); v <= Math.min(height - 1, down + REACH); v += 1) {
      for (let u = Math.max(0, across - REACH); u <= Math.min(width - 1, across + REACH); u += 1) {
        const distance = (u - across) ** 2 + (v - down) ** 2;
        if (distance >= least || pixels[v * width + u] < 0) continue;
        least = distance;
        best = pixels[v * width + u];
      }
    }
    return best < 0 ? null : { row: Math.floor(best / scene.width), col: best % scene.width };
  }

  fusevis.compare.nearest = { pixelAt };
})(window.fusevis);
