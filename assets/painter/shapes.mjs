/* What is drawn over pictures: boxes around pixels. A picture's area is its place on the canvas, `unit` the side of a pixel there. */

const LINE = 1.5;

/** Draw only inside of an area. */
export function clipped(context, area, draw) {
  context.save();
  context.beginPath();
  context.rect(area.left, area.top, area.width, area.height);
  context.clip();
  draw();
  context.restore();
}

/** Draw a box of (2·reach + 1)² pixels around a pixel, which is counted from the upper left one of the picture. */
export function box(context, area, unit, pixel, reach, colour) {
  const side = Math.max((2 * reach + 1) * unit, 3);
  const x = area.left + (pixel.col + 0.5) * unit - side / 2;
  const y = area.top + (pixel.row + 0.5) * unit - side / 2;
  clipped(context, area, () => {
    context.strokeStyle = colour;
    context.lineWidth = LINE;
    // Around the pixels, whose own colours are what one wants to see.
    context.strokeRect(x - LINE / 2, y - LINE / 2, side + LINE, side + LINE);
  });
}

/** Draw a canvas whose upper left corner is the image's pixel (row, col), in a picture that begins at `origin`; pixels stay sharp. */
export function placePicture(context, area, unit, origin, picture, { row, col }) {
  context.imageSmoothingEnabled = false;
  context.drawImage(
    picture, area.left + (col - origin.col) * unit, area.top + (row - origin.row) * unit,
    picture.width * unit, picture.height * unit);
}
