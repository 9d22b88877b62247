/* Regions of interest of the pair that is shown: named sets of pixels, one of them active. Both pages have them. */

import { decode, encode } from "./code.mjs";
import { FIRST_LOOK, SCATTERED, alike, changed as lookWith } from "./look.mjs";
import * as regionServer from "./server.mjs";

/**
 * @import { Look } from "./look.mjs"
 *
 * @typedef {object} Region - Never changed, only replaced, so that the history can keep it.
 * @property {string} name
 * @property {string} colour
 * @property {Uint8Array} mask - 1 inside, in reading order.
 * @property {number} count - Of pixels inside.
 * @property {string} code
 * @property {boolean} loaded - From a file, a link or the pair, so that it cannot be drawn again.
 * @property {Look} look
 *
 * @typedef {{ pair: string, address: string, height: number, width: number }} ImageShape
 * @typedef {{ name: string, code: string }} NamedCode
 * @typedef {{ pair_address: string, regions: (NamedCode & { colour: string | null, look?: Look })[] }} Linked - Regions of a link.
 * @typedef {{ list: Region[], active: number }} Step
 * @typedef {ReturnType<typeof startHistory>} History
 * @typedef {"added" | "here" | "full" | "other"} Outcome
 */

// Told apart from the bright green of the zoom's neighbourhood, from each other, and by most who see colours otherwise.
const COLOURS = ["#9bc400", "#e69f00", "#7b4fd6", "#ff8ad8", "#0c8599", "#8a5a2b"];
export const MOST = 12;
const LONGEST_NAME = 40;
/** @type {Map<string, Step & { history: History }>} */
const kept = new Map(); // by pair: what other pairs' regions were
/** @type {(() => void)[]} */
const listeners = [];
/** @type {ImageShape | null} */
let shape = null; // { pair, address, height, width } of what is shown
// Neither the list nor a region in it is ever changed, only replaced, so that the history can keep them.
/** @type {Region[]} */
let list = [];
let active = -1;
/** @type {History | null} */
let history = null;
/** @type {Linked | null} */
let asked = null; // from the server, until the pair is known that it belongs to
let operation = "replace";
let revision = 0;
/** @type {Step | null} */
let passing = null; // what was before a change that goes on, as while a slider is held

/** @param {() => void} listener */
export function listen(listener) {
  listeners.push(listener);
}

function changed() {
  revision += 1;
  write();
  listeners.forEach((listener) => listener());
}

/** Tell the server's callbacks. */
function write() {
  const data = list.map(({ name, colour, code }) => ({ name, colour, code }));
  if (window.dash_clientside && window.dash_clientside.set_props) window.dash_clientside.set_props("regions", { data });
}

/** @param {Step} state */
function show(state) {
  ({ list, active } = state);
  changed();
}

/**
 * Show other regions, as a step that can be undone.
 * @param {Region[]} regions
 * @param {number} [chosen]
 */
function step(regions, chosen = active) {
  history?.add(passing || { list, active });
  passing = null;
  show({ list: regions, active: chosen });
}

export function undo() {
  passing = null;
  const before = history && history.undo({ list, active });
  if (before) show(before);
}

export function redo() {
  const after = history && history.redo({ list, active });
  if (after) show(after);
}

/**
 * @param {string} name
 * @param {string} colour
 * @param {Uint8Array} mask
 * @param {boolean} [loaded]
 * @param {Look} [look]
 * @returns {Region}
 */
function made(name, colour, mask, loaded = false, look = FIRST_LOOK) {
  const { height, width } = /** @type {ImageShape} */ (shape);
  const code = encode(mask, height, width);
  return { name, colour, mask, count: mask.reduce((sum, one) => sum + one, 0), code, loaded, look };
}

/**
 * Show the regions of this pair: those it had before, or those that the link has named.
 * @param {{ pair: string, pair_address: string, height: number, width: number }} scene
 */
export function enter(scene) {
  if (shape && shape.pair === scene.pair) return;
  if (shape && history) kept.set(shape.pair, { list, active, history });
  shape = { pair: scene.pair, address: scene.pair_address, height: scene.height, width: scene.width };
  const fresh = { list: [], active: -1, history: startHistory(scene.height * scene.width) };
  ({ list, active, history } = kept.get(scene.pair) || fresh);
  if (asked && asked.pair_address === shape.address) take(asked);
  else changed();
}

/**
 * Take over what the server read from a link, { pair_address, regions }.
 * @param {Linked | null} found
 */
