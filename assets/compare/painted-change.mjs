/* What every method makes of the change that somebody has painted, and what its derivative predicts: a list beside the table. */

import { state } from "./state.mjs";
import * as channel from "../core/channel.mjs";
import { element } from "../core/elements.mjs";
import * as sidePanels from "../core/side-panels.mjs";
import { showActions, showBrush } from "../change/controls.mjs";
import { draw, lay, scaleWords, summary } from "../change/response.mjs";
import * as painted from "../change/set.mjs";
import { withNames } from "../core/words.mjs";

/**
 * @import { Responses } from "../change/response.mjs"
 * @import { Scene } from "./state.mjs"
 *
 * @typedef {Partial<Responses> & { problem?: string }} Found
 */

const PANEL = "change-panel";
const KINDS = /** @type {const} */ (["truth", "linear", "path"]); // in the order in which they are asked for
/** @type {Map<string, Found>} */
let found = new Map(); // by scene, of this change
let code = "";
let running = false;
let opened = false; // whether a link's change has opened the panel

/** @returns {HTMLElement | null} */
function host() {
  return document.getElementById(PANEL);
}

/**
 * @param {Scene} scene
 * @param {typeof KINDS[number]} kind
 */
function addressOf(scene, kind) {
  const path = `${state.facts().home}change/${channel.placeOf(scene)}`;
  return kind === "truth" ? `${path}/true/${code}?box=0.0.${scene.height}.${scene.width}` : `${path}/${kind}/${code}`;
}

/** The first of what is not known yet: true changes of all methods before any prediction. */
function missing() {
  for (const kind of KINDS) {
    const scene = state.ready().find(({ key }) => !found.get(key)?.problem && !found.get(key)?.[kind]);
    if (scene) return { scene, kind };
  }
  return null;
}

/** Fetch all that is missing while the panel is open, one after the other. */
export async function wantAll() {
  if (!opened && painted.all().length && host() && state.common()) {
    opened = true;
    // The link may have opened another one.
    if (!sidePanels.isAnyOpen()) sidePanels.toggle(PANEL, true);
  }
  show();
  if (running || !code || host()?.hidden !== false) return;
  running = true;
  for (let next = missing(); next && code && !host()?.hidden; next = missing()) await fetchOne(next.scene, next.kind);
  running = false;
}

/**
 * @param {Scene} scene
 * @param {typeof KINDS[number]} kind
 */
async function fetchOne(scene, kind) {
  const asked = found;
  const entry = asked.get(scene.key) || {};
  asked.set(scene.key, entry);
  try {
    const { buffer } = await channel.fetchBinary(addressOf(scene, kind));
    const image = new Float32Array(scene.height * scene.width);
    lay(image, scene.width, channel.decodePart(buffer));
    entry[kind] = image;
  } catch (error) {
    const { message, retry } = /** @type {Error & { retry?: number | null }} */ (error);
    if (retry) await new Promise((resolve) => setTimeout(resolve, retry));
    else entry.problem = message;
  }
  if (asked === found) show();
}

/** Make the line of a method. */
function makeLine() {
  const titles = (host()?.querySelector(".region-list")?.getAttribute("data-titles") || "").split(" | ");
  const pictures = ["truth", "linear", "missed"].map((name, index) => {
    const canvas = element("canvas", {});
    Object.assign(canvas.dataset, { response: name, known: "false" });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", titles[index]);
    return element("figure", { className: `change-picture change-${name}` }, element("figcaption", { textContent: titles[index] }), canvas);
  });
  return element("li", { className: "change-method" }, element("strong", {}),
    element("div", { className: "change-pictures" }, ...pictures), element("p", { className: "change-reading" }));
}

/** @type {WeakMap<HTMLElement, string>} */
const drawn = new WeakMap(); // what a line shows, by a name

/**
 * @param {HTMLElement} line
 * @param {Scene} scene
 */
function updateLine(line, scene) {
  const { truth, linear, path, problem } = found.get(scene.key) || {};
  const name = `${scene.key}/${code}/${[truth, linear, path].map(Boolean)}/${problem}`;
  if (drawn.get(line) === name) return;
  drawn.set(line, name);
  line.dataset.method = scene.method_id;
  const [title, words] = /** @type {HTMLElement[]} */ ([...line.querySelectorAll("strong, p")]);
  title.textContent = scene.method_title;
  words.textContent = problem || "Computing …";
  if (!truth) return;
  const end = draw((one) => line.querySelector(`canvas[data-response=${one}]`), { truth, linear }, scene);
  words.textContent = problem || `${scaleWords(end)} ${summary({ truth, linear, path })}`;
}

/** Call the inputs by their names. */
function showInputs() {
  const menu = /** @type {HTMLSelectElement | null} */ (document.getElementById("brush-input"));
  const names = state.common()?.modalities;
  if (menu && names) [...menu.options].forEach((option) => (option.textContent = withNames(option.dataset.words || "", names)));
}

/** Show what is known. */
function show() {
  const panel = host();
  const list = /** @type {HTMLElement | null | undefined} */ (panel?.querySelector(".region-list"));
  if (!panel || !list || panel.hidden) return;
  const any = painted.all().length > 0;
  sidePanels.fill(list, any ? state.ready() : [], ({ key }) => key, makeLine, updateLine);
  /** @type {HTMLElement} */ (panel.querySelector(".region-empty")).hidden = any;
  showActions();
  sidePanels.keepFocus(PANEL);
}

sidePanels.add(PANEL, {
  opener: "change-open", closer: "change-close",
  opened() {
    opened = true;
    showBrush();
    showInputs();
    wantAll();
  },
});

painted.listen(() => {
  code = painted.code();
  found = new Map();
  wantAll();
});
