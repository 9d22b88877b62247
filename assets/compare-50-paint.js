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

  /** The picture under a place of the page and the pixel there; only whole pictures have pixels to point at. */
  function pixelAt(clientX, clientY, clamp) {
    const common = state.common();
    if (!drawn || !common) return null;
    const { left, top } = parts.canvas.getBoundingClientRect();
    const [x, y] = [clientX - left, clientY - top];
    const inside = (area) => x >= area.left && y >= area.top && x < area.left + area.width && y < area.top + area.height;
    const whole = drawn.pictures.filter((one) => !one.zoom && one.kind !== "scatter");
    const picture = clamp || whole.find((one) => inside(one.area));
    if (!picture) return null;
    const limit = (value, end) => Math.min(Math.max(Math.floor(value), 0), end - 1);
    return {
      picture,
      row: limit(((y - picture.area.top) / picture.area.height) * common.height, common.height),
      col: limit(((x - picture.area.left) / picture.area.width) * common.width, common.width),
    };
  }

  fusevis.compare.paint = { move, redraw, pixelAt, elements, make, drawn: () => drawn };
})(window.fusevis);
