/* What links say of the regions; codes too long for a link are kept on the server. */

import * as regionServer from "./server.mjs";
import { written } from "./look.mjs";
import * as regions from "./set.mjs";

/**
 * @import { Tracked } from "../core/tracked.mjs"
 * @import { Region } from "./set.mjs"
 *
 * @typedef {{ id: string | null, asking: Promise<void> | null }} Kept
 */

const LONGEST_IN_LINK = 850; // letters of all regions together
const STORED_LENGTH = 33; // of what a link has of a region that the server keeps
// By mask, which a region keeps when it is renamed, or undone and redone: { id, asking }; an id is "" where the server
// refused, null while it is asked.
/** @type {WeakMap<Uint8Array, Kept>} */
const kept = new WeakMap();
/** @type {Tracked<string[]> | null} */
let said = null; // the part of the page's link

/** @type {(region: Region) => Kept} */
const keptOf = ({ mask }) => kept.get(mask) || { id: null, asking: null };

/**
 * Codes too long for a link are kept on the server, which names them by their content.
 * @param {Region} region
 * @param {Kept} entry
 */
async function keep(region, entry) {
  try {
    entry.id = `s${(await regionServer.keep(region.code)).id}`;
    said?.tell();
  } catch (error) {
    entry.id = "";
    regionServer.told(`The region “${region.name}” is not part of the link: ${/** @type {Error} */ (error).message}`);
  }
  entry.asking = null;
}

/** @param {Region} region */
function ask(region) {
  if (kept.has(region.mask)) return;
  /** @type {Kept} */
  const entry = { id: null, asking: null };
  kept.set(region.mask, entry);
  entry.asking = keep(region, entry);
}

/**
 * What a link has of a region before its code. Signs with a meaning in a link's list are escaped; the address escapes the rest.
 * @param {Region} region
 */
function label({ name, colour }) {
  return `${name.replace(/[%~,]/g, encodeURIComponent).replaceAll("~", "%7E")}~${colour.slice(1)}~`;
}

/**
 * The regions whose codes are too long for a link: the longest, as many as have to be kept elsewhere.
 * @param {Region[]} named
 */
function tooLong(named) {
  /** @param {string} text */
  const letters = (text) => encodeURIComponent(text).length;
  const byLength = named.filter(({ code }) => code.length > STORED_LENGTH).sort((one, other) => other.code.length - one.code.length);
  let rest = named.reduce((sum, region) => sum + letters(label(region) + region.code + written(region.look)) + 1, -LONGEST_IN_LINK);
  const found = new Set();
  for (const region of byLength) {
    if (rest <= 0) break;
    rest -= region.code.length - STORED_LENGTH;
    found.add(region);
  }
  return found;
}

/** The regions that a link has, with what it says of them. Empty ones are left out, and those that the server does not keep yet. */
function entries() {
  const named = regions.all().filter(({ count }) => count);
  const long = tooLong(named);
  const parts = [];
  for (const region of named) {
    if (long.has(region)) ask(region);
    const short = long.has(region) ? keptOf(region).id : region.code;
    if (short) parts.push({ name: region.name, text: label(region) + short + written(region.look) });
  }
  return parts;
}

/** What a link says of the regions. */
export function texts() {
  return entries().map(({ text }) => text);
}

/** The names of the regions that a link has, in its order. */
export function names() {
  return entries().map(({ name }) => name);
}

/** Wait until a link can say all of the regions; gives the names of those that it will lack because the server did not keep them. */
export async function linkable() {
  const list = regions.all();
  list.filter((region) => keptOf(region).id === "").forEach(({ mask }) => kept.delete(mask));
  texts();
  await Promise.all(list.map((region) => keptOf(region).asking));
  return list.filter((region) => keptOf(region).id === "").map(({ name }) => name);
}

/**
 * Let a part of the page's link say the regions. They are worked out when the link is written, and not at every change: then
 * the server is asked to keep those that are too long.
 * @param {Tracked<string[]>} part
 */
export function say(part) {
  said = part;
  part.derive(texts);
  regions.listen(() => part.tell());
}

/** Whether the server is being asked to keep a region. */
export function isStoring() {
  return regions.all().some((region) => keptOf(region).asking);
}
