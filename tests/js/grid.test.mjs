import assert from "node:assert/strict";
import { test } from "node:test";

import { CAPTION, PAD, arrange } from "../../assets/compare/grid.mjs";

const WIDTHS = [390, 480, 640, 720, 768, 1000, 1100, 1280, 1440, 1920, 2560];
const RATIOS = [0.5, 1, 2.5];
const FIRST = ["whole", "whole", "whole", "zoom", "zoom", "scatter"];
const ALL = ["whole", "whole", "whole", "whole", "jacobian", "jacobian", "zoom", "zoom", "scatter"];

/** A table of these columns; those that follow the pixels stand once for each of them. */
function laid({ width = 1440, height = 796, methods = 5, columns = FIRST, ratio = 1, points = 1, large = false } = {}) {
  const shapes = {
    whole: { ratio, beside: 1 }, jacobian: { ratio, beside: points }, zoom: { ratio: 1, beside: points }, scatter: { ratio: 1.2, beside: 1 },
  };
  return arrange({
    width, height, methods, ratio, large,
    columns: columns.map((name) => shapes[name]),
    inputs: [shapes.whole, shapes.whole, shapes.zoom, shapes.zoom],
    labels: { inputs: 44 + 31 * points, method: 58 + 16 * points },
  });
}

function* cases() {
  for (const width of WIDTHS) {
    for (const methods of [1, 2, 3, 4, 5, 6, 7]) {
      for (const ratio of RATIOS) {
        for (const columns of [["whole"], ["scatter"], FIRST, ALL]) {
          for (const points of [1, 2]) {
            for (const [height, large] of [[500, false], [980, false], [700, true]]) yield { width, height, methods, columns, ratio, points, large };
          }
        }
      }
    }
  }
}

/** The cells of all methods, as areas. */
function cells({ rows, columns, cell }) {
  return rows.slice(1).flatMap(({ top }) => columns.map(({ left, width, down }) => ({ left, top: top + down, width, height: cell })));
}

const inside = (area, other) => area.left >= other.left && area.top >= other.top
  && area.left + area.width <= other.left + other.width && area.top + area.height <= other.top + other.height;
const apart = (one, other) => one.left + one.width <= other.left || other.left + other.width <= one.left
  || one.top + one.height <= other.top || other.top + other.height <= one.top;

test("everything is inside of the table, apart from each other, and nothing is wider than its place", () => {
  for (const asked of cases()) {
    const table = laid(asked);
    const what = JSON.stringify(asked);
    const whole = { left: 0, top: 0, width: table.width, height: table.height };
    const areas = [...table.inputs, ...cells(table), ...table.rows.map(({ label }) => label)];
    assert.equal(table.width, asked.width, what);
    areas.forEach((area, at) => {
      assert.ok(inside(area, whole) && area.width > 0 && area.height > 0, `${what} ${at} ${JSON.stringify(area)}`);
      areas.slice(0, at).forEach((other) => assert.ok(apart(area, other), `${what} ${at}`));
    });
  }
});

test("inputs are never larger than the methods' pictures, and large enough to be seen", () => {
  for (const asked of cases()) {
    const { inputs, side } = laid(asked);
    assert.ok(inputs.every(({ height }) => height - 2 * PAD <= side && height - 2 * PAD >= 0.5 * side), JSON.stringify(asked));
  }
});

test("five methods have pictures of 130 pixels and more at 1440×900, and larger ones at 1920×1080", () => {
  const heads = 44 + 34 + 26 + 4; // what stands above and below the table
  for (const [columns, least, more] of [[FIRST, 145, 180], [ALL, 130, 160]]) {
    assert.ok(laid({ columns, height: 900 - heads }).side >= least);
    assert.ok(laid({ columns, width: 1920, height: 1080 - heads }).side >= more);
  }
});

test("a table that can be seen whole is", () => {
  for (const methods of [1, 2, 3, 4, 5, 6, 7]) {
    for (const columns of [FIRST, ALL]) {
      const table = laid({ methods, columns });
      assert.ok(table.height <= 796 && table.side >= 88, `${methods}`);
    }
  }
});

test("few methods with many columns have them in several lines, with a title above each picture", () => {
  const one = laid({ methods: 1, columns: ALL });
  assert.ok(one.captions && one.head.height === 0 && one.side > 200);
  const five = laid({ methods: 5, columns: ALL });
  assert.ok(!five.captions && new Set(five.columns.map(({ down }) => down)).size === 1);
});

test("in a narrow window labels stand above their pictures, which are of a size to be seen", () => {
  const { label, captions, side, columns, rows } = laid({ width: 390, height: 600, columns: ALL });
  assert.equal(label, 0);
  assert.ok(captions && side >= 110, `${side}`);
  assert.equal(columns[0].down, rows[1].label.height + CAPTION);
});

test("large pictures have 200 pixels and more where the window has", () => {
  for (const width of WIDTHS.filter((one) => one > 400)) {
    for (const columns of [FIRST, ALL]) {
      const { side } = laid({ width, columns, large: true });
      assert.ok(side >= 200, `${width}: ${side}`);
      assert.ok(side >= laid({ width, columns }).side);
    }
  }
});

test("long images are as large as square ones, by their area", () => {
  for (const ratio of RATIOS) {
    const { side } = laid({ width: 390, height: 500, ratio, columns: ALL });
    assert.ok(side * Math.sqrt(ratio) >= 88, `${ratio}: ${side}`);
  }
});
