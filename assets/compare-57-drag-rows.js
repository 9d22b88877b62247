/* Rows change places by dragging their heads, with a mouse or a finger; keys have the arrow buttons. */
(function (fusevis) {
  "use strict";

  const { state, paint, rows } = fusevis.compare;
  const DRAG_DISTANCE = 4;
  const EDGE = 36; // of the table, where it scrolls while a row is held there
  const LINE = 4; // its height
  const SCROLL = 9; // a frame
  let drag = null; // { id, pointer, head, y, startY, moved, to }
  let line = null;

  /** The lower end of what stays on top while the table scrolls, and that of the table, in the window. */
  function limits({ host, head }) {
    const { top, bottom } = host.getBoundingClientRect();
    return { top: Math.max(top, head.getBoundingClientRect().bottom), bottom };
  }

  /** Before which of the methods' rows a row would be put: as many as have their middles above the pointer. */
  function placeAt(y, { body }, table) {
    const inside = y - body.getBoundingClientRect().top;
    return table.rows.slice(1, state.methods.length + 1).filter(({ top, height }) => top + height / 2 < inside).length;
  }

  function show() {
    const parts = paint.elements();
    const { table } = paint.drawn();
    drag.to = placeAt(drag.y, parts, table);
    if (!line || line.parentNode !== parts.body) line = paint.make("div", "compare-insertion", parts.body);
    const above = table.rows[drag.to];
    // Over the border of two rows; the first place is below the columns' heads, the last within the table.
    const top = drag.to ? Math.min(above.top + above.height - LINE / 2, table.height - LINE) : table.rows[1].top;
    Object.assign(line.style, { top: `${top}px`, width: `${table.width}px`, height: `${LINE}px` });
    line.hidden = false;
  }

  /** Scroll while the pointer rests at an edge. */
  function scroll() {
    if (!drag || !drag.moved) return;
    const parts = paint.elements();
    const { top, bottom } = limits(parts);
    const before = parts.host.scrollTop;
    if (drag.y < top + EDGE) parts.host.scrollTop -= SCROLL;
    else if (drag.y > bottom - EDGE) parts.host.scrollTop += SCROLL;
    if (before !== parts.host.scrollTop) show();
    requestAnimationFrame(scroll);
  }

  function begin() {
    drag.moved = true;
    drag.head.closest(".compare-row").classList.add("dragged");
    document.documentElement.classList.add("row-dragging");
    requestAnimationFrame(scroll);
  }

  function end() {
    const { moved, head } = drag;
    drag = null;
    head.closest(".compare-row").classList.remove("dragged");
    document.documentElement.classList.remove("row-dragging");
    if (line) line.hidden = true;
    return moved;
  }

  document.addEventListener("pointerdown", (event) => {
    if (drag || event.button !== 0 || !event.isPrimary || !event.target.closest) return;
    const head = event.target.closest(".compare-row-head.movable");
    if (!head || event.target.closest("button")) return;
    const id = head.closest(".compare-row").dataset.method;
    drag = { id, pointer: event.pointerId, head, y: event.clientY, startY: event.clientY, moved: false, to: -1 };
    head.setPointerCapture(event.pointerId);
    event.preventDefault(); // no text is selected
  });

  document.addEventListener("pointermove", (event) => {
    if (!drag || drag.pointer !== event.pointerId) return;
    drag.y = event.clientY;
    if (!drag.moved && Math.abs(drag.y - drag.startY) >= DRAG_DISTANCE) begin();
    if (drag.moved) show();
  });

  document.addEventListener("pointerup", (event) => {
    if (!drag || drag.pointer !== event.pointerId) return;
    const { id, to } = drag;
    if (end()) rows.insert(id, to);
  });

  // Also where the row goes away while it is held.
  ["pointercancel", "lostpointercapture"].forEach((kind) => document.addEventListener(kind, (event) => {
    if (drag && drag.pointer === event.pointerId) end();
  }));

  // Before all others, for whom Escape lets the pinned pixels go.
  document.addEventListener("keydown", (event) => {
    if (!drag || event.key !== "Escape") return;
    event.stopPropagation();
    event.preventDefault();
    end();
  }, true);
})(window.fusevis);
