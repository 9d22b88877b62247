/* Where a region ends: the edges between its pixels and others, as lines. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  const WIDTH = 1.5; // of the screen: an outline is as thick in a small picture as in a large one

  /** Call line(x0, y0, x1, y1) for each straight edge of a mask, in pixels from the image's upper left corner. */
  function edges({ mask, height, width }, line) {
    const inside = (i, j) => i >= 0 && j >= 0 && i < height && j < width && mask[i * width + j] === 1;
    walk(height, width, (i, j) => inside(i, j) !== inside(i - 1, j), (i, from, to) => line(from, i, to, i));
    walk(width, height, (j, i) => inside(i, j) !== inside(i, j - 1), (j, from, to) => line(j, from, j, to));
  }

  /** Join the edges that follow each other on each of the grid's lines. */
  function walk(lines, length, isEdge, found) {
    for (let at = 0; at <= lines; at += 1) {
      let from = -1;
      for (let along = 0; along <= length; along += 1) {
        const edge = along < length && isEdge(at, along);
        if (edge && from < 0) from = along;
        if (!edge && from >= 0) {
          found(at, from, along);
          from = -1;
        }
      }
    }
  }

  /** The outline of a mask as a path, one pixel of the image being 1 × 1. */
  function path(region) {
    const made = new Path2D();
    edges(region, (x0, y0, x1, y1) => {
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
    const { height, width } = shape;
    const inside = (i, j) => i >= 0 && j >= 0 && i < height && j < width && mask[i * width + j] === 1;
    const [bottom, right] = [row + Math.ceil(area.height / unit), col + Math.ceil(area.width / unit)];
    context.strokeStyle = colour;
    context.lineWidth = thickness;
    context.beginPath();
    for (let i = row; i <= bottom; i += 1) {
      for (let j = col; j <= right; j += 1) {
        const [x, y] = [area.left + (j - col) * unit, area.top + (i - row) * unit];
        const here = inside(i, j);
        if (here !== inside(i - 1, j)) {
          context.moveTo(x, y);
          context.lineTo(x + unit, y);
        }
        if (here !== inside(i, j - 1)) {
          context.moveTo(x, y);
          context.lineTo(x, y + unit);
        }
      }
    }
    context.stroke();
  }

  fusevis.regionOutline = { WIDTH, path, stroke, strokeWindow };
})(window.fusevis);
