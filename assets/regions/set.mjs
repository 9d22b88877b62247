/* Regions of interest of the pair that is shown: named sets of pixels, one of them active. Both pages have them. */

import * as address from "../core/address.mjs";
import { decode, encode } from "./code.mjs";
import * as regionServer from "./server.mjs";

// Told apart from the bright green of the zoom's neighbourhood, from each other, and by most who see colours otherwise.
const COLOURS = ["#9bc400", "#e69f00", "#7b4fd6", "#ff8ad8", "#0c8599", "#8a5a2b"];
export const MOST = 12;
const LONGEST_NAME = 40;
const kept = new Map(); // by pair: what other pairs' regions were
const listeners = [];
let shape = null; // { pair, address, height, width } of what is shown
// { name, colour, mask, count, code, loaded }: neither the list nor a region in it is ever changed, only replaced, so that
// the history can keep them.
let list = [];
let active = -1;
let history = null;
let asked = null; // from the server, until the pair is known that it belongs to
let operation = "replace";
let revision = 0;

export function listen(listener) {
  listeners.push(listener);
}

function changed() {
  revision += 1;
  write();
  listeners.forEach((listener) => listener());
  address.later();
}

/** Tell the server's callbacks, in the form of docs/page.md. */
function write() {
  const data = list.map(({ name, colour, code }) => ({ name, colour, code }));
  if (window.dash_clientside && window.dash_clientside.set_props) window.dash_clientside.set_props("regions", { data });
}

function show(state) {
  ({ list, active } = state);
  changed();
}

/** Show other regions, as a step that can be undone. */
function step(regions, chosen = active) {
  history.add({ list, active });
  show({ list: regions, active: chosen });
}

export function undo() {
  const before = history && history.undo({ list, active });
  if (before) show(before);
}

export function redo() {
  const after = history && history.redo({ list, active });
  if (after) show(after);
}

function made(name, colour, mask, loaded = false) {
  const code = encode(mask, shape.height, shape.width);
  return { name, colour, mask, count: mask.reduce((sum, one) => sum + one, 0), code, loaded };
}

/** Show the regions of this pair: those it had before, or those that the link has named. */
export function enter(scene) {
  if (shape && shape.pair === scene.pair) return;
  if (shape) kept.set(shape.pair, { list, active, history });
  shape = { pair: scene.pair, address: scene.pair_address, height: scene.height, width: scene.width };
  const fresh = { list: [], active: -1, history: startHistory(scene.height * scene.width) };
  ({ list, active, history } = kept.get(scene.pair) || fresh);
  if (asked && asked.pair_address === shape.address) take(asked);
  else changed();
}

/** Take over what the server read from a link, { pair_address, regions }. */
export function take(found) {
  if (!found) return;
  if (!shape || shape.address !== found.pair_address) {
    asked = found;
    return;
  }
  asked = null;
  const taken = [];
  for (const { name, colour, code } of found.regions) {
    const mask = decode(code, shape.height, shape.width);
    if (mask && taken.length < MOST) taken.push(made(free(name, taken), colour || nextColour(taken), mask, true));
  }
  // What a link says is what the page begins with, and no step.
  if (!list.length && !history.canUndo()) show({ list: taken, active: taken.length - 1 });
  else step(taken, taken.length - 1);
}

/** Whether a mask is here already, under its name or under one that was made from it. */
function isHere({ code }, name, regions) {
  const wanted = trimmed(name);
  return regions.some((region) => region.code === code && [region.name, region.name.replace(/ \d+$/, "")].includes(wanted));
}

/**
 * Add masks, { name, code }, from files or from the pair at this address, as one step. Gives what became of each: "added",
 * "here" where the same is there already, "full" where no room is left, "other" where another pair is shown by now.
 */
export function load(address, masks) {
  if (!shape || shape.address !== address) return masks.map(() => "other");
  const regions = [...list];
  const outcomes = masks.map(({ name, code }) => {
    const region = made(free(name, regions), nextColour(regions), decode(code, shape.height, shape.width), true);
    if (isHere(region, name, regions)) return "here";
    if (regions.length >= MOST) return "full";
    regions.push(region);
    return "added";
  });
  if (regions.length > list.length) step(regions, regions.length - 1);
  return outcomes;
}

