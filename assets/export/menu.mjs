/* The menu "Export" of both pages: files of the view as it is now, made by the server from the link alone. */

import { addMenu } from "../core/dialogs.mjs";
import { closest, save } from "../core/elements.mjs";
import { patiently } from "../core/patience.mjs";
import { linkable } from "../regions/link.mjs";

/**
 * @typedef {object} Page - What a page's view is, for exporting it.
 * @property {string} page - Its name in the routes.
 * @property {() => string} obstacle - Why nothing can be exported now, or "".
 * @property {() => URLSearchParams} query - Of a link to the view.
 * @property {(form: string) => boolean} forms - Whether there is such a file.
 * @property {() => string[][]} rows - Values and names of the rows of pictures.
 * @property {(row: string) => string[]} columns - Of a row.
 * @property {() => (string | undefined)[] | null} current - Row and column that the pointer was on last.
 */

export const INPUTS = ["input_mri", "input_pet", "input_mri_zoom", "input_pet_zoom"]; // the columns of the inputs' row
const CHECK_MILLISECONDS = 500;
const AGAIN_MILLISECONDS = 2000;
let page = /** @type {Page} */ (/** @type {unknown} */ (null)); // what this page's view is, see `provide`
let busy = false;
/** @type {(() => void) | null} */
let waiting = null; // ends the present pause at once, where a file is waited for
let message = "";
/** @type {ReturnType<typeof setInterval> | undefined} */
let timer;

/**
 * Let a page say what its view is: `page` its name in the routes; `obstacle()` why nothing can be exported now, or "";
 * `query()` the query of a link to it; `forms(form)` whether there is such a file; `rows()` and `columns(row)` the values and
 * names of the pictures; `current()` the row and column that the pointer was on last, or null.
 * @param {Page} provider
 */
export function provide(provider) {
  page = provider;
}

/** What is told in its own words; the browser's words for a server that is gone are not for visitors. */
class Told extends Error {}

function menu() {
  return /** @type {HTMLDetailsElement} */ (document.getElementById("export-menu"));
}

/** @param {string} name */
function choice(name) {
  return /** @type {HTMLSelectElement} */ (document.getElementById(`export-${name}`));
}

/** @param {string} selector */
function buttons(selector) {
  return /** @type {NodeListOf<HTMLButtonElement>} */ (menu().querySelectorAll(selector));
}

function show() {
  const why = page.obstacle();
  for (const button of buttons("[data-export]")) {
    button.disabled = busy || Boolean(why) || !page.forms(button.dataset.export || "");
  }
  for (const button of buttons("[data-export-panel]")) button.disabled = busy || Boolean(why);
  menu().setAttribute("aria-busy", String(busy));
  const text = busy ? message || "The file is being made …" : why || message;
  const status = /** @type {HTMLElement} */ (menu().querySelector("[role=status]"));
  if (status.textContent !== text) status.textContent = text;
  buttons(".export-stop").forEach((stop) => (stop.hidden = !waiting));
}

/**
 * @param {HTMLSelectElement} select
 * @param {string[][]} choices
 * @param {string} [wanted]
 */
function fill(select, choices, wanted) {
  select.replaceChildren(...choices.map(([value, text]) => new Option(text, value)));
  if (wanted !== undefined && choices.some(([value]) => value === wanted)) select.value = wanted;
}

/** Offer the pictures that there are now, at first the one that the pointer was on. */
function fillChoices() {
  const [row = "", column] = page.current() || [choice("row").value, choice("column").value];
  fill(choice("row"), page.rows(), row);
  fillColumns(column);
}

/** @param {string} [wanted] */
function fillColumns(wanted = choice("column").value) {
  const labels = JSON.parse(menu().dataset.labels || "{}");
  fill(choice("column"), page.columns(choice("row").value).map((name) => [name, labels[name]]), wanted);
}

/** @param {Response} answer */
async function whyNot(answer) {
  return ((await answer.json().catch(() => null)) || {}).error || "The server could not make the file; its log says why.";
}

/**
 * Ask until the server has computed what the file needs; null where the visitor does not want to wait any more.
 * @param {string} address
 */
async function answered(address) {
  for (;;) {
    const answer = await patiently(() => fetch(address, { headers: { Prefer: "respond-async" } }), (words) => {
      message = `${words} …`;
      show();
    });
    if (answer.status !== 202) return answer;
    message = (await answer.json()).waiting.replace(/ Ask again.*/, "");
    const goesOn = await new Promise((resolve) => {
      waiting = () => resolve(false);
      show();
      setTimeout(() => resolve(true), AGAIN_MILLISECONDS);
    });
    if (!goesOn) return null;
  }
}

/** @param {string} path */
async function take(path) {
  busy = true;
  message = "";
  show();
  try {
    const lacking = await linkable();
    if (lacking.length) throw new Told(`No file was made. The server did not keep these regions: “${lacking.join("”, “")}”. The list of regions says why.`);
    const answer = await answered(`${menu().dataset.home}export/${page.page}${path}?${page.query()}`);
    if (answer === null) {
      message = "Stopped. What is computed already is kept.";
    } else if (answer.ok) {
      const named = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") || "");
      save(await answer.blob(), named ? named[1] : "fusevis");
      message = "The file was handed to the browser.";
      if (answer.headers.get("Fusevis-Missing")) message += " The influence on some regions is not known yet; tick the box above for all of it.";
      if (answer.headers.get("Fusevis-Left-Out")) message += " The difference is not in it: one of its methods has no row.";
    } else {
      message = await whyNot(answer);
    }
  } catch (error) {
    message = error instanceof Told ? error.message : "The server cannot be reached.";
  }
  busy = false;
  waiting = null;
  show();
}

/** @param {HTMLElement} button */
function act({ dataset }) {
  if (dataset.exportPanel) {
    take(`/${encodeURIComponent(choice("row").value)}/${choice("column").value}.${dataset.exportPanel}`);
    return;
  }
  const complete = ["html", "csv"].includes(dataset.export || "") && /** @type {HTMLInputElement} */ (document.getElementById("export-complete")).checked;
  take(`${complete ? "-complete" : ""}.${dataset.export}`);
}

document.addEventListener("click", (event) => {
  const own = menu();
  if (!own) return;
  const button = closest(event, "[data-export], [data-export-panel]");
  if (button && own.contains(button)) act(button);
  else if (closest(event, ".export-stop") && waiting) waiting();
});

document.addEventListener("change", (event) => {
  if (closest(event, "#export-row")) fillColumns();
});

addMenu("#export-menu");

document.addEventListener("toggle", (event) => {
  const own = menu();
  if (!own || event.target !== own) return;
  clearInterval(timer);
  if (!own.open) return;
  if (!busy) message = "";
  fillChoices();
  show();
  timer = setInterval(show, CHECK_MILLISECONDS);
}, true);
