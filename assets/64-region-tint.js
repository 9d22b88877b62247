/* The colour of the region that each pixel is in: how the points around the principal pixel show that they are selected. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  let known = { revision: -1, tints: null };

  /** One number a pixel of the image, 0 outside of all regions; the chosen region is on top. Null where there is no region. */
  function all() {
    const { regions } = fusevis;
    if (known.revision === regions.revision()) return known.tints;
    const shape = regions.shape();
    const filled = regions.all().filter((region) => region.count);
    const tints = shape && filled.length ? new Uint32Array(shape.height * shape.width) : null;
    const last = regions.all()[regions.active()];
    for (const region of [...filled.filter((one) => one !== last), ...filled.filter((one) => one === last)]) {
      const colour = fusevis.regionOutline.pixel(region.colour, 1);
      for (let at = 0; at < region.mask.length; at += 1) if (region.mask[at]) tints[at] = colour;
    }
    known = { revision: regions.revision(), tints };
    return tints;
  }

  /** The colour of a pixel's number, for a context's fillStyle. */
  function css(tint) {
    return `rgb(${tint & 255} ${(tint >> 8) & 255} ${(tint >> 16) & 255})`;
  }

  fusevis.regionTint = { all, css };
})(window.fusevis);
