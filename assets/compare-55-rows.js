/* The labels of the rows: titles, buttons and heads that move a row, notes, and a place for the numbers. */
(function (fusevis) {
  "use strict";

  const { state, paint, scale } = fusevis.compare;
  const heads = () => fusevis.compare.heads;
  const { make } = paint;
  const rows = new Map(); // elements by method; the inputs under ""

  function button(text, label, parent, act) {
    const element = make("button", "btn btn-outline-secondary compare-move", parent);
    element.type = "button";
    element.textContent = text;
    element.setAttribute("aria-label", label);
    element.title = label;
    element.addEventListener("click", act);
    return element;
  }

  /** Move a method by one row; the focus stays on its button, or on the other one where there is no further row. */
  function shift(id, step) {
    const from = state.methods.indexOf(id);
    const to = from + step;
    if (from < 0 || to < 0 || to >= state.methods.length) return;
    place(id, to);
    const { up, down } = rows.get(id);
    (step < 0 ? [up, down] : [down, up]).find((one) => !one.disabled)?.focus();
  }

  /** Give a method's row this number among the methods. */
  function place(id, to) {
    state.methods.splice(state.methods.indexOf(id), 1);
    state.methods.splice(to, 0, id);
    fusevis.compare.change.reorder();
  }

  /** Put a method's row before the one that has this number now, or at the end. */
  function insert(id, before) {
    const from = state.methods.indexOf(id);
    const to = before > from ? before - 1 : before;
    if (from >= 0 && to !== from) place(id, to);
  }

  function makeRow(id, parent) {
    const element = make("div", "compare-row", parent);
    const row = { element };
    const head = make("div", "compare-row-head", element);
    row.title = make("b", "compare-row-title", head);
    if (id && id !== "difference") {
      element.dataset.method = id;
      head.classList.add("movable");
      head.title = "Drag to move this row";
      const group = make("span", "compare-moves", head);
      row.up = button("↑", "", group, () => shift(id, -1));
      row.down = button("↓", "", group, () => shift(id, 1));
    }
    row.note = make("div", "compare-row-note", element);
    row.numbers = make("div", "compare-numbers", element);
    rows.set(id, row);
    return row;
  }

  function describe(row, title, note) {
    row.title.textContent = title;
    row.note.textContent = note;
    row.note.title = note;
  }

  function lay({ element }, table, number) {
    const { top, height } = table.rows[number];
    Object.assign(element.style, { top: `${top}px`, height: `${height}px`, width: `${table.label}px` });
  }

  /** Show the labels of a table. */
  function show(parts, table) {
    const difference = fusevis.compare.difference.row();
    const wanted = ["", ...state.methods, ...(difference ? [difference.method_id] : [])];
    const old = [...parts.rows.children].map((element) => element.dataset.method || "");
    const focused = document.activeElement;
    const made = wanted.map((id) => rows.get(id) || makeRow(id, parts.rows));
    if (old.join() !== wanted.join()) {
      // In the order of the rows, so that the Tab key goes through them as the eye does.
      parts.rows.replaceChildren(...made.map((row) => row.element));
      if (parts.rows.contains(focused)) focused.focus({ preventScroll: true });
    }
    const common = state.common();
    describe(made[0], "Inputs", common ? common.pair_title : "");
    lay(made[0], table, 0);
    state.scenes.forEach((scene, index) => {
      const row = made[index + 1];
      describe(row, scene.method_title, scene.error || (state.display.shared ? "" : `${ownEnds(scene)} · `) + scene.reach);
      row.element.classList.toggle("failed", Boolean(scene.error));
      row.up.disabled = index === 0;
      row.down.disabled = index === state.scenes.length - 1;
      [[row.up, "up"], [row.down, "down"]].forEach(([element, where]) => {
        element.setAttribute("aria-label", `Move ${scene.method_title} ${where}`);
        element.title = `Move ${scene.method_title} ${where}`;
      });
      lay(row, table, index + 1);
    });
    document.getElementById("compare-difference-note").textContent =
      state.difference.length && !difference ? "Both methods must be among the rows." : "";
    if (difference) showDifference(made[wanted.length - 1], difference, table);
  }

  /** Where the scales of a row end that has its own. */
  function ownEnds(scene) {
    const { number } = heads();
    const { low, high } = scale.grayPainter(scene, "fused");
    return `gradients to ${number(scale.endFor(scene))}, fused ${number(low)} to ${number(high)}`;
  }

  /** The row of a difference, with the ends of its own scale. */
  function showDifference(row, scene, table) {
    const { endOf } = fusevis.compare.difference;
    const [fused, gradients] = ["fused", "guidance"].map((kind) => heads().number(endOf(scene, kind)));
    row.element.dataset.method = "difference";
    describe(row, scene.method_title, `gradients ±${gradients}, fused ±${fused} · blue: the second is larger`);
    lay(row, table, state.scenes.length + 1);
  }

  fusevis.compare.rows = { show, insert, numbersOf: (id) => (rows.get(id) || {}).numbers || null };
})(window.fusevis);