function nextColour(regions) {
  return COLOURS.find((colour) => !regions.some((region) => region.colour === colour)) || COLOURS[regions.length % COLOURS.length];
}

const trimmed = (name) => name.trim().slice(0, LONGEST_NAME) || "region";

/** The name, or one like it that none of the regions has. */
function free(name, regions) {
  const wanted = trimmed(name);
  const taken = (text) => regions.some((region) => region.name === text);
  let text = wanted;
  for (let number = 2; taken(text); number += 1) text = `${wanted} ${number}`;
  return text;
}

export function add(name, mask) {
  if (!shape || list.length >= MOST) return;
  const pixels = mask || new Uint8Array(shape.height * shape.width);
  step([...list, made(free(name || "region", list), nextColour(list), pixels)], list.length);
}

function replace(index, changes) {
  step(list.map((region, at) => (at === index ? { ...region, ...changes } : region)));
}

function replaceActive(mask, loaded = list[active].loaded) {
  replace(active, made(list[active].name, list[active].colour, mask, loaded));
}

/** Begin a region with a selection, where there is room and something selected. */
function begin(selected) {
  if (list.length >= MOST) {
    regionServer.told(`There is no room for another region: ${MOST} are the most. Delete one, or hold Shift to add to the chosen one.`);
  } else if (!selected.includes(1)) {
    regionServer.told("No pixel is inside of the selection.");
  } else {
    add("region", selected);
  }
}

/**
 * Let a selection replace the active region, join it, or be taken from it. What was loaded cannot be drawn again, so that
 * a selection does not replace it but begins a region of its own.
 */
export function combine(selected, how) {
  const region = list[active];
  if (!shape || (!region && how === "subtract")) return;
  if (!region || (how === "replace" && isProtected(region))) begin(selected);
  else if (how === "replace") replaceActive(selected);
  else if (how === "add") replaceActive(region.mask.map((one, at) => one | selected[at]));
  else replaceActive(region.mask.map((one, at) => one & (1 - selected[at])));
}

export function isProtected(region) {
  return Boolean(region) && region.loaded && region.count > 0;
}

export function invert() {
  if (active >= 0) replaceActive(list[active].mask.map((one) => 1 - one));
}

/** Empty the active region, so that it can be drawn anew. */
export function clear() {
  if (active >= 0) replaceActive(new Uint8Array(shape.height * shape.width), false);
}

export function remove(index) {
  const rest = list.filter((_, at) => at !== index);
  step(rest, active >= index ? Math.max(active - 1, rest.length ? 0 : -1) : active);
}

export function rename(index, name) {
  const others = list.filter((_, at) => at !== index);
  if (name.trim() && name.trim() !== list[index].name) replace(index, { name: free(name, others) });
}

export function recolour(index, colour) {
  if (colour !== list[index].colour) replace(index, { colour });
}

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

/** What a selection does to the chosen region; the keys held at an event come first. */
export function operationAt(event) {
  if (event && event.shiftKey) return "add";
  return event && event.altKey ? "subtract" : operation;
}

export function setOperation(how) {
  operation = how;
}

const MOST_STEPS = 50;
const LEAST_STEPS = 5;
const MOST_PIXELS = 200_000_000; // of a mask for each step: large images have fewer steps

/** The history of a pair whose images have so many pixels. States are kept as they are, so nobody may change them. */
function startHistory(pixels) {
  const most = Math.min(MOST_STEPS, Math.max(LEAST_STEPS, Math.floor(MOST_PIXELS / pixels)));
  const past = [];
  const future = [];
  const moved = (from, to, now) => {
    const found = from.pop();
    if (found) to.push(now);
    return found || null;
  };
  return {
    /** Note what was before a change. */
    add(before) {
      past.push(before);
      if (past.length > most) past.shift();
      future.length = 0;
    },
    /** The state before the last change, null where there is none; `now` is the one to come back to. */
    undo: (now) => moved(past, future, now),
    /** The state before the last undo, null where there is none. */
    redo: (now) => moved(future, past, now),
    canUndo: () => past.length > 0,
    canRedo: () => future.length > 0,
  };
}
