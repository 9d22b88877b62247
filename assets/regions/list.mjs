/*
 * The list of regions and what can be done with them; the elements are those of app/layout/regions.py. While it is closed, a
 * legend beside its button says which colour is which region.
 */

import * as sidePanels from "../core/side-panels.mjs";
import { element } from "../core/elements.mjs";
import * as regionFiles from "./files.mjs";
import * as regionServer from "./server.mjs";
import * as regions from "./set.mjs";

let watched = null;

function panel() {
  return document.getElementById("region-panel");
}

/** Make the line of the region at a place of the list, whichever region that is. */
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
  return element("li", {}, choose, colour, name, count, gone);
}

function updateLine(line, region, index) {
  const [choose, colour, name, count, gone] = line.children;
  const active = index === regions.activeIndex();
  line.className = active ? "region active" : "region";
  choose.checked = active;
  choose.setAttribute("aria-label", `Select into ${region.name}`);
  colour.value = region.colour;
  colour.setAttribute("aria-label", `Colour of ${region.name}`);
  if (line.dataset.name !== region.name) name.value = region.name; // else somebody may be typing another
  count.textContent = `${region.count.toLocaleString("en")} px`;
  gone.setAttribute("aria-label", `Delete ${region.name}`);
  Object.assign(line.dataset, { name: region.name, count: region.count });
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
  sidePanels.fill(host.querySelector(".region-list"), list, (_, index) => index, makeLine, updateLine);
  host.querySelector(".region-empty").hidden = list.length > 0;
  const has = regions.activeIndex() >= 0;
  const some = list.some((region) => region.count);
  const full = list.length >= regions.MOST;
  const disabled = {
    "region-invert": !has, "region-clear": !has, "region-export": !some, "region-new": full || !regions.imageShape(),
    "region-undo": !regions.canUndo(), "region-redo": !regions.canRedo(),
  };
  Object.entries(disabled).forEach(([id, off]) => (document.getElementById(id).disabled = off));
  host.querySelector(".region-rule").textContent = rules();
  regionServer.told("");
  const shape = regions.imageShape();
  if (shape && watched !== shape.address) known(shape.address);
  showLegend();
  sidePanels.keepFocus("region-panel");
}

/** Ask once a pair whether masks come with it. */
async function known(pair) {
  watched = pair;
  const button = document.getElementById("region-known");
  button.disabled = true;
  button.title = "Asking …";
  try {
    const { regions } = await regionServer.known(pair);
    if (watched !== pair) return;
    button.known = regions;
    button.disabled = !regions.length;
    button.title = regions.length ? `Add ${regions.map((one) => one.name).join(", ")}` : "No masks come with this pair";
  } catch (error) {
    watched = null;
    button.title = error.message;
  }
}

const ACTIONS = {
  "region-new": () => regions.add(),
  "region-invert": () => regions.invert(),
  "region-clear": () => regions.clear(),
  "region-undo": () => regions.undo(),
  "region-redo": () => regions.redo(),
  "region-export": () => regionFiles.save(),
  "region-known": () => regionFiles.addKnown(document.getElementById("region-known").known),
  "region-import": () => regionFiles.choose(),
};

document.addEventListener("click", (event) => {
  const button = event.target.closest && event.target.closest("button[id^=region-]");
  if (button && ACTIONS[button.id]) ACTIONS[button.id]();
});

document.addEventListener("change", (event) => {
  if (event.target.id !== "region-operation") return;
  regions.setOperation(event.target.value);
  panel().querySelector(".region-rule").textContent = rules();
});

const TYPED = "input:not([type=radio], [type=checkbox], [type=color], [type=range]), textarea, [contenteditable]";

// Fields have an undo of their own.
document.addEventListener("keydown", (event) => {
  const asked = (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "z";
  if (!asked || (event.target.closest && event.target.closest(TYPED))) return;
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

function entry({ name, colour }) {
  const dot = element("span", { className: "region-legend-dot" });
  dot.style.background = colour;
  const text = element("span", { className: "region-legend-name", textContent: name });
  return element("span", { className: "region-legend-entry", title: name }, dot, text);
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
  legend.replaceChildren(...list.map(entry));
  legend.hidden = !list.length || !document.getElementById("region-panel").hidden;
}

["panel-opened", "panel-closed"].forEach((kind) => document.addEventListener(kind, showLegend));
