/*
 * The tables of numbers: those that sort by their columns, whose heads stay when their numbers change, and the keyboard's
 * focus on them; and the paper's requirements, a line for each method.
 */

import { append } from "../core/elements.mjs";

/**
 * @typedef {{ group: string, label: string, title: string, meaning: string, numeric: boolean }} NumberColumn
 * @typedef {[string, number | string | null]} Cell - Its words, and what it is sorted by.
 * @typedef {{ columns: NumberColumn[], caption: string, about: string, rows: Cell[][] }} NumberTable
 * @typedef {{ verdict: string, numbers: string[], sentence: string }} Verdict
 * @typedef {object} Checklist
 * @property {string} caption
 * @property {string} about
 * @property {[string, string][]} verdicts
 * @property {{ number: number, title: string, rule: string }[]} requirements
 * @property {{ method: string, cells: Verdict[] }[]} rows
 */

let explained = false; // whether the meanings are open, in whichever table

/**
 * Append an element with words in it.
 * @template {keyof HTMLElementTagNameMap} Kind
 * @param {Kind} kind
 * @param {string} name
 * @param {Element} parent
 * @param {string} words
 */
export function text(kind, name, parent, words) {
  const element = append(kind, name, parent);
  element.textContent = words;
  return element;
}

/**
 * A list of [term, meaning] that opens by a click, a touch or a key: titles are only for those who hover.
 * @param {Element} parent
 * @param {string} about
 * @param {Iterable<string[]>} terms
 */
export function meanings(parent, about, terms) {
  const details = append("details", "numbers-meanings", parent);
  details.open = explained;
  details.addEventListener("toggle", () => {
    explained = details.open;
  });
  text("summary", "", details, "What do these mean?");
  text("p", "", details, about);
  const list = append("dl", "", details);
  for (const [term, meaning] of terms) {
    text("dt", "", list, term);
    text("dd", "", list, meaning);
  }
}

/**
 * Sentences, one a line; what is there already stays as it is, so that no reader begins anew.
 * @param {Element} host
 * @param {string} name
 * @param {string[]} several
 */
export function sentences(host, name, several) {
  if ([...host.children].map((line) => line.textContent).join("\n") === several.join("\n")) return;
  host.replaceChildren();
  for (const words of several) text("p", name, host, words);
}

/** @type {Record<string, { column: number, down: boolean }>} */
const sorts = {}; // by table: { column, down }; none: in the order of the server

/**
 * The rows of a table in the order that was asked for; undefined numbers stand last either way.
 * @param {string} name
 * @param {Cell[][]} rows
 */
function sorted(name, rows) {
  const order = sorts[name];
  if (!order) return rows;
  const { column, down } = order;
  /** @type {(one: Cell, other: Cell) => number} */
  const compare = ([, a], [, b]) => {
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    const less = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
    return down ? -less : less;
  };
  return [...rows].sort((a, b) => compare(a[column], b[column]));
}

/**
 * The first click on a column sorts, the second turns it around, the third gives the first order back.
 * @param {string} name
 * @param {number} column
 * @param {boolean} numeric
 */
function turn(name, column, numeric) {
  const order = sorts[name];
  if (!order || order.column !== column) sorts[name] = { column, down: numeric };
  else if (order.down === numeric) sorts[name] = { column, down: !numeric };
  else delete sorts[name];
}

/**
 * @param {Element} table
 * @param {string} name
 * @param {NumberColumn[]} columns
 * @param {() => void} again
 */
function makeHeads(table, name, columns, again) {
  const head = append("thead", "", table);
  const groups = append("tr", "numbers-groups", head);
  const labels = append("tr", "", head);
  columns.forEach((column, index) => {
    if (index && column.group && column.group === columns[index - 1].group) {
      /** @type {HTMLTableCellElement} */ (groups.lastChild).colSpan += 1;
    } else {
      const over = text(column.group ? "th" : "td", "", groups, column.group);
      if (column.group) over.scope = "colgroup";
    }
    const cell = append("th", column.numeric ? "number" : "", labels);
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

/**
 * @param {Element} labels
 * @param {string} name
 */
function markSorted(labels, name) {
  [...labels.children].forEach((cell, index) => {
    const order = sorts[name];
    const here = order && order.column === index;
    cell.setAttribute("aria-sort", here ? (order.down ? "descending" : "ascending") : "none");
  });
}

/**
 * What the columns mean, each group of one for each input once.
 * @param {NumberColumn[]} columns
 */
function terms(columns) {
  const found = new Map();
  for (const { group, label, title, meaning } of columns) {
    const term = meaning !== title ? group : group ? `${group}: ${label}` : label;
    if (!found.has(term)) found.set(term, meaning);
  }
  return found;
}

/**
 * Make the table without lines; what is returned fills them in.
 * @param {Element} host
 * @param {string} name
 * @param {NumberTable} table
 * @returns {(table: NumberTable) => void}
 */
export function makeTable(host, name, { columns, caption, about }) {
  /** @type {Cell[][]} */
  let known = [];
  meanings(host, about, terms(columns));
  const table = append("table", "numbers-table", host);
  table.dataset.table = name;
  text("caption", "", table, caption);
  const draw = () => {
    body.replaceChildren();
    for (const row of sorted(name, known)) {
      const line = append("tr", "", body);
      row.forEach(([words], index) => {
        const cell = text(index < 2 ? "th" : "td", columns[index].numeric ? "number" : "", line, words);
        if (index < 2) cell.scope = "row";
      });
    }
    markSorted(labels, name);
  };
  const labels = makeHeads(table, name, columns, draw);
  const body = append("tbody", "", table);
  return ({ rows }) => {
    known = rows;
    draw();
  };
}

/** @type {Record<string, string>} */
const SIGNS = { pass: "✓", fail: "✗", "not clear": "≈", undecidable: "?", waiting: "…" };
const REMARK = "The paper judges by eye; the limits are this project's. For research only: no verdict is about a patient.";

/**
 * Make the table without lines; what is returned fills them in.
 * @param {Element} host
 * @param {Checklist} checklist
 * @returns {(checklist: Checklist) => void}
 */
export function makeChecklist(host, { caption, about, verdicts, requirements }) {
  meanings(host, about, verdicts);
  const table = append("table", "numbers-table numbers-checklist", host);
  table.dataset.table = "checklist";
  text("caption", "", table, caption);
  const head = append("tr", "", append("thead", "", table));
  text("th", "", head, "Method").scope = "col";
  for (const { number, title, rule } of requirements) {
    const cell = append("th", "", head);
    cell.scope = "col";
    text("div", "", cell, `${number}. ${title}`);
    text("div", "numbers-rule", cell, `Rule: ${rule}.`);
  }
  const body = append("tbody", "", table);
  text("p", "numbers-remark", host, REMARK);
  return ({ rows }) => {
    body.replaceChildren();
    for (const { method, cells } of rows) {
      const line = append("tr", "", body);
      text("th", "", line, method).scope = "row";
      cells.forEach((cell) => fill(append("td", "", line), cell));
    }
  };
}

/**
 * @param {Element} cell
 * @param {Verdict} verdict
 */
function fill(cell, { verdict, numbers, sentence }) {
  const word = append("div", `verdict verdict-${verdict.replace(" ", "-")}`, cell);
  text("span", "verdict-icon", word, SIGNS[verdict]).setAttribute("aria-hidden", "true");
  text("b", "", word, verdict);
  text("span", "verdict-numbers", word, numbers.join(" · "));
  text("div", "", cell, sentence);
}
