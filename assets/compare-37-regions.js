/* Regions in the compare page's pictures: masks over all images, points in all scatterplots. */
(function (fusevis) {
  "use strict";

  const { regionPictures, regions } = fusevis;
  const { state, scatter } = fusevis.compare;
  const POINT = 2; // pixels of the plot
  const points = new Map(); // by scene: a canvas with the regions' points

  /** Draw the masks over the part of an image that starts at pixel (col, row), one pixel being `unit` wide. */
  function drawMask(context, area, { row, col, unit }) {
    const picture = regionPictures.canvas();
    const common = state.common();
    if (!picture || picture.height !== common.height || picture.width !== common.width) return;
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

  fusevis.compare.regions = { drawMask, drawWhole, drawPoints };
})(window.fusevis);
