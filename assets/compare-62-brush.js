/* Box and lasso on the compare page: from a drag on any whole picture or scatterplot to a selection of pixels. */
(function (fusevis) {
  "use strict";

  const { regions, selection } = fusevis;
  const { state, paint, scatter, images } = fusevis.compare;
  let tool = "point";

  /** The picture under the pointer that can be drawn on, with its part of the canvas and the place in its data. */
  function target(event) {
    const drawn = paint.drawn();
    if (!drawn || !(event.target.closest && event.target.closest(".compare-canvas"))) return null;
    const { left, top } = event.target.getBoundingClientRect();
    const [x, y] = [event.clientX - left, event.clientY - top];
    for (const picture of drawn.pictures.filter((one) => !one.zoom)) {
      const area = picture.kind === "scatter" ? scatter.plot(picture.box) : picture.area;
      if (x < area.left || y < area.top || x >= area.left + area.width || y >= area.top + area.height) continue;
      return { picture, place: { left: left + area.left, top: top + area.top, width: area.width, height: area.height } };
    }
    return null;
  }

  function onImage({ height, width }, place) {
    return {
      convert: (clientX, clientY) => [
        ((clientX - place.left) / place.width) * width - 0.5,
        ((clientY - place.top) / place.height) * height - 0.5,
      ],
      xOf: (at) => at % width,
      yOf: (at) => Math.floor(at / width),
    };
  }

  function onScatter(scene, place) {
    const guidance = images.get(scene, "guidance");
    const axes = scatter.ranges();
    if (scene.difference || !axes || !guidance || !guidance.complete) return null;
    const [xs, ys] = [0, 1].map(guidance.band);
    const [[x0, x1], [y0, y1]] = axes;
    return {
      convert: (clientX, clientY) => [
        x0 + ((clientX - place.left) / place.width) * (x1 - x0),
        y1 - ((clientY - place.top) / place.height) * (y1 - y0),
      ],
      xOf: (at) => xs[at],
      yOf: (at) => ys[at],
    };
  }

  document.addEventListener("pointerdown", (event) => {
    if (tool === "point" || event.button !== 0) return;
    const found = target(event);
    if (!found) return;
    const { scene, kind } = found.picture;
    const data = kind === "scatter" ? onScatter(scene, found.place) : onImage(scene, found.place);
    if (!data) {
      fusevis.compare.readout.fail(scene.difference
        ? "The difference has no points to select; draw on the scatterplot of a method."
        : "Points can be selected once the guidance images are complete.");
      return;
    }
    selection.start(event, tool, data.convert, (inside, ended) => {
      regions.combine(selection.maskOf(scene.height * scene.width, inside, data.xOf, data.yOf), regions.operation(ended));
    });
  }, true);

  /** Let dragging choose pixels, or draw boxes or lassos. */
  function changeTool(wanted) {
    tool = wanted;
    document.body.dataset.tool = tool;
    document.querySelectorAll("[data-tool]").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
      button.classList.toggle("active", button.dataset.tool === tool);
    });
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("[data-tool]");
    if (button) changeTool(button.dataset.tool);
  });

  // The tools are in the panel alone: without it nothing would say that one is on.
  document.addEventListener("panel-closed", (event) => event.target.id === "region-panel" && changeTool("point"));
  selection.leaveByEscape(() => tool !== "point", () => changeTool("point"));

  let started = false;
  regions.listen(() => {
    if (!started) {
      started = true;
      changeTool(tool);
      fusevis.regionList.start();
    }
    paint.redraw();
  });

  fusevis.compare.brush = { changeTool };
})(window.fusevis);
