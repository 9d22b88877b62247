/* Regions as pictures of the size in which they are shown: filled a little, with an outline of even thickness. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  const { regionOutline } = fusevis;
  const FILL = 0.28;
  const MOST = 24; // pictures that are kept: panels of some sizes and parts
  let known = { revision: -1, parts: [], pictures: new Map() };

  /** Red, green and blue of "#rrggbb". */
  function colourParts(colour) {
    return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  }

  /** The regions that have pixels, the active one last. */
  function ordered() {
    const { regions } = fusevis;
    const last = regions.all()[regions.active()];
    return [...regions.all().filter((region) => region !== last), ...(last ? [last] : [])].filter((one) => one.count);
  }

  function filling({ mask, colour }, { height, width }) {
    const made = Object.assign(document.createElement("canvas"), { height, width });
    const data = new ImageData(width, height);
    const [red, green, blue] = colourParts(colour);
    for (let at = 0; at < mask.length; at += 1) if (mask[at]) data.data.set([red, green, blue, 255 * FILL], 4 * at);
    made.getContext("2d").putImageData(data, 0, 0);
    return made;
  }

  function current() {
    const { regions } = fusevis;
    if (known.revision !== regions.revision()) {
      const shape = regions.shape();
      const parts = ordered().map((region) => ({
        colour: region.colour,
        filled: filling(region, shape),
        outline: regionOutline.path({ ...shape, mask: region.mask }),
      }));
      known = { revision: regions.revision(), parts, pictures: new Map() };
    }
    return known;
  }

  /**
   * A canvas of width × height pixels of the screen with all regions, null where there are none. The image's upper left
   * corner lies at (left, top) of it, and a pixel of the image is across × down; outlines are `thickness` wide.
   */
  function placed(width, height, place, thickness) {
    const { parts, pictures } = current();
    if (!parts.length || !width || !height) return null;
    const name = [width, height, place.left, place.top, place.across, place.down].join();
    let canvas = pictures.get(name);
    if (!canvas) {
      canvas = Object.assign(document.createElement("canvas"), { width, height });
      const context = canvas.getContext("2d");
      context.imageSmoothingEnabled = place.across < 1;
      for (const { filled, outline, colour } of parts) {
        context.drawImage(
          filled, place.left, place.top, filled.width * place.across, filled.height * place.down);
        regionOutline.stroke(context, outline, colour, place, thickness);
      }
      if (pictures.size >= MOST) pictures.delete(pictures.keys().next().value);
      pictures.set(name, canvas);
    }
    return canvas;
  }

  /** Draw the outlines over a zoom that starts at pixel (row, col): a filling would change its colours. */
  function borders(context, area, origin, thickness) {
    const shape = fusevis.regions.shape();
    context.save();
    context.beginPath();
    context.rect(area.left, area.top, area.width, area.height);
    context.clip();
    ordered().forEach((region) => regionOutline.strokeWindow(context, region, shape, area, origin, thickness));
    context.restore();
  }

  /**
   * Draw the regions' points of a scatterplot into a canvas' context: place(at) gives the pixel of the canvas where the
   * image's pixel `at` lies, [x, y], and null where it is not shown.
   */
  function points(context, side, place) {
    ordered().forEach((region) => {
      context.fillStyle = region.colour;
      for (let at = 0; at < region.mask.length; at += 1) {
        if (!region.mask[at]) continue;
        const found = place(at);
        if (found) context.fillRect(found[0] - side / 2, found[1] - side / 2, side, side);
      }
    });
  }

  fusevis.regionPictures = { placed, borders, points };
})(window.fusevis);
