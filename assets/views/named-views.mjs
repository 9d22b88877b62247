/* Named views: the list, saving, changing, deleting, and studies as files; the elements are those of app/layout/views.py. */

import * as address from "../core/address.mjs";
import * as server from "../core/server.mjs";
import * as sidePanels from "../core/side-panels.mjs";
import { closest, element, save } from "../core/elements.mjs";
import { linkable } from "../regions/link.mjs";

/**
 * @typedef {object} View
 * @property {string} id
 * @property {string} name
 * @property {string} note
 * @property {string} page
 * @property {string} query
 * @property {string} saved - When, as `changed`.
 * @property {string} [saved_by] - Who, where the server knows its users, as `changed_by`.
 * @property {string} [changed]
 * @property {string} [changed_by]
 *
 * @typedef {View | { id: string, damaged: true }} Listed
 */

/** @type {View[]} */
let views = [];
/** @type {string[]} Ids of views whose files are damaged. */
let damaged = [];
/** @type {Set<string>} */
const ticked = new Set();

const panel = () => /** @type {HTMLElement} */ (document.getElementById("views-panel"));

/**
 * An element that the panel always has.
 * @param {string} selector
 */
function inside(selector) {
  return /** @type {HTMLElement} */ (panel().querySelector(selector));
}

/**
 * @param {string} text
 * @param {(() => void) | null} [undo] - Called by a button behind the text.
 */
function tell(text, undo) {
  const button = undo && element("button", { type: "button", className: "btn btn-link btn-sm views-undo", textContent: "Undo", onclick: undo });
  inside(".views-message").replaceChildren(text, ...(button ? [button] : []));
}

/**
 * @param {string} path
 * @param {RequestInit} [options]
 */
function answered(path, options) {
  return server.answered(`${panel().dataset.home}views${path}`, options);
}

/**
 * @param {string} path
 * @param {RequestInit} [options]
 */
async function ask(path, options) {
  return server.found(await answered(path, options));
}

/**
 * @param {string} method
 * @param {object} values
 */
function json(method, values) {
  return { method, body: JSON.stringify(values), headers: { "Content-Type": "application/json" } };
}

/**
 * Do something with the server, then show the list as it is now, with these words or with what went wrong.
 * @param {() => Promise<any>} doing
 * @param {string | ((found: any) => string)} [words]
 * @param {() => void} [undo] - Takes it back, if it could be done.
 */
async function act(doing, words, undo) {
  /** @type {string} */
  let told;
  let done = false;
  try {
    const found = await doing();
    told = typeof words === "function" ? words(found) : words || "";
    done = true;
  } catch (error) {
    told = /** @type {Error} */ (error).message;
  }
  // After an error too: what went wrong may be that somebody else was faster.
  try {
    ({ views, damaged = [] } = await ask(""));
  } catch (error) {
    told = /** @type {Error} */ (error).message;
  }
  tell(told, done ? undo : null);
  show();
}

/**
 * @param {string} moment
 * @param {string} [person]
 */
function when(moment, person) {
  return new Date(moment).toLocaleDateString() + (person ? ` by ${person}` : "");
}

/** @param {View} view */
function about({ page, query, saved, saved_by, changed, changed_by }) {
  const parts = new URLSearchParams(query);
  const methods = parts.get(page === "compare" ? "methods" : "method");
  const change = changed && `changed ${when(changed, changed_by)}`;
  return [page, parts.get("pair"), methods, when(saved, saved_by), change].filter(Boolean).join(" · ");
}

/**
 * @param {View} view
 * @param {"name" | "note"} key
 * @param {"input" | "textarea"} kind
 * @param {Record<string, unknown>} properties
 */
function field(view, key, kind, properties) {
  const made = element(kind, { ...properties, className: "region-name" });
  made.addEventListener("change", () => act(async () => {
    const wrote = made.value;
    // What was seen here: the server refuses to overwrite what somebody else has written meanwhile.
    const was = { [key]: made.closest("li")?.dataset[key] };
    try {
      return await ask(`/${view.id}`, json("PATCH", { [key]: wrote, was }));
    } catch (error) {
      throw new Error(`${/** @type {Error} */ (error).message} You wrote: “${wrote}”.`, { cause: error });
    }
  }, "Changed."));
  return made;
}

/**
 * The button that deletes a view when it is pressed twice.
 * @param {{ id: string }} view
 */
function remover({ id }) {
  const made = element("button", { type: "button", className: "region-remove", textContent: "×", title: "Delete this view" });
  made.addEventListener("click", () => {
    if (made.dataset.sure) {
      const name = made.closest("li")?.dataset.name;
      act(() => ask(`/${id}`, { method: "DELETE" }), `“${name}” was deleted.`,
        () => act(() => ask(`/${id}/restored`, { method: "POST" }), `“${name}” is back.`));
      return;
    }
    made.dataset.sure = "yes";
    made.textContent = "Delete?";
  });
  made.addEventListener("blur", () => {
    delete made.dataset.sure;
    made.textContent = "×";
  });
  return made;
}

/** @param {Listed} view */
function makeLine(view) {
  return "damaged" in view ? makeDamaged(view) : makeSound(view);
}

