/* Regions of interest of the pair that is shown: named sets of pixels, one of them active. Both pages have them. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  const { encode, decode } = fusevis.regionCode;
  // Told apart from the bright green of the zoom's neighbourhood, from each other, and by most who see colours otherwise.
  const COLOURS = ["#9bc400", "#e69f00", "#7b4fd6", "#ff8ad8", "#0c8599", "#8a5a2b"];
  const MOST = 12;
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

  function show(state) {
    ({ list, active } = state);
    changed();
  }

  /** Show other regions, as a step that can be undone. */
  function step(regions, chosen = active) {
    history.add({ list, active });
    show({ list: regions, active: chosen });
  }

  function undo() {
    const before = history && history.undo({ list, active });
    if (before) show(before);
  }

  function redo() {
    const after = history && history.redo({ list, active });
    if (after) show(after);
  }

  function made(name, colour, mask, loaded = false) {
    const code = encode(mask, shape.height, shape.width);
    return { name, colour, mask, count: mask.reduce((sum, one) => sum + one, 0), code, loaded };
  }

  /** Show the regions of this pair: those it had before, or those that the link has named. */
  function enter(scene) {
    if (shape && shape.pair === scene.pair) return;
    if (shape) kept.set(shape.pair, { list, active, history });
    shape = { pair: scene.pair, address: scene.pair_address, height: scene.height, width: scene.width };
    const fresh = { list: [], active: -1, history: fusevis.regionHistory.start(scene.height * scene.width) };
    ({ list, active, history } = kept.get(scene.pair) || fresh);
    if (asked && asked.pair_address === shape.address) take(asked);
    else changed();
  }

  /** Take over what the server read from a link, { pair_address, regions }. */
  function take(found) {
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
  function load(address, masks) {
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

  function add(name, mask) {
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
      fusevis.regionsServer.told(`There is no room for another region: ${MOST} are the most. Delete one, or hold Shift to add to the chosen one.`);
    } else if (!selected.includes(1)) {
      fusevis.regionsServer.told("No pixel is inside of the selection.");
    } else {
      add("region", selected);
    }
  }

  /**
   * Let a selection replace the active region, join it, or be taken from it. What was loaded cannot be drawn again, so that
   * a selection does not replace it but begins a region of its own.
   */
  function combine(selected, how) {
    const region = list[active];
    if (!shape || (!region && how === "subtract")) return;
    if (!region || (how === "replace" && isProtected(region))) begin(selected);
    else if (how === "replace") replaceActive(selected);
    else if (how === "add") replaceActive(region.mask.map((one, at) => one | selected[at]));
    else replaceActive(region.mask.map((one, at) => one & (1 - selected[at])));
  }

  function isProtected(region) {
    return Boolean(region) && region.loaded && region.count > 0;
  }

  function invert() {
    if (active >= 0) replaceActive(list[active].mask.map((one) => 1 - one));
  }

  /** Empty the active region, so that it can be drawn anew. */
  function clear() {
    if (active >= 0) replaceActive(new Uint8Array(shape.height * shape.width), false);
  }

  function remove(index) {
    const rest = list.filter((_, at) => at !== index);
    step(rest, active >= index ? Math.max(active - 1, rest.length ? 0 : -1) : active);
  }

  function rename(index, name) {
    const others = list.filter((_, at) => at !== index);
    if (name.trim() && name.trim() !== list[index].name) replace(index, { name: free(name, others) });
  }

  function recolour(index, colour) {
    if (colour !== list[index].colour) replace(index, { colour });
  }

  function choose(index) {
    active = index;
    changed();
  }

  fusevis.regions = {
    MOST, listen, enter, take, load, add, combine, invert, clear, remove, rename, recolour, choose, undo, redo, isProtected,
    linkText: fusevis.regionLink.text,
    linkable: fusevis.regionLink.linkable,
    isStoring: fusevis.regionLink.isStoring,
    all: () => list,
    active: () => active,
    canUndo: () => Boolean(history && history.canUndo()),
    canRedo: () => Boolean(history && history.canRedo()),
    shape: () => shape,
    revision: () => revision,
    operation: (event) => (event && event.shiftKey ? "add" : event && event.altKey ? "subtract" : operation),
    setOperation: (how) => (operation = how),
  };
})(window.fusevis);
