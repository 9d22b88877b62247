/*
 * The list of regions and what can be done with them; the elements are those of app/layout/regions.py. While it is closed, a
 * legend beside its button says which colour is which region.
 */

import { ownerOf } from "../core/dialogs.mjs";
import * as sidePanels from "../core/side-panels.mjs";
import { closest, element } from "../core/elements.mjs";
import * as regionFiles from "./files.mjs";
import * as regionServer from "./server.mjs";
import * as regions from "./set.mjs";

/**
 * @import { Look } from "./look.mjs"
 * @import { NamedCode, Region } from "./set.mjs"
 */

/** @type {string | null} */
let watched = null;
/** @type {NamedCode[]} */
let ofPair = []; // the masks that come with it

/**
 * An element that the panel always has.
 * @param {HTMLElement} host
 * @param {string} selector
 */
function inside(host, selector) {
  return /** @type {HTMLElement} */ (host.querySelector(selector));
}

/** @param {string} id */
function button(id) {
  return /** @type {HTMLButtonElement} */ (document.getElementById(id));
}

function panel() {
  return document.getElementById("region-panel");
}

const LEAST_OPACITY = 10; // whoever wants to see nothing hides the region
/** @type {readonly (readonly [string, (look: Look) => boolean, (on: boolean) => Partial<Look>, (name: string) => string])[]} */
const SWITCHES = [
  // class, whether it is on, what a press changes, and what it is called for a region
  ["region-eye", (look) => !look.hidden, (on) => ({ hidden: !on }), (name) => `Show ${name}`],
  ["region-outline", (look) => look.outline, (on) => ({ outline: on }), (name) => `Outline of ${name}`],
  ["region-filling", (look) => look.filled, (on) => ({ filled: on }), (name) => `Filling of ${name}`],
];

/**
 * Make the buttons and the slider of how a region is drawn.
 * @param {number} index
 */
function makeLook(index) {
  const switches = SWITCHES.map(([className, , change]) => {
    const made = element("button", { type: "button", className: `region-switch ${className}` });
    made.addEventListener("click", () => regions.restyle(index, change(made.getAttribute("aria-pressed") !== "true")));
    return made;
  });
  const opacity = element("input", { type: "range", className: "region-opacity", min: String(LEAST_OPACITY), max: "100", step: "5" });
  opacity.addEventListener("input", () => regions.restyle(index, { opacity: Number(opacity.value) }, true));
  opacity.addEventListener("change", () => regions.restyle(index, { opacity: Number(opacity.value) }));
  return element("div", { className: "region-look" }, ...switches, opacity, element("output", {}));
}

/**
 * @param {HTMLElement} line
 * @param {Region} region
 */
function updateLook(line, { name, look }) {
  for (const [className, isOn, , called] of SWITCHES) {
    const made = inside(line, `.${className}`);
    made.setAttribute("aria-pressed", String(isOn(look)));
    made.setAttribute("aria-label", called(name));
    made.title = called(name);
  }
  const opacity = /** @type {HTMLInputElement} */ (inside(line, ".region-opacity"));
  opacity.value = String(look.opacity);
  opacity.setAttribute("aria-label", `Opacity of ${name}, percent`);
  inside(line, "output").textContent = `${look.opacity} %`;
}

/**
 * Make the line of the region at a place of the list, whichever region that is.
 * @param {Region} _
 * @param {number} index
 */
function makeLine(_, index) {
  const choose = element("input", { type: "radio", name: "region-active", title: "Selections change this region" });
  choose.addEventListener("change", () => regions.choose(index));
  const colour = element("input", { type: "color", className: "region-colour" });
  colour.addEventListener("change", () => regions.recolour(index, colour.value));
  const name = element("input", { type: "text", maxLength: 40, className: "region-name" });
  name.setAttribute("aria-label", `Name of region ${index + 1}`);
  name.addEventListener("change", () => {
    regions.rename(index, name.value);
    name.value = regions.all()[index].name;
  });
  const count = element("span", { className: "region-count" });
  const gone = element("button", { type: "button", className: "region-remove", textContent: "×", title: "Delete this region" });
  gone.addEventListener("click", () => regions.remove(index));
  return element("li", {}, element("div", { className: "region-line" }, choose, colour, name, count, gone), makeLook(index));
}

/**
 * @param {HTMLElement} line
 * @param {Region} region
 * @param {number} index
 */
function updateLine(line, region, index) {
  const [choose, colour, name, count, gone] = /** @type {any[]} */ ([...line.children[0].children]);
  const active = index === regions.activeIndex();
  line.className = ["region", active && "active", region.look.hidden && "hidden-region"].filter(Boolean).join(" ");
  choose.checked = active;
  choose.setAttribute("aria-label", `Select into ${region.name}`);
  colour.value = region.colour;
  colour.setAttribute("aria-label", `Colour of ${region.name}`);
  if (line.dataset.name !== region.name) name.value = region.name; // else somebody may be typing another
  count.textContent = `${region.count.toLocaleString("en")} px`;
  gone.setAttribute("aria-label", `Delete ${region.name}`);
  Object.assign(line.dataset, { name: region.name, count: String(region.count) });
  updateLook(line, region);
}

