/* A table of numbers that sorts by its columns. Its heads stay when its numbers change, and the keyboard's focus on them. */
(function (fusevis) {
  "use strict";

  const { make } = fusevis.compare.paint;
  const { text, meanings } = fusevis.compare.numberParts;
  const sorts = {}; // by table: { column, down }; none: in the order of the server

  /** The rows of a table in the order that was asked for; undefined numbers stand last either way. */
  function sorted(name, rows) {
    const order = sorts[name];
    if (!order) return rows;
    const { column, down } = order;
    const compare = ([, a], [, b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      const less = typeof a === "number" ? a - b : a.localeCompare(b);
      return down ? -less : less;
    };
    return [...rows].sort((a, b) => compare(a[column], b[column]));
  }

  /** The first click on a column sorts, the second turns it around, the third gives the first order back. */
  function turn(name, column, numeric) {
    const order = sorts[name];
    if (!order || order.column !== column) sorts[name] = { column, down: numeric };
    else if (order.down === numeric) sorts[name] = { column, down: !numeric };
    else delete sorts[name];
  }

  function makeHeads(table, name, columns, again) {
    const head = make("thead", "", table);
    const groups = make("tr", "numbers-groups", head);
    const labels = make("tr", "", head);
    columns.forEach((column, index) => {
      if (index && column.group && column.group === columns[index - 1].group) {
        groups.lastChild.colSpan += 1;
      } else {
        const over = text(column.group ? "th" : "td", "", groups, column.group);
        if (column.group) over.scope = "colgroup";
      }
      const cell = make("th", column.numeric ? "number" : "", labels);
      cell.scope = "col";
      cell.title = column.title;
      const button = text("button", "numbers-sort", cell, column.label);
      button.type = "button";
      // What is seen comes first, so that who says it by voice is understood.
      button.setAttribute("aria-label", `${`${column.group} ${column.label}`.trim()}: ${column.title}, sort`);
      button.addEventListener("click", () => {
        turn(name, index, column.numeric);
        again();
      });
    });
    return labels;
  }

  function markSorted(labels, name) {
    [...labels.children].forEach((cell, index) => {
      const order = sorts[name];
      const here = order && order.column === index;
      cell.setAttribute("aria-sort", here ? (order.down ? "descending" : "ascending") : "none");
    });
  }

  /** What the columns mean, each group of one for each input once. */
  function terms(columns) {
    const found = new Map();
    for (const { group, label, title, meaning } of columns) {
      const term = meaning !== title ? group : group ? `${group}: ${label}` : label;
      if (!found.has(term)) found.set(term, meaning);
    }
    return found;
  }

  /** Make the table without lines; what is returned fills them in. */
  function makeTable(host, name, { columns, caption, about }) {
    let known = [];
    meanings(host, about, terms(columns));
    const table = make("table", "numbers-table", host);
    table.dataset.table = name;
    text("caption", "", table, caption);
    const draw = () => {
      body.replaceChildren();
      for (const row of sorted(name, known)) {
        const line = make("tr", "", body);
        row.forEach(([words], index) => {
          const cell = text(index < 2 ? "th" : "td", columns[index].numeric ? "number" : "", line, words);
          if (index < 2) cell.scope = "row";
        });
      }
      markSorted(labels, name);
    };
    const labels = makeHeads(table, name, columns, draw);
    const body = make("tbody", "", table);
    return ({ rows }) => {
      known = rows;
      draw();
    };
  }

  fusevis.compare.numberTable = { makeTable };
})(window.fusevis);
