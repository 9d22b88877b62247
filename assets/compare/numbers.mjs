/*
 * The numbers below the table: what is drawn of them, and what is said to be missing. They are opened and closed by hand or
 * by a link; while they are open, the server is told which pixels are pinned.
 */

import { makeChecklist, makeTable, sentences } from "./number-tables.mjs";
import { state } from "./state.mjs";
import { addPanel, isForPage, ownerOf } from "../core/dialogs.mjs";
import { append } from "../core/elements.mjs";

/**
 * @typedef {{ waits: string[], influence: number, influence_complete: boolean, going_on: boolean, errors: string[] }} Known
 * @typedef {Record<string, any> & { cautions: string[] }} Data - Of all tables, as cache/services/number_tables.py makes it.
 * @typedef {{ looks: string, notes: HTMLElement, fill: (table: any, words: string) => void }} Frame
 */

/** @type {Frame | null} */
let frame = null; // what stays while numbers change: { looks, notes, fill }
/** @type {{ data: Data, tab: string, empty: string } | null} */
let shown = null; // the data, the tab and the words that are drawn

/** @param {Known} known */
function waiting({ waits }) {
  return waits.length ? `Waits for guidance images of ${waits.join(", ")}.` : "";
}

/**
 * What is said where a table has no lines.
 * @param {Data} data
 * @param {string} tab
 * @param {Known} known
 */
function emptiness(data, tab, known) {
  if (tab === "checklist") return data.checklist.rows ? "" : "No method is chosen.";
  if (data[tab].rows.length) return "";
  return tab === "guidance" ? waiting(known) || "No method is chosen." : "Nothing is known yet.";
}

/**
 * @param {HTMLElement} host
 * @param {string} looks
 * @param {any} table
 * @param {string} tab
 * @param {string} empty
 * @returns {Frame}
 */
function makeFrame(host, looks, table, tab, empty) {
  host.replaceChildren();
  const notes = append("div", "numbers-notes", host);
  /** @type {Frame["fill"]} */
  let fill;
  if (empty) {
    const line = append("p", "numbers-empty", host);
    fill = (_table, words) => {
      line.textContent = words;
    };
  } else {
    fill = tab === "checklist" ? makeChecklist(host, table) : makeTable(host, tab, table);
  }
  return { looks, notes, fill };
}

/**
 * @param {Data} data
 * @param {string} tab
 * @param {string} empty
 */
function draw(data, tab, empty) {
  const host = element("-tables");
  const table = data[tab];
  const { hint = "" } = table;
  const looks = JSON.stringify([tab, Boolean(empty), { ...table, rows: null, hint: null }]);
  if (!frame || frame.looks !== looks) {
    const inside = () => /** @type {HTMLElement[]} */ ([...host.querySelectorAll("button, summary")]);
    const held = inside().indexOf(/** @type {HTMLElement} */ (document.activeElement));
    frame = makeFrame(host, looks, table, tab, empty);
    // As those of another pair, whose heads are other elements.
    if (held >= 0) (inside()[held] || host).focus();
  }
  sentences(frame.notes, "numbers-note", [...data.cautions.map((words) => `Warning: ${words}`), hint].filter(Boolean));
  const { scrollTop, scrollLeft } = host;
  frame.fill(table, empty);
  Object.assign(host, { scrollTop, scrollLeft });
}

/**
 * Say what is still missing; `influence` is what is said of that on regions.
 * @param {Known} known
 * @param {string} influence
 */
function missing(known, influence) {
  const parts = [waiting(known)];
  if (!known.influence_complete) parts.push(`Influence of regions ${influence}${known.going_on ? "" : ", stopped"}.`);
  return [...parts, ...known.errors].filter(Boolean).join(" ") || "Complete.";
}

/** @param {Known} known */
function status(known) {
  return missing(known, `${Math.floor(100 * known.influence)} %`);
}

/**
 * The same without percentages, which would be read aloud every second.
 * @param {Known} known
 */
function phase(known) {
  const waits = known.waits.map((words) => words.replace(/ \(\d+ %\)$/, ""));
  return missing({ ...known, waits }, "not complete");
}

/** Say that there are no numbers yet; of those that become old, the stylesheet says that others are computed. */
function announce() {
  const host = element("-tables");
  if (!host.children.length) append("p", "numbers-empty", host).textContent = "The numbers are being computed …";
}

/**
 * Show the numbers that the server knows; gives the status and what is read aloud of it.
 * @param {Data | null} data
 * @param {Known | null} known
 * @param {string} tab
 */
export function show(data, known, tab) {
  if (!data || !known) return ["", ""];
  const empty = emptiness(data, tab, known);
  if (!shown || shown.data !== data || shown.tab !== tab || shown.empty !== empty) {
    draw(data, tab, empty);
    shown = { data, tab, empty };
  }
  return [status(known), phase(known)];
}

const LOOK_MILLISECONDS = 250;
/** @type {ReturnType<typeof setInterval> | undefined} */
let looking;
let told = "";

/** @param {string} part */
const element = (part) => /** @type {HTMLElement} */ (document.getElementById(`compare-numbers${part}`));

/** What the numbers need of the view; the pointer and the rows need not know of them. */
function tell() {
  const { a, b, methods } = state;
  const view = { pins: { A: a.pinned ? a.pixel : null, B: b.pixel }, methods };
  const text = JSON.stringify(view);
  if (text === told) return;
  told = text;
  window.dash_clientside.set_props("compare-numbers-view", { data: JSON.parse(text) });
}

/**
 * Whether the numbers are to be open now: as a link says, or as a click on one of their buttons does.
 * @param {{ numbers: boolean } | null} start
 * @param {boolean} open
 */
function wanted(start, open) {
  const { triggered_id: cause } = window.dash_clientside.callback_context;
  return cause === "compare-start" ? Boolean(start && start.numbers) : cause === "compare-numbers-button" && !open;
}

/**
 * Open or close the numbers: gives whether they are hidden, and whether they are open.
 * @param {number} _clicks
 * @param {number} _closes
 * @param {{ numbers: boolean } | null} start
 * @param {boolean} open
 */
export function toggle(_clicks, _closes, start, open) {
  const opened = wanted(start, open);
  state.numbers = opened;
  const button = element("-button");
  button.setAttribute("aria-expanded", String(opened));
  button.classList.toggle("active", opened);
  clearInterval(looking);
  if (opened) {
    announce();
    tell();
    looking = setInterval(tell, LOOK_MILLISECONDS);
  }
  return [!opened, opened];
}

addPanel("#compare-numbers:not([hidden])", () => {
  element("-close").click();
  element("-button").focus();
});

// The key that opens them closes them too, also where their keys are their own.
document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "n" || event.altKey || event.ctrlKey || event.metaKey) return;
  if (isForPage(event) || ownerOf(event)?.id === "compare-numbers") element("-button").click();
}, true);