/** What nobody would expect of a selection, in words. */
function rules() {
  const region = regions.all()[regions.activeIndex()];
  const loaded = `“${region && region.name}” was loaded: a selection begins another region. Shift adds to this one, Alt takes from it.`;
  const full = `There is room for ${regions.MOST} regions.`;
  return [regions.operationAt() === "replace" && regions.isProtected(region) && loaded, regions.all().length >= regions.MOST && full].filter(Boolean).join(" ");
}

/** Show the regions as they are now. */
function show() {
  const host = panel();
  if (!host) return;
  const list = regions.all();
  sidePanels.fill(inside(host, ".region-list"), list, (_, index) => index, makeLine, updateLine);
  inside(host, ".region-empty").hidden = list.length > 0;
  const has = regions.activeIndex() >= 0;
  const some = list.some((region) => region.count);
  const full = list.length >= regions.MOST;
  const disabled = {
    "region-invert": !has, "region-clear": !has, "region-export": !some, "region-new": full || !regions.imageShape(),
    "region-undo": !regions.canUndo(), "region-redo": !regions.canRedo(),
  };
  Object.entries(disabled).forEach(([id, off]) => (button(id).disabled = off));
  inside(host, ".region-rule").textContent = rules();
  regionServer.told("");
  const shape = regions.imageShape();
  if (shape && watched !== shape.address) askForMasks(shape.address);
  showLegend();
  sidePanels.keepFocus("region-panel");
}

/**
 * Ask once a pair whether masks come with it.
 * @param {string} pair
 */
async function askForMasks(pair) {
  watched = pair;
  const known = button("region-known");
  known.disabled = true;
  known.title = "Asking …";
  try {
    const { regions: found } = await regionServer.known(pair);
    if (watched !== pair) return;
    ofPair = found;
    known.disabled = !found.length;
    known.title = found.length ? `Add ${found.map((/** @type {NamedCode} */ one) => one.name).join(", ")}` : "No masks come with this pair";
  } catch (error) {
    watched = null;
    known.title = /** @type {Error} */ (error).message;
  }
}

/** @type {Record<string, () => void>} */
const ACTIONS = {
  "region-new": () => regions.add(),
  "region-invert": () => regions.invert(),
  "region-clear": () => regions.clear(),
  "region-undo": () => regions.undo(),
  "region-redo": () => regions.redo(),
  "region-export": () => regionFiles.save(),
  "region-known": () => regionFiles.addKnown(ofPair),
  "region-import": () => regionFiles.choose(),
};

document.addEventListener("click", (event) => {
  const button = closest(event, "button[id^=region-]");
  if (button && ACTIONS[button.id]) ACTIONS[button.id]();
});

document.addEventListener("change", (event) => {
  const choice = /** @type {HTMLSelectElement | null} */ (closest(event, "#region-operation"));
  const host = panel();
  if (!choice || !host) return;
  regions.setOperation(choice.value);
  inside(host, ".region-rule").textContent = rules();
});

const TYPED = "input:not([type=radio], [type=checkbox], [type=color], [type=range]), textarea, [contenteditable]";

// Fields have an undo of their own.
document.addEventListener("keydown", (event) => {
  const asked = (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "z";
  const elsewhere = ![panel(), null].includes(/** @type {HTMLElement | null} */ (ownerOf(event)));
  if (!asked || elsewhere || closest(event, TYPED)) return;
  event.preventDefault();
  if (event.shiftKey) regions.redo();
  else regions.undo();
});

/** Begin to show the regions; each page calls it once its elements are there. */
export function start() {
  regions.listen(show);
  show();
}

sidePanels.add("region-panel", { opener: "region-open", closer: "region-close", opened: show });

/** @param {Region} region */
function entry({ name, colour, look }) {
  const dot = element("span", { className: "region-legend-dot" });
  dot.style.background = colour;
  const text = element("span", { className: "region-legend-name", textContent: name });
  const className = look.hidden ? "region-legend-entry hidden-region" : "region-legend-entry";
  return element("span", { className, title: look.hidden ? `${name} (hidden)` : name }, dot, text);
}

/** Show the regions as they are now, and name them where their button is. */
function showLegend() {
  const button = document.getElementById("region-open");
  if (!button) return;
  const list = regions.all();
  const text = list.length ? `Regions (${list.length})` : "Regions";
  const names = list.map(({ name }) => name).join(", ");
  button.textContent = text;
  button.title = names ? `Regions of interest: ${names}` : "Regions of interest: box and lasso, masks, PNG";
  button.setAttribute("aria-label", names ? `${text}: ${names}` : text);
  const legend = document.getElementById("region-legend");
  if (!legend) return;
  legend.replaceChildren(...list.map(entry));
  legend.hidden = !list.length || !panel()?.hidden;
}

["panel-opened", "panel-closed"].forEach((kind) => document.addEventListener(kind, showLegend));
