/* Where everything stands: rows, columns and the pictures in their cells, in CSS pixels. Pure geometry. */
(function (fusevis) {
  "use strict";

  const { state } = fusevis.compare;
  const LABEL = { least: 272, most: 380 };
  const HEAD = 46; // the columns' heads stand between the inputs and the methods
  const ROW = { least: 116, most: 420 };
  const PAD = 4;
  const CAPTION = 15;
  const STRETCH = 1.4;
  const COLUMNS = [
    "fused", "guidance_mri", "guidance_pet", "guidance_rgb", "jacobian_mri", "jacobian_pet", "jacobian_mri_zoom",
    "jacobian_pet_zoom", "scatter",
  ];
  const PARTS = { mri: 0, pet: 1 };

  /** What a column shows: { kind, index, zoom }. */
  function meaning(column) {
    const [kind, part, zoom] = column.split("_");
    return { kind: part === "rgb" ? "rgb" : kind, index: PARTS[part] || 0, zoom: zoom === "zoom" };
  }

  function wants(column, side, several) {
    const { kind } = meaning(column);
    if (kind === "scatter") return 1.35 * side;
    return kind === "jacobian" && several ? 2 * side + PAD : side;
  }

  /** Widths of the columns: as much as the rows' height asks for, less or somewhat more as the place allows. */
  function spread(asked, place) {
    const total = asked.reduce((sum, width) => sum + width, 0);
    const factor = total ? Math.min(STRETCH, place / total) : 1;
    return asked.map((width) => Math.floor(width * factor));
  }

  /**
   * Lay the table out in a place `width`×`height`: the first row has the inputs, the others a method each.
   * Gives { width, height, head, label, rows: [{ top, height }], columns: [{ name, left, width }] }.
   */
  function lay(width, height) {
    const several = state.points().length > 1;
    const count = state.rows().length + 1;
    const fit = Math.floor((height - HEAD) / count);
    const place = width - LABEL.least;
    const columns = Math.max(state.columns.length, 4);
    const wanted = state.display.size === "large" ? Math.floor(place / columns) : fit;
    const row = Math.min(Math.max(wanted, ROW.least), ROW.most);
    const widths = spread(state.columns.map((column) => wants(column, row + 2 * PAD, several)), place);
    const used = widths.reduce((sum, one) => sum + one, 0);
    const label = Math.min(Math.max(LABEL.least, width - used), LABEL.most);
    let left = label;
    const placed = state.columns.map((name, index) => {
      const column = { name, left, width: widths[index], ...meaning(name) };
      left += widths[index];
      return column;
    });
    const rows = Array.from({ length: count }, (_, index) => ({ top: index * row + (index && HEAD), height: row }));
    return { width, height: count * row + HEAD, head: { top: row, height: HEAD }, label, rows, columns: placed };
  }

  /** The largest picture of height×width in a box, centred. */
  function fitted(box, height, width) {
    const factor = Math.min((box.width - 2 * PAD) / width, (box.height - 2 * PAD) / height);
    const across = Math.max(1, Math.floor(width * factor));
    const down = Math.max(1, Math.floor(height * factor));
    return {
      left: Math.round(box.left + (box.width - across) / 2),
      top: Math.round(box.top + (box.height - down) / 2),
      width: across,
      height: down,
    };
  }

  /** The boxes of both pixels, side by side; one where only one is shown. */
  function halves(box, count) {
    const width = box.width / count;
    return Array.from({ length: count }, (_, index) => ({ ...box, left: box.left + index * width, width }));
  }

  /** All pictures of the table: { row, scene, kind, index, zoom, point, box, area }, scatterplots with their cell as area. */
  function pictures(table) {
    const common = state.common();
    if (!common) return [];
    const { height, width } = common;
    const side = 2 * state.half() + 1;
    const points = state.points();
    const found = [];
    const add = (box, what) => {
      const moving = what.kind === "jacobian" || what.zoom;
      const shown = moving ? points : [null];
      halves(box, shown.length).forEach((part, number) => {
        const size = what.zoom ? [side, side] : [height, width];
        const area = what.kind === "scatter" ? part : fitted(part, ...size);
        found.push({ ...what, point: shown[number], box: part, area });
      });
    };
    inputBoxes(table, points.length).forEach((box) => add(box, { row: 0, scene: common, kind: "inputs", ...box.what }));
    state.rows().forEach((scene, number) => {
      const row = table.rows[number + 1];
      table.columns.forEach(({ left, width: across, kind, index, zoom }) => {
        add({ left, top: row.top, width: across, height: row.height }, { row: number + 1, scene, kind, index, zoom });
      });
    });
    return found.filter((one) => !one.scene.error);
  }

  /** The inputs stand above the columns where these reach, whole first, with room for a caption. */
  function inputBoxes(table, count) {
    const { top, height } = table.rows[0];
    const side = height - CAPTION;
    let left = table.label;
    return [[0, false], [1, false], [0, true], [1, true]].map(([index, zoom]) => {
      const width = (zoom && count > 1 ? 2 * side : side) + 6 * PAD;
      const box = { left, top: top + CAPTION, width, height: side, what: { index, zoom } };
      left += width;
      return box;
    });
  }

  fusevis.compare.layout = { lay, pictures, meaning, CAPTION, COLUMNS };
})(window.fusevis);