/** @param {{ id: string }} view */
function makeDamaged({ id }) {
  const told = element("span", {
    className: "view-about", textContent: `The file of the view ${id} is damaged: it cannot be opened. Import its study again, or delete it.`,
  });
  const gone = remover({ id });
  gone.setAttribute("aria-label", `Delete the damaged view ${id}`);
  const line = element("li", { className: "view view-damaged" }, element("div", { className: "view-line" }, told, gone));
  line.dataset.name = id;
  return line;
}

/** @param {View} view */
function makeSound(view) {
  const home = panel().dataset.home;
  const tick = element("input", { type: "checkbox", checked: ticked.has(view.id), title: "Part of the next export" });
  tick.addEventListener("change", () => (tick.checked ? ticked.add(view.id) : ticked.delete(view.id)));
  const open = element("a", {
    href: `${home || "./"}${view.page === "compare" ? "compare" : ""}${view.query}`, textContent: "Open",
    className: "btn btn-outline-primary btn-sm",
  });
  return element("li", { className: "view" },
    element("div", { className: "view-line" }, tick, field(view, "name", "input", { type: "text", maxLength: 80 }), open, remover(view)),
    thumbnail(view),
    element("div", { className: "view-about" }),
    field(view, "note", "textarea", { maxLength: 2000, placeholder: "Note" }));
}

/**
 * The small picture of a view, or what stands for it where the server can draw none.
 * @param {View} view
 */
function thumbnail(view) {
  const place = element("div", { className: "view-picture" });
  const picture = element("img", { loading: "lazy", width: 96, height: 96, src: `${panel().dataset.home}views/${view.id}/thumbnail.jpg` });
  picture.addEventListener("error", () => {
    place.replaceChildren(element("span", { className: "view-no-picture", textContent: "No picture" }));
  });
  place.append(picture);
  return place;
}

/**
 * @param {HTMLElement} line
 * @param {Listed} view
 */
function updateLine(line, view) {
  if ("damaged" in view) return;
  const { name, note } = view;
  const [tick, title, open, gone, text] = /** @type {any[]} */ ([...line.querySelectorAll("input, a, button, textarea")]);
  const labels = [[tick, `Export ${name}`], [title, `Name of ${name}`], [open, `Open ${name}`], [gone, `Delete ${name}`], [text, `Note of ${name}`]];
  labels.forEach(([one, label]) => one.setAttribute("aria-label", label));
  const picture = line.querySelector("img");
  if (picture) picture.alt = `Fused image of ${name}, with its pinned pixel and regions`;
  // Else somebody may be typing.
  if (line.dataset.name !== name) title.value = name;
  if (line.dataset.note !== note) text.value = note;
  text.rows = note ? 2 : 1;
  /** @type {Element} */ (line.querySelector(".view-about")).textContent = about(view);
  Object.assign(line.dataset, { name, note });
}

function show() {
  /** @type {Listed[]} */
  const listed = [...views, ...damaged.map((id) => ({ id, damaged: /** @type {true} */ (true) }))];
  sidePanels.fill(inside(".views-list"), listed, (one) => ("damaged" in one ? `damaged ${one.id}` : one.id), makeLine, updateLine);
  inside(".region-empty").hidden = listed.length > 0;
  /** @type {HTMLButtonElement} */ (document.getElementById("views-export")).disabled = !views.length;
  sidePanels.keepFocus("views-panel");
}

function saveView() {
  const [name, note] = ["views-name", "views-note"].map((id) => /** @type {HTMLInputElement} */ (document.getElementById(id)));
  act(async () => {
    const lacking = await linkable();
    if (lacking.length) throw new Error(`The server did not keep the region ${lacking.join(", ")}; the view was not saved. Try again.`);
    const query = new URL(address.link()).search;
    const values = { name: name.value, note: note.value, page: panel().dataset.page, query };
    const saved = await ask("", json("POST", values));
    ["views-name", "views-note"].forEach((id) => window.dash_clientside.set_props(id, { value: "" }));
    return saved;
  }, (saved) => `“${saved.name}” was saved.`);
}

function exported() {
  const ids = views.filter((view) => ticked.has(view.id)).map((view) => view.id);
  act(async () => {
    const answer = await answered("/study.json", json("POST", { ids }));
    // Only the study itself comes as a file; everything else says what is wrong.
    if (!answer.headers.has("Content-Disposition")) await server.found(answer);
    save(await answer.blob(), "fusevis-study.json");
  }, "The study was handed to the browser.");
}

/** @param {File} file */
async function taken(file) {
  const most = Number(panel().dataset.largestStudy);
  if (file.size > most) throw new Error(`A study may have up to ${most / 2 ** 20} MiB; this file has ${Math.ceil(file.size / 2 ** 20)}.`);
  return ask("/study", { method: "POST", body: file });
}

function imported() {
  const input = element("input", { type: "file", accept: "application/json,.json" });
  input.addEventListener("change", () => act(
    () => taken(/** @type {FileList} */ (input.files)[0]),
    ({ added, known }) => `${added} views were added${known ? `, ${known} were here already` : ""}.`));
  input.click();
}

/** @type {Record<string, () => void>} */
const ACTIONS = {
  "views-save": saveView, "views-export": exported, "views-import": imported,
};

document.addEventListener("click", (event) => {
  const button = closest(event, "button[id^=views-]");
  if (button && ACTIONS[button.id]) ACTIONS[button.id]();
});

sidePanels.add("views-panel", { opener: "views-open", closer: "views-close", opened: () => act(async () => null) });
