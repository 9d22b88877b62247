/* The numbers of the table: both pixels in the first row, y and both gradients of each method, and the status line. */
(function (fusevis) {
  "use strict";

  const { state, images, rows, paint } = fusevis.compare;
  const { make } = paint;
  const HEADED = ["y", "g1", "g2"];

  function digits(value) {
    if (value === null || value === undefined) return "…";
    if (!Number.isFinite(value)) return String(value);
    const text = value.toFixed(Math.abs(value) >= 100 ? 1 : 4);
    return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
  }

  function valueAt(scene, kind, index, { row, col }) {
    const image = images.get(scene, kind);
    return image ? image.band(index)[row * image.width + col] : null;
  }

  /** The numbers of a method at a point: y, dy/dx1, dy/dx2, and whether any gradient of its window is suspicious. */
  function numbersAt(scene, point) {
    const { difference } = fusevis.compare;
    const { shown } = point;
    const window = shown && (scene.difference ? difference.windowAt(scene, shown) : shown.windows.get(scene.key));
    if (!window) return { y: null, gradients: [null, null], suspicious: false };
    const at = (window.row - window.top) * window.width + (window.col - window.left);
    return {
      y: valueAt(scene, "fused", 0, window),
      gradients: [0, 1].map((index) => window.values[index * window.height * window.width + at]),
      suspicious: window.suspicious,
    };
  }

  /** Write [name, text, field] into a line, whose elements are made once. */
  function write(holder, number, point, parts, warning) {
    let line = holder.children[number];
    if (!line) line = make("div", "compare-line", holder);
    const letter = point === state.a ? "A" : "B";
    const all = [["", letter, "letter"], ...parts, ["", warning, "warning"]];
    if (line.children.length !== all.length) {
      line.replaceChildren();
      all.forEach(([, , field]) => {
        const part = make("span", "compare-part", line);
        // The names of a method's numbers stand in the head; those who hear the page hear them with each number.
        make("span", HEADED.includes(field) ? "visually-hidden" : "compare-name", part);
        make("span", "compare-value", part);
      });
    }
    all.forEach(([name, text, field], index) => {
      const part = line.children[index];
      part.dataset.field = field;
      if (part.children[0].textContent !== name) part.children[0].textContent = name;
      if (part.children[1].textContent !== text) part.children[1].textContent = text;
    });
    line.dataset.point = letter;
  }

  function trim(holder, count) {
    while (holder.children.length > count) holder.lastChild.remove();
  }

  /** Show all numbers as they are now. */
  function show() {
    line();
    const common = state.common();
    const points = state.points();
    const first = rows.numbersOf("");
    if (!common || !first) return;
    const names = common.modalities;
    points.forEach((point, number) => {
      const pixel = point.shown || point.pixel;
      write(first, number, point, [
        ["row ", String(pixel.row), "row"],
        ["column ", String(pixel.col), "col"],
        [`${names[0]} `, digits(valueAt(common, "inputs", 0, pixel)), "x1"],
        [`${names[1]} `, digits(valueAt(common, "inputs", 1, pixel)), "x2"],
      ], point === state.a && state.a.pinned ? "pinned" : "");
    });
    trim(first, points.length);
    for (const scene of state.rows().filter((row) => !row.error)) {
      const holder = rows.numbersOf(scene.method_id);
      if (!holder) continue;
      points.forEach((point, number) => {
        const { y, gradients, suspicious } = numbersAt(scene, point);
        write(holder, number, point, [
          ["y ", digits(y), "y"],
          [`∂y/∂${names[0]} `, digits(gradients[0]), "g1"],
          [`∂y/∂${names[1]} `, digits(gradients[1]), "g2"],
        ], suspicious ? "⚠ not finite or above 1,000" : "");
      });
      trim(holder, points.length);
    }
  }

  let answered = ""; // of the last answer: how it came
  let failure = "";
  let painted = []; // when answers of the last second were shown

  /** The status line as things are now; what it says of the zoom and of the pins must not be older than the table. */
  function line() {
    const element = document.getElementById("compare-status");
    if (!element || !(answered || failure)) return;
    const hint = state.a.pinned ? "Arrow keys move A, Esc lets go." : "A click pins pixel A, Shift and click or key B pins B.";
    const text = failure || (state.common() ? `${answered} · zoom ±${state.half()} px · ${hint}` : "");
    if (element.textContent !== text) element.textContent = text;
    element.classList.toggle("failed", Boolean(failure));
  }

  /** How the windows of an answer were computed; with numbers of methods where not all in the same way. */
  function paths({ windows }) {
    const counts = new Map();
    for (const { path } of windows.values()) {
      const words = fusevis.channel.PATHS[path] || "exact";
      counts.set(words, (counts.get(words) || 0) + 1);
    }
    if (counts.size === 1) return [...counts.keys()][0];
    return [...counts].map(([words, count]) => `${count} by ${words}`).join(", ");
  }

  /** Say how long the last answer took. */
  function status(answer, milliseconds) {
    const waited = milliseconds ? fusevis.channel.waiting(milliseconds, answer.compute) : "remembered";
    const computed = milliseconds && answer.compute !== null ? `, computed in ${answer.compute.toFixed(1)} ms` : "";
    const ready = state.ready();
    const place = ready.length ? ` on ${ready[0].device}` : "";
    const count = answer.windows.size === 1 ? "1 method" : `${answer.windows.size} methods`;
    const now = performance.now();
    painted = [...painted.filter((time) => now - time < 1000), now];
    const rate = `${painted.length} ${painted.length === 1 ? "update" : "updates"} in the last second`;
    answered = `Jacobians of ${count} · ${paths(answer)} · ${waited}${computed}${place} · ${rate}`;
    failure = "";
    line();
  }

  function fail(message) {
    failure = message;
    line();
  }

  fusevis.compare.readout = { show, status, fail };
})(window.fusevis);