export function take(found) {
  if (!found) return;
  if (!shape || shape.address !== found.pair_address) {
    asked = found;
    return;
  }
  asked = null;
  /** @type {Region[]} */
  const taken = [];
  for (const { name, colour, code, look } of found.regions) {
    const mask = decode(code, shape.height, shape.width);
    if (mask && taken.length < MOST) taken.push(made(free(name, taken), colour || nextColour(taken), mask, true, look));
  }
  // What a link says is what the page begins with, and no step.
  if (!list.length && !canUndo()) show({ list: taken, active: taken.length - 1 });
  else step(taken, taken.length - 1);
}

/**
 * Whether a mask is here already, under its name or under one that was made from it.
 * @param {Region} region
 * @param {string} name
 * @param {Region[]} regions
 */
function isHere({ code }, name, regions) {
  const wanted = trimmed(name);
  return regions.some((region) => region.code === code && [region.name, region.name.replace(/ \d+$/, "")].includes(wanted));
}

/**
 * Add masks, { name, code }, from files or from the pair at this address, as one step. Gives what became of each: "added",
 * "here" where the same is there already, "full" where no room is left, "other" where another pair is shown by now.
 * @param {string} address
 * @param {NamedCode[]} masks
 * @returns {Outcome[]}
 */
export function load(address, masks) {
  if (!shape || shape.address !== address) return masks.map(() => "other");
  const regions = [...list];
  const { height, width } = shape;
  const outcomes = masks.map(({ name, code }) => {
    const mask = decode(code, height, width) || new Uint8Array(height * width);
    const region = made(free(name, regions), nextColour(regions), mask, true);
    if (isHere(region, name, regions)) return "here";
    if (regions.length >= MOST) return "full";
    regions.push(region);
    return "added";
  });
  if (regions.length > list.length) step(regions, regions.length - 1);
  return outcomes;
}

/** @param {Region[]} regions */
function nextColour(regions) {
  return COLOURS.find((colour) => !regions.some((region) => region.colour === colour)) || COLOURS[regions.length % COLOURS.length];
}

/** @param {string} name */
const trimmed = (name) => name.trim().slice(0, LONGEST_NAME) || "region";

/**
 * The name, or one like it that none of the regions has.
 * @param {string} name
 * @param {Region[]} regions
 */
function free(name, regions) {
  const wanted = trimmed(name);
  /** @param {string} text */
  const taken = (text) => regions.some((region) => region.name === text);
  let text = wanted;
  for (let number = 2; taken(text); number += 1) text = `${wanted} ${number}`;
  return text;
}

/**
 * @param {string} [name]
 * @param {Uint8Array} [mask]
 * @param {Look} [look]
 */
export function add(name, mask, look) {
  if (!shape || list.length >= MOST) return;
  const pixels = mask || new Uint8Array(shape.height * shape.width);
  step([...list, made(free(name || "region", list), nextColour(list), pixels, false, look)], list.length);
}

/**
 * @param {number} index
 * @param {Partial<Region>} changes
 */
function replace(index, changes) {
  step(list.map((region, at) => (at === index ? { ...region, ...changes } : region)));
}

/**
 * @param {Uint8Array} mask
 * @param {boolean} [loaded]
 * @param {Look} [look]
 */
function replaceActive(mask, loaded = list[active].loaded, look = list[active].look) {
  replace(active, made(list[active].name, list[active].colour, mask, loaded, look));
}

/**
 * Begin a region with a selection, where there is room and something selected.
 * @param {Uint8Array} selected
 * @param {Look} [look]
 */
function begin(selected, look) {
  if (list.length >= MOST) {
    regionServer.told(`There is no room for another region: ${MOST} are the most. Delete one, or hold Shift to add to the chosen one.`);
  } else if (!selected.includes(1)) {
    regionServer.told("No pixel is inside of the selection.");
  } else {
    add("region", selected, look);
  }
}

/**
 * Let a selection replace the active region, join it, or be taken from it. What was loaded cannot be drawn again, so that
 * a selection does not replace it but begins a region of its own. What is selected by its values in a scatterplot
 * (`scattered`) has no outline at first, where nobody has chosen a look for the region that it replaces.
 * @param {Uint8Array} selected
 * @param {string} how
 * @param {boolean} [scattered]
 */
