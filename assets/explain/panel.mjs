/*
 * The panel that explains a region (app/layout/explain.py), on both pages: the number and its regions, and of every method that the
 * page shows the two Jacobian images. While it is open it is part of the link, and follows the regions.
 */

import { say } from "../core/announce.mjs";
import * as channel from "../core/channel.mjs";
import { element } from "../core/elements.mjs";
import * as sidePanels from "../core/side-panels.mjs";
import * as regionLink from "../regions/link.mjs";
import { keep } from "../regions/server.mjs";
import * as regions from "../regions/set.mjs";
import { drawAll, sums } from "./pictures.mjs";
import { sentence, settled, written } from "./question.mjs";

/**
 * @import { Images } from "../core/channel.mjs"
 * @import { Tracked } from "../core/tracked.mjs"
 * @import { Region } from "../regions/set.mjs"
 * @import { Question } from "./question.mjs"
 *
 * @typedef {{ key: string, pair_id: string, method_id: string, method_title: string, weights_id: string, modalities: string[], aspect: number }} Scene
 * @typedef {object} Page - What the panel needs of a page.
 * @property {() => Scene[]} scenes - Of the methods that it shows, in their order.
 * @property {() => string} home - Where the server's routes are.
 * @property {() => number} gamma - Of Jacobian images.
 *
 * @typedef {{ images?: Images, problem?: string }} Found
 * @typedef {{ pair_address: string, explain?: Question }} Linked
 */

const PANEL = "explain-panel";
const LONGEST = 1500; // letters of a region's code in an address; longer ones are kept on the server
const RESTS_MILLISECONDS = 150;
/** @type {Question} */
let question = { of: "mean", region: "", against: "" };
/** @type {Region[]} */
let known = []; // the regions that the question's names are of
/** @type {Map<string, Found>} */
let found = new Map(); // by scene, of what is asked now
let asked = ""; // a name of what that is
let running = false;
/** @type {Page | null} */
let page = null;
/** @type {Tracked<string | null> | null} */
let said = null; // the part of the page's link
/** @type {Linked | null} */
let linked = null; // from the server, until its regions are shown
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** @type {WeakMap<Uint8Array, string>} */
const shortCodes = new WeakMap();

/** @returns {HTMLElement | null} */
function host() {
  return document.getElementById(PANEL);
}

function isOpen() {
  return host()?.hidden === false;
}

/** @param {string} id */
function field(id) {
  return /** @type {HTMLSelectElement} */ (document.getElementById(id));
}

/** The regions that can be explained. */
function usable() {
  return regions.all().filter(({ count }) => count > 0);
}

/** What is asked, of the regions that there are; null where they are too few. */
function current() {
  return settled(question, known, usable());
}

/**
 * Let the panel work on a page, and a part of the page's link say what is explained.
 * @param {Page} where
 * @param {Tracked<string | null>} part
 */
export function begin(where, part) {
  [page, said] = [where, part];
  part.derive(() => {
    const now = isOpen() ? current() : null;
    return now && written(now, regionLink.names());
  });
}

/**
 * Take over what the server read from a link.
 * @param {Linked | null} given
 */
export function take(given) {
  if (given?.explain) linked = given;
  refresh();
}

/** Show what the link explains once its regions are here. */
function takeLinked() {
  const asks = linked?.explain;
  if (!asks || !host() || regions.imageShape()?.address !== linked?.pair_address) return;
  if (!usable().some(({ name }) => name === asks.region)) return;
  linked = null;
  [question, known] = [{ ...asks }, usable()];
  const focused = document.activeElement;
  sidePanels.toggle(PANEL, true);
  // Keys go on to be the page's.
  if (focused instanceof HTMLElement && focused !== document.body) focused.focus({ preventScroll: true });
  else host()?.blur();
}

/** Follow the page: its scenes, its regions, its gamma. */
export function refresh() {
  takeLinked();
  if (!page || !isOpen()) return;
  const now = current();
  if (now) question = now;
  known = usable();
  said?.tell();
  const name = now ? JSON.stringify([now, known.map((region) => [region.name, region.code])]) : "";
  if (name !== asked) [asked, found] = [name, new Map()];
  showQuestion(Boolean(now));
  show();
  clearTimeout(timer);
  if (now) timer = setTimeout(wantAll, RESTS_MILLISECONDS);
}

/**
 * Give a menu these choices, unless it has them.
 * @param {HTMLSelectElement} menu
 * @param {string[]} names
 * @param {string} chosen
 */
function offer(menu, names, chosen) {
  if ([...menu.options].map(({ value }) => value).join("\n") !== names.join("\n")) {
    menu.replaceChildren(...names.map((name) => element("option", { value: name, textContent: name })));
  }
  menu.value = chosen;
  menu.disabled = !names.length;
}

/** @param {boolean} possible */
function showQuestion(possible) {
  const names = known.map(({ name }) => name);
  const { of, region, against } = question;
  const numbers = field("explain-number");
  numbers.value = of === "ssim" ? against : of;
  const modalities = page?.scenes()[0]?.modalities || ["x1", "x2"];
  [...numbers.options].slice(2).forEach((option, index) => (option.textContent = `Local SSIM with ${modalities[index]}`));
  offer(field("explain-region"), names, region);
  offer(field("explain-against"), names.filter((name) => name !== region), against);
  /** @type {HTMLElement} */ (field("explain-against").parentElement).hidden = of !== "contrast";
  const panel = /** @type {HTMLElement} */ (host());
  /** @type {HTMLElement} */ (panel.querySelector(".region-empty")).hidden = possible;
}

/**
 * The code of a region as an address can have it.
 * @param {string} name
 */
