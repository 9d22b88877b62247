/* Where a region ends: the edges between its pixels and others, as lines. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  const WIDTH = 1.5; // of the screen: an outline is as thick in a small picture as in a large one

  /**
   * Call line(x0, y0, x1, y1) for each straight edge of a mask, in pixels from the image's upper left corner; those in a
   * window of `down` × `across` pixels from (row, col) on.
   */
  function edges({ mask, height, width }, { row, col, down, across }, line) {
    const inside = (i, j) => i >= 0 && j >= 0 && i < height && j < width && mask[i * width + j] === 1;
    const [rows, columns] = [[row, row + down], [col, col + across]];
    walk(rows, columns, (i, j) => inside(i, j) !== inside(i - 1, j), (i, from, to) => line(from, i, to, i));
    walk(columns, rows, (j, i) => inside(i, j) !== inside(i, j - 1), (j, from, to) => line(j, from, j, to));
  }

  /** Join the edges that follow each other on each of the grid's lines. */
  function walk([first, last], [start, end], isEdge, found) {
    for (let at = first; at <= last; at += 1) {
      let from = null;
      for (let along = start; along <= end; along += 1) {
        const edge = along < end && isEdge(at, along);
        if (edge && from === null) from = along;
        if (!edge && from !== null) {
          found(at, from, along);
          from = null;
        }
      }
    }
  }

  /** The outline of a mask as a path, one pixel of the image being 1 × 1. */
  function path(region) {
    const made = new Path2D();
    const whole = { row: 0, col: 0, down: region.height, across: region.width };
    edges(region, whole, (x0, y0, x1, y1) => {
      made.moveTo(x0, y0);
      made.lineTo(x1, y1);
    });
    return made;
  }

  /** Draw a path of the image into a context where the image's corner is at (left, top), its pixels across × down. */
  function stroke(context, outline, colour, { left, top, across, down }, thickness) {
    const placed = new Path2D();
    placed.addPath(outline, new DOMMatrix([across, 0, 0, down, left, top]));
    context.strokeStyle = colour;
    context.lineWidth = thickness;
    context.lineCap = "square";
    context.stroke(placed);
  }

  /** Draw the edges that lie in a zoom of few pixels: the window of the image that starts at pixel (row, col). */
  function strokeWindow(context, { mask, colour }, shape, area, { row, col, unit }, thickness) {
    const shown = { row, col, down: Math.ceil(area.height / unit), across: Math.ceil(area.width / unit) };
    const [x, y] = [(at) => area.left + (at - col) * unit, (at) => area.top + (at - row) * unit];
    context.strokeStyle = colour;
    context.lineWidth = thickness;
    context.beginPath();
    edges({ ...shape, mask }, shown, (x0, y0, x1, y1) => {
      context.moveTo(x(x0), y(y0));
      context.lineTo(x(x1), y(y1));
    });
    context.stroke();
  }

  fusevis.regionOutline = { WIDTH, path, stroke, strokeWindow };
})(window.fusevis);
