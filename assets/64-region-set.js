/* Regions of interest of the pair that is shown: named sets of pixels, one of them active. Both pages have them. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  const { encode, decode } = fusevis.regionCode;
  // Told apart from the bright green of the zoom's neighbourhood, from each other, and by most who see colours otherwise.
  const COLOURS = ["#9bc400", "#e69f00", "#7b4fd6", "#ff8ad8", "#0c8599", "#8a5a2b"];
  const LONGEST_IN_LINK = 850; // letters of all regions together
  const STORED_LENGTH = 33; // of what a link has of a region that the server keeps
  const MOST = 12;
  const LONGEST_NAME = 40;
  const kept = new Map(); // by pair: what other pairs' regions were
  const listeners = [];
  let shape = null; // { pair, height, width } of what is shown
  let list = []; // { name, colour, mask, count, code, stored, storing }
  let active = -1;
  let asked = null; // from the server, until the pair is known that it belongs to
  let operation = "replace";
  let revision = 0;

  function listen(listener) {
    listeners.push(listener);
  }

  function changed() {
    revision += 1;
    write();
    listeners.forEach((listener) => listener());
    fusevis.address.later();
  }

  /** Tell the server's callbacks, in the form of docs/page.md. */
  function write() {
    const data = list.map(({ name, colour, code }) => ({ name, colour, code }));
    if (window.dash_clientside && window.dash_clientside.set_props) window.dash_clientside.set_props("regions", { data });
  }

  function made(name, colour, mask) {
    const code = encode(mask, shape.height, shape.width);
    return { name, colour, mask, count: mask.reduce((sum, one) => sum + one, 0), code, stored: null, storing: null };
  }

  /** Show the regions of this pair: those it had before, or those that the link has named. */
  function enter(scene) {
    if (shape && shape.pair === scene.pair) return;
    if (shape) kept.set(shape.pair, { list, active });
    shape = { pair: scene.pair, address: scene.pair_address, height: scene.height, width: scene.width };
    ({ list, active } = kept.get(scene.pair) || { list: [], active: -1 });
    if (asked && asked.pair_address === shape.address) take(asked);
    else changed();
  }

  /** Take over what the server read from a link, from a file or from the pair: { pair_address, regions, add }. */
  function take(found) {
    if (!found) return;
    if (!shape || shape.address !== found.pair_address) {
      asked = found;
      return;
    }
    asked = null;
    if (!found.add) list = [];
    for (const { name, colour, code } of found.regions) {
      const mask = decode(code, shape.height, shape.width);
      if (mask && list.length < MOST) list.push(made(free(name), colour || nextColour(), mask));
    }
    active = list.length - 1;
    changed();
  }

  function nextColour() {
    return COLOURS.find((colour) => !list.some((region) => region.colour === colour)) || COLOURS[list.length % COLOURS.length];
  }

  /** The name, or one like it that no region has. */
  function free(name) {
    const wanted = name.trim().slice(0, LONGEST_NAME) || "region";
    const taken = (text) => list.some((region) => region.name === text);
    let text = wanted;
    for (let number = 2; taken(text); number += 1) text = `${wanted} ${number}`;
    return text;
  }

  function add(name, mask) {
    if (!shape || list.length >= MOST) return;
    list.push(made(free(name || "region"), nextColour(), mask || new Uint8Array(shape.height * shape.width)));
    active = list.length - 1;
    changed();
  }

  function replaceActive(mask) {
    list[active] = made(list[active].name, list[active].colour, mask);
    changed();
  }

  /** Let a selection replace the active region, join it, or be taken from it. */
  function combine(selected, how) {
    if (!shape) return;
    if (active < 0) {
      if (how !== "subtract") add("region", selected);
      return;
    }
    const { mask } = list[active];
    if (how === "replace") replaceActive(selected);
    else if (how === "add") replaceActive(mask.map((one, at) => one | selected[at]));
    else replaceActive(mask.map((one, at) => one & (1 - selected[at])));
  }

  function invert() {
    if (active >= 0) replaceActive(list[active].mask.map((one) => 1 - one));
  }

  function clear() {
    if (active >= 0) replaceActive(new Uint8Array(shape.height * shape.width));
  }

  function remove(index) {
    list.splice(index, 1);
    if (active >= index) active = Math.max(active - 1, list.length ? 0 : -1);
    changed();
  }

  function rename(index, name) {
    const before = list[index].name;
    list[index].name = "";
    list[index].name = name.trim() ? free(name) : before;
    changed();
  }

  function recolour(index, colour) {
    list[index].colour = colour;
    changed();
  }

  function choose(index) {
    active = index;
    changed();
  }

  /** Codes too long for a link are kept on the server, which names them by their content. */
  async function keep(region) {
    try {
      region.stored = `s${(await fusevis.regionsServer.keep(region.code)).id}`;
      fusevis.address.later();
    } catch (error) {
      region.stored = "";
      fusevis.regionsServer.told(`The region “${region.name}” is not part of the link: ${error.message}`);
    }
    region.storing = null;
  }

  /** What a link has of a region before its code. Signs with a meaning in a link's list are escaped; the address escapes the rest. */
  function label({ name, colour }) {
    return `${name.replace(/[%~,]/g, encodeURIComponent).replaceAll("~", "%7E")}~${colour.slice(1)}~`;
  }

  /** The regions whose codes are too long for a link: the longest, as many as have to be kept elsewhere. */
  function tooLong(regions) {
    const letters = (text) => encodeURIComponent(text).length;
    const byLength = regions.filter(({ code }) => code.length > STORED_LENGTH).sort((one, other) => other.code.length - one.code.length);
    let rest = regions.reduce((sum, region) => sum + letters(label(region) + region.code) + 1, -LONGEST_IN_LINK);
    const found = new Set();
    for (const region of byLength) {
      if (rest <= 0) break;
      rest -= region.code.length - STORED_LENGTH;
      found.add(region);
    }
    return found;
  }

  /** What a link says of the regions, null where there are none. Empty ones are left out, and those that the server does not keep yet. */
  function linkText() {
    const regions = list.filter(({ count }) => count);
    const long = tooLong(regions);
    const parts = [];
    for (const region of regions) {
      if (long.has(region) && region.stored === null) region.storing = region.storing || keep(region);
      const short = long.has(region) ? region.stored : region.code;
      if (short) parts.push(label(region) + short);
    }
    return parts.length ? parts.join(",") : null;
  }

  const isStoring = () => list.some(({ storing }) => storing);

  /** Wait until a link can say all of the regions; gives the names of those that it will lack because the server did not keep them. */
  async function linkable() {
    list.forEach((region) => (region.stored = region.stored || null));
    linkText();
    await Promise.all(list.map(({ storing }) => storing));
    return list.filter(({ stored }) => stored === "").map(({ name }) => name);
  }

  fusevis.address.add(() => ({ regions: linkText() }));

  fusevis.regions = {
    MOST, listen, enter, take, add, combine, invert, clear, remove, rename, recolour, choose, linkText, linkable,
    isStoring,
    all: () => list,
    active: () => active,
    shape: () => shape,
    revision: () => revision,
    operation: (event) => (event && event.shiftKey ? "add" : event && event.altKey ? "subtract" : operation),
    setOperation: (how) => (operation = how),
  };
})(window.fusevis);