async function codeOf(name) {
  const region = known.find((one) => one.name === name);
  if (!region) return name; // x1 or x2
  if (region.code.length <= LONGEST) return region.code;
  const short = shortCodes.get(region.mask) || `s${(await keep(region.code)).id}`;
  shortCodes.set(region.mask, short);
  return short;
}

/** The first method that nothing is known of. */
function missing() {
  return page?.scenes().find(({ key }) => !found.get(key));
}

/** Fetch all that is missing while the panel is open, one after the other. */
async function wantAll() {
  if (running) return;
  running = true;
  for (let next = missing(); next && asked && isOpen(); next = missing()) await fetchOne(next);
  running = false;
}

/** @param {Scene} scene */
async function fetchOne(scene) {
  const [mine, { of, region, against }] = [found, question];
  /** @type {Found} */
  const entry = {};
  try {
    const [code, other] = [await codeOf(region), against && (await codeOf(against))];
    const address = `${page?.home()}explain/${channel.placeOf(scene)}/${of}/${code}${other && `?against=${other}`}`;
    entry.images = channel.decodeImages((await channel.fetchBinary(address)).buffer);
  } catch (error) {
    const { message, retry } = /** @type {Error & { retry?: number | null }} */ (error);
    if (retry) await new Promise((resolve) => setTimeout(resolve, retry));
    else entry.problem = message;
  }
  if (mine !== found) return;
  if (entry.images || entry.problem) found.set(scene.key, entry);
  show();
  if (!missing()) tellEnd();
}

/** Say to who hears the page that all is there. */
function tellEnd() {
  const scenes = page?.scenes() || [];
  const failed = scenes.find(({ key }) => found.get(key)?.problem);
  if (scenes[0]) say(failed ? found.get(failed.key)?.problem || "" : `${sentence(question, scenes[0].modalities)} is explained.`);
}

/** Make the line of a method. */
function makeLine() {
  const pictures = [0, 1].map(() => {
    const canvas = element("canvas", {});
    canvas.setAttribute("role", "img");
    canvas.dataset.known = "false";
    return element("figure", { className: "change-picture" }, element("figcaption", {}), canvas, element("p", { className: "explain-sums" }));
  });
  return element("li", { className: "change-method" }, element("strong", {}),
    element("div", { className: "change-pictures explain-pictures" }, ...pictures), element("p", { className: "explain-reading" }));
}

/** @type {WeakMap<HTMLElement, string>} */
const drawn = new WeakMap(); // what a line shows, by a name

/**
 * @param {HTMLElement} line
 * @param {Scene} scene
 */
function updateLine(line, scene) {
  const { images, problem } = found.get(scene.key) || {};
  const gamma = page?.gamma() || 1;
  const name = [scene.key, asked, regions.currentRevision(), gamma, Boolean(images), problem].join();
  if (drawn.get(line) === name) return;
  drawn.set(line, name);
  line.dataset.method = scene.method_id;
  line.dataset.state = problem ? "failed" : images ? "known" : "waiting";
  const reading = /** @type {HTMLElement} */ (line.querySelector(".explain-reading"));
  /** @type {HTMLElement} */ (line.querySelector("strong")).textContent = scene.method_title;
  reading.textContent = problem || "Computing …";
  const figures = [...line.querySelectorAll("figure")];
  const canvases = figures.map((figure) => /** @type {HTMLCanvasElement} */ (figure.querySelector("canvas")));
  canvases.forEach((canvas, index) => {
    canvas.dataset.known = String(Boolean(images));
    if (!images) canvas.setAttribute("aria-label", `${scene.modalities[index]}, ${scene.method_title}: ${reading.textContent}`);
  });
  figures.forEach((figure, index) => (/** @type {HTMLElement} */ (figure.firstChild).textContent = scene.modalities[index]));
  if (!images) return;
  const { end, part } = drawAll(canvases, images, gamma, scene.aspect);
  sums(images).forEach((text, index) => {
    /** @type {HTMLElement} */ (figures[index].lastChild).textContent = text;
    canvases[index].setAttribute("aria-label",
      `${sentence(question, scene.modalities)}, derivative with respect to ${scene.modalities[index]}, ${scene.method_title}: ${text}`);
  });
  const [bottom, right] = [part.row + part.height - 1, part.col + part.width - 1];
  reading.textContent = `Colours from −${end.toPrecision(3)} (blue) to ${end.toPrecision(3)} (red). Rows ${part.row} to ${bottom}, columns ${part.col} to ${right}.`;
}

/** Show what is known. */
function show() {
  const list = /** @type {HTMLElement | null | undefined} */ (host()?.querySelector(".region-list"));
  if (!list || !isOpen()) return;
  sidePanels.fill(list, asked ? page?.scenes() || [] : [], ({ key }) => key, makeLine, updateLine);
}

sidePanels.add(PANEL, {
  opener: "explain-open", closer: "explain-close",
  opened() {
    const active = regions.all()[regions.activeIndex()];
    if (!known.length && active?.count) question.region = active.name;
    refresh();
  },
});

document.addEventListener("panel-closed", ({ target }) => {
  if (target instanceof HTMLElement && target.id === PANEL) said?.tell();
});

document.addEventListener("change", ({ target }) => {
  if (!(target instanceof HTMLSelectElement) || !["explain-number", "explain-region", "explain-against"].includes(target.id)) return;
  const number = field("explain-number").value;
  const region = field("explain-region").value;
  const against = field("explain-against").value;
  if (number === "mean") question = { of: "mean", region, against: "" };
  else if (number === "contrast") question = { of: "contrast", region, against: against === region ? "" : against };
  else question = { of: "ssim", region, against: number };
  refresh();
});

regions.listen(refresh);
