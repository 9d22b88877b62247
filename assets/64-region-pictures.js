/* Regions as pictures of the image's own size: filled a little, with an outline. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  const FILL = 0.28;
  let known = { revision: -1, canvas: null };

  /** Red, green and blue of "#rrggbb". */
  function parts(colour) {
    return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  }

  /** A canvas of the image's size with all regions, the active one on top; null where there are none. */
  function canvas() {
    const { regions } = fusevis;
    if (known.revision === regions.revision()) return known.canvas;
    known = { revision: regions.revision(), canvas: drawn() };
    return known.canvas;
  }

  function drawn() {
    const { regions } = fusevis;
    const shown = regions.all().filter((region) => region.count);
    if (!shown.length) return null;
    const { height, width } = regions.shape();
    const made = document.createElement("canvas");
    Object.assign(made, { height, width });
    const data = new ImageData(width, height);
    const last = regions.all()[regions.active()];
    [...shown.filter((region) => region !== last), ...shown.filter((region) => region === last)].forEach((region) => {
      const [red, green, blue] = parts(region.colour);
      for (let at = 0; at < region.mask.length; at += 1) {
        if (!region.mask[at]) continue;
        data.data.set([red, green, blue, 255 * (onEdge(region.mask, at, height, width) ? 1 : FILL)], 4 * at);
      }
    });
    made.getContext("2d").putImageData(data, 0, 0);
    return made;
  }

  function onEdge(mask, at, height, width) {
    const col = at % width;
    const row = (at - col) / width;
    return (
      (col > 0 && !mask[at - 1]) || (col < width - 1 && !mask[at + 1]) ||
      (row > 0 && !mask[at - width]) || (row < height - 1 && !mask[at + width])
    );
  }

  /**
   * Draw the regions' points of a scatterplot into a canvas' context: place(at) gives the pixel of the canvas where the
   * image's pixel `at` lies, [x, y], and null where it is not shown.
   */
  function points(context, side, place) {
    const { regions } = fusevis;
    const last = regions.all()[regions.active()];
    const order = [...regions.all().filter((region) => region !== last), ...(last ? [last] : [])];
    order.forEach((region) => {
      context.fillStyle = region.colour;
      for (let at = 0; at < region.mask.length; at += 1) {
        if (!region.mask[at]) continue;
        const found = place(at);
        if (found) context.fillRect(found[0] - side / 2, found[1] - side / 2, side, side);
      }
    });
  }

  fusevis.regionPictures = { canvas, points };
})(window.fusevis);
