/* One canvas for the whole table: when to lay out, when to draw what stays, when only what moves. */
(function (fusevis) {
  "use strict";

  const { state, layout, still, moving } = fusevis.compare;
  const MEASURE = "compare-to-paint";
  const KEPT_MEASURES = 1000;
  const behind = document.createElement("canvas");
  let parts = null; // the elements of the table
  let drawn = null; // { table, pictures, look } of what is on the canvas
  let stale = false;
  let asked = false;
  let start = null; // of the event that the next painting answers
  let measures = 0;

  /** Make the elements of the table once. */
  function elements() {
    const host = document.getElementById("compare-table");
    if (!host) return null;
    if (!parts || parts.host !== host) {
      const body = make("div", "compare-body", host);
      const canvas = make("canvas", "compare-canvas", body);
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", "Pictures of all rows; the numbers at the pinned pixels stand beside them");
      const head = make("div", "compare-columns", body);
      const empty = make("p", "compare-empty", host);
      parts = { host, head, body, canvas, empty, context: canvas.getContext("2d", { alpha: false }), rows: make("div", "compare-rows", body) };
      new ResizeObserver(redraw).observe(host);
      // Its ground and its words have the theme's colours.
      new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
    }
    return parts;
  }

  function make(kind, name, parent) {
    const element = document.createElement(kind);
    element.className = name;
    parent.append(element);
    return element;
  }

  function nothing() {
    if (!state.scenes.length) return "No method is chosen. Choose one or more under “Methods” above.";
    if (state.common() && !state.columns.length) return "No column is chosen. Choose one or more under “Columns” above.";
    return state.common() ? "" : "None of the chosen methods can be shown; the rows say why.";
  }

  function layOut() {
    const { host, head, body, canvas, empty } = parts;
    const density = window.devicePixelRatio || 1;
    const table = layout.lay(host.clientWidth, host.clientHeight - 2);
    const pictures = layout.pictures(table);
    Object.assign(body.style, { width: `${table.width}px`, height: `${table.height}px` });
    const [width, height] = [table.width, table.height].map((side) => Math.round(side * density));
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    Object.assign(canvas.style, { width: `${table.width}px`, height: `${table.height}px` });
    empty.textContent = nothing();
    empty.hidden = !empty.textContent;
    body.hidden = !state.scenes.length;
    fusevis.compare.heads.show(parts, table);
    fusevis.compare.rows.show(parts, table);
    drawn = { table, pictures, look: still.draw(behind, table, pictures, density) };
  }

  function paint() {
    asked = false;
    if (!elements()) return;
    if (stale || !drawn) {
      stale = false;
      layOut();
    }
    moving.draw(parts.context, behind, drawn.table, drawn.pictures, drawn.look);
    fusevis.compare.readout.show();
    if (start !== null) measure(start);
    start = null;
  }

  function measure(began) {
    requestAnimationFrame(() => {
      performance.measure(MEASURE, { start: began, end: Math.max(performance.now(), began) });
      measures += 1;
      if (measures <= KEPT_MEASURES) return;
      performance.clearMeasures(MEASURE);
      measures = 0;
    });
  }

  function soon() {
    if (!asked) {
      asked = true;
      requestAnimationFrame(paint);
    }
  }

  /** Paint what moves at the next frame; `began`: when the event happened that a measurement starts from. */
  function move(began) {
    if (began !== undefined) start = began;
    // A provisional scale is taken from the windows, and the growing pictures have it too.
    if (fusevis.compare.scale.isProvisional()) fusevis.compare.heads.showEnds(drawn && drawn.table);
    soon();
  }

  /** Lay out and paint everything at the next frame. */
  function redraw() {
    stale = true;
    soon();
  }

  /** A place of the window in the table's own pixels. */
  function inTable(clientX, clientY) {
    const { left, top } = parts.canvas.getBoundingClientRect();
    return [clientX - left, clientY - top];
  }

  /** The picture under a place of the window, null where there is none. */
  function pictureAt(clientX, clientY) {
    if (!drawn || !state.common()) return null;
    const [x, y] = inTable(clientX, clientY);
    return drawn.pictures.find((one) => {
      const area = layout.areaOf(one);
      return x >= area.left && y >= area.top && x < area.left + area.width && y < area.top + area.height;
    }) || null;
  }

  /** The image's pixel under a place of the window in this picture, null outside of the image unless `clamp` wants the nearest. */
  function pixelIn(picture, clientX, clientY, clamp) {
    const [x, y] = inTable(clientX, clientY);
    if (picture.kind === "scatter") return fusevis.compare.nearest.pixelAt(picture, x, y);
    const { height, width } = picture.scene;
    const [area, part] = [picture.area, layout.partOf(picture)];
    const row = part.row + Math.floor(((y - area.top) / area.height) * part.height);
    const col = part.col + Math.floor(((x - area.left) / area.width) * part.width);
    const limit = (value, end) => Math.min(Math.max(value, 0), end - 1);
    if (clamp) return { row: limit(row, height), col: limit(col, width) };
    return row >= 0 && col >= 0 && row < height && col < width ? { row, col } : null;
  }

  fusevis.compare.paint = { move, redraw, pictureAt, pixelIn, elements, make, drawn: () => drawn };
})(window.fusevis);
