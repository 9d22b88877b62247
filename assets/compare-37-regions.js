/* Regions in the compare page's pictures: masks over all images, points in all scatterplots. */
(function (fusevis) {
  "use strict";

  const { regionPictures, regions } = fusevis;
  const { state, scatter } = fusevis.compare;
  const POINT = 2; // pixels of the plot
  const points = new Map(); // by scene: a canvas with the regions' points

  /** Whether the regions are of images of this size; for a moment after the pair has changed they may not be. */
  function fits() {
    const [shape, common] = [regions.shape(), state.common()];
    return Boolean(shape && common) && shape.height === common.height && shape.width === common.width;
  }

  /** Draw the regions' borders over a zoom that starts at pixel (col, row): a filling would change its colours. */
  function drawBorders(context, area, { row, col, unit }) {
    const { height, width } = state.common();
    const [bottom, right] = [row + Math.ceil(area.height / unit), col + Math.ceil(area.width / unit)];
    context.save();
    context.beginPath();
    context.rect(area.left, area.top, area.width, area.height);
    context.clip();
    context.lineWidth = 1.5;
    for (const { mask, colour, count } of fits() ? regions.all() : []) {
      if (!count) continue;
      const inside = (i, j) => i >= 0 && j >= 0 && i < height && j < width && mask[i * width + j] === 1;
      context.strokeStyle = colour;
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
    context.restore();
  }

  /** Draw the masks over the part of an image that starts at pixel (col, row), one pixel being `unit` wide. */
  function drawMask(context, area, { row, col, unit }) {
    const picture = regionPictures.canvas();
    if (!picture || !fits()) return;
    context.save();
    context.beginPath();
    context.rect(area.left, area.top, area.width, area.height);
    context.clip();
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, area.left - col * unit, area.top - row * unit, picture.width * unit, picture.height * unit);
    context.restore();
  }

  function drawWhole(context, picture) {
    drawMask(context, picture.area, { row: 0, col: 0, unit: picture.area.width / picture.scene.width });
  }

  /** Draw the regions' points over a scatterplot that is drawn already. */
  function drawPoints(context, picture, axes, density) {
    if (!regions.all().some((region) => region.count)) return;
    const area = scatter.plot(picture.box);
    const [width, height] = [area.width, area.height].map((side) => Math.round(side * density));
    const name = `${regions.revision()},${width},${height},${axes}`;
    let kept = points.get(picture.scene.key);
    if (!kept || kept.name !== name) {
      const place = scatter.placing(picture.scene, axes, width, height);
      if (!place) return;
      const canvas = Object.assign(document.createElement("canvas"), { width, height });
      regionPictures.points(canvas.getContext("2d"), POINT * density, place);
      kept = { name, canvas };
      points.set(picture.scene.key, kept);
    }
    context.drawImage(kept.canvas, area.left, area.top, area.width, area.height);
  }

  fusevis.compare.regions = { drawBorders, drawMask, drawWhole, drawPoints };
})(window.fusevis);
