/* The paper's requirements as a table: what is required above, a line for each method. */
(function (fusevis) {
  "use strict";

  const { make } = fusevis.compare.paint;
  const { text, meanings } = fusevis.compare.numberParts;
  const SIGNS = { pass: "✓", fail: "✗", undecidable: "?", waiting: "…" };
  const REMARK = "The paper judges by eye; the limits are this project's. For research only: no verdict is about a patient.";

  /** Make the table without lines; what is returned fills them in. */
  function makeChecklist(host, { caption, about, verdicts, requirements }) {
    meanings(host, about, verdicts);
    const table = make("table", "numbers-table numbers-checklist", host);
    table.dataset.table = "checklist";
    text("caption", "", table, caption);
    const head = make("tr", "", make("thead", "", table));
    text("th", "", head, "Method").scope = "col";
    for (const { number, title, rule } of requirements) {
      const cell = make("th", "", head);
      cell.scope = "col";
      text("div", "", cell, `${number}. ${title}`);
      text("div", "numbers-rule", cell, `Rule: ${rule}.`);
    }
    const body = make("tbody", "", table);
    text("p", "numbers-remark", host, REMARK);
    return ({ rows }) => {
      body.replaceChildren();
      for (const { method, cells } of rows) {
        const line = make("tr", "", body);
        text("th", "", line, method).scope = "row";
        cells.forEach((cell) => fill(make("td", "", line), cell));
      }
    };
  }

  function fill(cell, { verdict, numbers, sentence }) {
    const word = make("div", `verdict verdict-${verdict}`, cell);
    text("span", "verdict-icon", word, SIGNS[verdict]).setAttribute("aria-hidden", "true");
    text("b", "", word, verdict);
    text("span", "verdict-numbers", word, numbers.join(" · "));
    text("div", "", cell, sentence);
  }

  fusevis.compare.numberChecklist = { makeChecklist };
})(window.fusevis);
