/* Regions of interest of the pair that is shown: named sets of pixels, one of them active. Both pages have them. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  const { encode, decode } = fusevis.regionCode;
  // Told apart from the bright green of the zoom's neighbourhood, from each other, and by most who see colours otherwise.
  const COLOURS = ["#9bc400", "#e69f00", "#7b4fd6", "#d6336c", "#0c8599", "#8a5a2b"];
  const LONGEST_IN_LINK = 600;
  const MOST = 12;
  const LONGEST_NAME = 40;
  const kept = new Map(); // by pair: what other pairs' regions were
  const listeners = [];
  let shape = null; // { pair, height, width } of what is shown
  let list = []; // { name, colour, mask, count, code, stored }
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
    return { name, colour, mask, count: mask.reduce((sum, one) => sum + one, 0), code, stored: null };
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
  async function store(region) {
    const { code } = region;
    try {
      region.stored = `s${(await fusevis.regionsServer.keep(code)).id}`;
      if (region.code === code) fusevis.address.later();
    } catch (error) {
      region.stored = "";
      fusevis.regionsServer.told(`The region “${region.name}” is not part of the link: ${error.message}`);
    }
  }

  function encodedName(name) {
    return encodeURIComponent(name).replace(/[!'()*~.]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
      .replaceAll("%20", " ");
  }

  /** What a link says of the regions, null where there are none. Empty ones are left out. */
  function linkText() {
    const parts = [];
    for (const region of list.filter((one) => one.count)) {
      const { name, colour, code, stored } = region;
      if (code.length > LONGEST_IN_LINK && stored === null) store(region);
      const short = code.length > LONGEST_IN_LINK ? stored : code;
      if (short) parts.push(`${encodedName(name)}~${colour.slice(1)}~${short}`);
    }
    return parts.length ? parts.join(",") : null;
  }

  fusevis.address.add(() => ({ regions: linkText() }));

  fusevis.regions = {
    MOST, listen, enter, take, add, combine, invert, clear, remove, rename, recolour, choose, linkText,
    all: () => list,
    active: () => active,
    shape: () => shape,
    revision: () => revision,
    operation: (event) => (event && event.shiftKey ? "add" : event && event.altKey ? "subtract" : operation),
    setOperation: (how) => (operation = how),
  };
})(window.fusevis);