export function combine(selected, how, scattered = false) {
  const region = list[active];
  if (!shape || (!region && how === "subtract")) return;
  const look = scattered ? SCATTERED : FIRST_LOOK;
  if (!region || (how === "replace" && isProtected(region))) begin(selected, look);
  else if (how === "replace") replaceActive(selected, region.loaded, isPlain(region) ? look : region.look);
  else if (how === "add") replaceActive(region.mask.map((one, at) => one | selected[at]));
  else replaceActive(region.mask.map((one, at) => one & (1 - selected[at])));
}

/**
 * Whether nobody has chosen how a region is drawn; what was changed and is as before was chosen.
 * @param {Region} region
 */
function isPlain({ look }) {
  return look === FIRST_LOOK || look === SCATTERED;
}

/** @param {Region | undefined} region */
export function isProtected(region) {
  return region !== undefined && region.loaded && region.count > 0;
}

export function invert() {
  if (active >= 0) replaceActive(list[active].mask.map((one) => 1 - one));
}

/** Empty the active region, so that it can be drawn anew. */
export function clear() {
  if (active >= 0) replaceActive(list[active].mask.map(() => 0), false);
}

/** @param {number} index */
export function remove(index) {
  const rest = list.filter((_, at) => at !== index);
  step(rest, active >= index ? Math.max(active - 1, rest.length ? 0 : -1) : active);
}

/**
 * @param {number} index
 * @param {string} name
 */
export function rename(index, name) {
  const others = list.filter((_, at) => at !== index);
  if (name.trim() && name.trim() !== list[index].name) replace(index, { name: free(name, others) });
}

/**
 * @param {number} index
 * @param {string} colour
 */
export function recolour(index, colour) {
  if (colour !== list[index].colour) replace(index, { colour });
}

/**
 * Change a region's look. While somebody still changes it, as with a slider that is held, it is no step yet.
 * @param {number} index
 * @param {Partial<Look>} changes
 * @param {boolean} [goesOn]
 */
export function restyle(index, changes, goesOn = false) {
  const look = lookWith(list[index].look, changes);
  if (!goesOn) {
    if (passing || !alike(look, list[index].look)) replace(index, { look });
    return;
  }
  passing ??= { list, active };
  show({ list: list.map((region, at) => (at === index ? { ...region, look } : region)), active });
}

/** @param {number} index */
export function choose(index) {
  active = index;
  changed();
}

/** Which region is chosen: its place in the list, −1 where none is. */
export function activeIndex() {
  return active;
}

/** All regions, in their order; neither the list nor a region may be changed. */
export function all() {
  return list;
}

/** Size, pair and address of the images that are shown; null before. */
export function imageShape() {
  return shape;
}

/** A number that is another one after each change. */
export function currentRevision() {
  return revision;
}

export function canUndo() {
  return Boolean(history && history.canUndo());
}

export function canRedo() {
  return Boolean(history && history.canRedo());
}

/**
 * What a selection does to the chosen region; the keys held at an event come first.
 * @param {{ shiftKey?: boolean, altKey?: boolean }} [event]
 */
export function operationAt(event) {
  if (event && event.shiftKey) return "add";
  return event && event.altKey ? "subtract" : operation;
}

/** @param {string} how */
export function setOperation(how) {
  operation = how;
}

const MOST_STEPS = 50;
const LEAST_STEPS = 5;
const MOST_PIXELS = 200_000_000; // of a mask for each step: large images have fewer steps

/**
 * The history of a pair whose images have so many pixels. States are kept as they are, so nobody may change them.
 * @param {number} pixels
 */
function startHistory(pixels) {
  const most = Math.min(MOST_STEPS, Math.max(LEAST_STEPS, Math.floor(MOST_PIXELS / pixels)));
  /** @type {Step[]} */
  const past = [];
  /** @type {Step[]} */
  const future = [];
  /** @type {(from: Step[], to: Step[], now: Step) => Step | null} */
  const moved = (from, to, now) => {
    const found = from.pop();
    if (found) to.push(now);
    return found || null;
  };
  return {
    /**
     * Note what was before a change.
     * @param {Step} before
     */
    add(before) {
      past.push(before);
      if (past.length > most) past.shift();
      future.length = 0;
    },
    /** The state before the last change, null where there is none; `now` is the one to come back to. */
    undo: (/** @type {Step} */ now) => moved(past, future, now),
    /** The state before the last undo, null where there is none. */
    redo: (/** @type {Step} */ now) => moved(future, past, now),
    canUndo: () => past.length > 0,
    canRedo: () => future.length > 0,
  };
}
