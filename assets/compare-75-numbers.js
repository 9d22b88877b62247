/* The numbers below the table: tables that sort, and the paper's requirements as a checklist. */
(function (fusevis) {
  "use strict";

  const { make } = fusevis.compare.paint;
  const VERDICTS = { pass: "✓", fail: "✗", undecidable: "?", waiting: "…" };
  const sorts = {}; // by table: { column, down }; none: in the order of the server
  let shown = null; // the data and the tab that are drawn

  function text(kind, name, parent, words) {
    const element = make(kind, name, parent);
    element.textContent = words;
    return element;
  }

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

  function heads(table, name, columns, again) {
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
      button.setAttribute("aria-label", `${column.title}: sort`);
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

  function drawTable(host, name, { columns, rows }, empty) {
    if (!rows.length) {
      text("p", "numbers-empty", host, empty);
      return;
    }
    const table = make("table", "numbers-table", host);
    table.dataset.table = name;
    const body = () => {
      table.tBodies[0].replaceChildren();
      for (const row of sorted(name, rows)) {
        const line = make("tr", "", table.tBodies[0]);
        row.forEach(([words], index) => {
          const cell = text(index < 2 ? "th" : "td", columns[index].numeric ? "number" : "", line, words);
          if (index < 2) cell.scope = "row";
        });
      }
      markSorted(labels, name);
    };
    const labels = heads(table, name, columns, body);
    make("tbody", "", table);
    body();
  }

  function drawChecklist(host, { requirements, rows }) {
    if (!rows) {
      text("p", "numbers-empty", host, "No method is chosen.");
      return;
    }
    const table = make("table", "numbers-table numbers-checklist", host);
    table.dataset.table = "checklist";
    const head = make("tr", "", make("thead", "", table));
    text("th", "", head, "Method").scope = "col";
    for (const { number, title, rule } of requirements) {
      const cell = make("th", "", head);
      cell.scope = "col";
      text("div", "", cell, `${number}. ${title}`);
      text("div", "numbers-rule", cell, `Rule: ${rule}.`);
    }
    const body = make("tbody", "", table);
    for (const { method, cells } of rows) {
      const line = make("tr", "", body);
      text("th", "", line, method).scope = "row";
      for (const { verdict, numbers, sentence } of cells) {
        const cell = make("td", "", line);
        const word = make("div", `verdict verdict-${verdict}`, cell);
        text("span", "verdict-icon", word, VERDICTS[verdict]).setAttribute("aria-hidden", "true");
        text("b", "", word, verdict);
        text("span", "verdict-numbers", word, numbers.join(" · "));
        text("div", "", cell, sentence);
      }
    }
    const words = "The paper judges by eye; the limits are this project's. For research only: no verdict is about a patient.";
    text("p", "numbers-remark", host, words);
  }

  function draw(data, tab, state) {
    const host = document.getElementById("compare-numbers-tables");
    host.replaceChildren();
    for (const words of data.cautions) text("p", "numbers-caution", host, words);
    if (tab === "checklist") drawChecklist(host, data.checklist);
    else drawTable(host, tab, data[tab], tab === "guidance" ? waiting(state) || "No method is chosen." : "Nothing is known yet.");
  }

  function waiting({ waits }) {
    return waits.length ? `Waits for guidance images of ${waits.join(", ")}.` : "";
  }

  /** Say what is still missing. */
  function status(state) {
    const { influence, influence_complete: complete, going_on: goingOn, errors } = state;
    const parts = [waiting(state)];
    if (!complete) parts.push(`Influence of regions ${Math.floor(100 * influence)} %${goingOn ? "" : ", stopped"}.`);
    return [...parts, ...errors].filter(Boolean).join(" ") || "Complete.";
  }

  function show(data, state, tab) {
    if (!data || !state) return "";
    const told = status(state);
    const empty = tab === "guidance" && !data.guidance.rows.length ? told : "";
    if (!shown || shown.data !== data || shown.tab !== tab || shown.empty !== empty) {
      const moved = shown && shown.tab === tab ? document.getElementById("compare-numbers-tables").scrollTop : 0;
      draw(data, tab, state);
      document.getElementById("compare-numbers-tables").scrollTop = moved;
      shown = { data, tab, empty };
    }
    return told;
  }

  fusevis.compare.numbers = { show };
})(window.fusevis);
