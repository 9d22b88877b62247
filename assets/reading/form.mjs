/*
 * The form of how the files of a pair are read: it gives the menu of pairs an address with a code (code.mjs), and everything else
 * follows from that. Keys page through slices.
 */

import { addressOf, ends, LUMA, swapped, SWAPPED } from "./code.mjs";
import { addMenu, isForPage } from "../core/dialogs.mjs";
import { element } from "../core/elements.mjs";

/**
 * @import { Reading } from "./code.mjs"
 *
 * @typedef {{ kind: "slices" | "frames", of: number[], label: string, count: number, value: number }} Slider
 *
 * @typedef {object} Facts - As app/layout/reading.py gives them.
 * @property {string} asked - The address that was asked for.
 * @property {string} address
 * @property {string} base
 * @property {string[]} modalities
 * @property {Reading} chosen
 * @property {Slider[]} sliders
 * @property {boolean} cut
 * @property {boolean} placed
 * @property {boolean} resample
 * @property {boolean} unequal - Whether the two images have different sizes.
 * @property {boolean} not_finite - Whether an image cannot be read because of NaN.
 * @property {[string, string]} colours - What became of the colours of each; empty for what is gray.
 */

const AXES = ["axial", "coronal", "sagittal"];
const OWN = "own";
const WINDOWS = [
  ["", "smallest to largest value"],
  ["1%:99%", "middle 98 %"],
  ["0:255", "0 to 255"],
  ["0:65535", "0 to 65535"],
  ["0:80", "CT brain, 0 to 80 HU"],
  ["-160:240", "CT soft tissue, −160 to 240 HU"],
  ["-1350:150", "CT lung, −1350 to 150 HU"],
  ["-500:1300", "CT bone, −500 to 1300 HU"],
  [OWN, "numbers…"],
];
const COLOUR_MAPS = [
  [LUMA, "luma"],
  ["auto", "by the colour map that fits"],
  ["learnt", "by the picture's own curve"],
  ["jet", "by jet"],
  ["hot", "by hot"],
  ["rainbow", "by rainbow"],
  ["hot-iron", "by hot iron"],
  ["pet", "by PET (DICOM)"],
];
const OFFERED = "As it is read here"; // the title of what is in the menu while it is shown
const UPLOADED = "upload-"; // the beginning of the addresses of pairs that no menu lists
const UPLOADED_PAIR = new RegExp(`^${UPLOADED}[^@~]*`);
const PAUSE_MILLISECONDS = 200; // what is passed over while one pages or drags need not be shown
/** @type {Record<string, number>} */
const PAGES = { ",": -1, ".": 1 };

/** @type {Facts | null} */
let facts = null;
/** @type {Reading | null} */
let wanted = null; // what was chosen last, which the server may not have answered yet
let pending = 0;
/** @type {string | null} */
let asked = null; // what the menu has, whose facts are wanted
let built = "";
/** @type {(() => void)[]} */
const tellers = []; // each writes what is chosen into a control, which may be in use

/** The place of the form; it says which menu it belongs to, and where the routes are. */
export function place() {
  return /** @type {HTMLElement} */ (document.getElementById("reading-form"));
}

/** What is chosen, and what it can be chosen of; null where there is no pair. */
export function current() {
  return facts && wanted && { facts, chosen: wanted };
}

/**
 * Read the files in another way, at the next pause.
 * @param {Partial<Reading>} change
 */
export function choose(change) {
  if (!facts || !wanted) return;
  wanted = { ...wanted, ...change };
  const address = addressOf(facts.base, wanted);
  tellers.forEach((tell) => tell());
  clearTimeout(pending);
  pending = setTimeout(() => {
    pending = 0;
    window.dash_clientside.set_props(place().dataset.pairMenu || "", { value: address });
  }, PAUSE_MILLISECONDS);
}

/** @param {Slider} slider */
function valueOf({ kind, of: inputs, value }) {
  return wanted?.[kind][inputs[0]] ?? value;
}

/**
 * @param {Slider} slider
 * @param {number} value
 */
function turnTo(slider, value) {
  if (!wanted || !Number.isFinite(value)) return;
  const numbers = /** @type {[number | null, number | null]} */ ([...wanted[slider.kind]]);
  for (const input of slider.of) numbers[input] = Math.min(Math.max(Math.round(value), 0), slider.count - 1);
  choose({ [slider.kind]: numbers });
}

/**
 * @param {string} text
 * @param {...HTMLElement} controls - The first has an id.
 */
function row(text, ...controls) {
  return element("div", { className: "reading-row" }, element("label", { htmlFor: controls[0].id, textContent: text }), ...controls);
}

/**
 * @param {Slider} slider
 * @param {number} index
 */
function sliderRow(slider, index) {
  const { label, count } = slider;
  const id = `reading-slider-${index}`;
  const range = element("input", { id, type: "range", min: "0", max: String(count - 1), step: "1", className: "form-range" });
  const number = element("input", {
    id: `${id}-number`, type: "number", min: "0", max: String(count - 1), step: "1", className: "form-control form-control-sm",
    ariaLabel: `${label}, number from 0`,
  });
  const tell = () => {
    const text = String(valueOf(slider));
    range.value = text;
    if (document.activeElement !== number || !number.value) number.value = text;
  };
  range.addEventListener("input", () => turnTo(slider, Number(range.value)));
  number.addEventListener("input", () => number.value && number.validity.valid && turnTo(slider, Number(number.value)));
  number.addEventListener("blur", () => (number.value = String(valueOf(slider))));
  tellers.push(tell);
  return row(label, range, number, element("span", { textContent: `of ${count}`, title: "Counted from 0 in RAS" }));
}

function axisRow() {
  const select = element("select", { id: "reading-axis", className: "form-select form-select-sm" });
  AXES.forEach((axis) => select.append(element("option", { value: axis, textContent: axis })));
  select.addEventListener("change", () => choose({ axis: select.value, slices: [null, null] }));
  tellers.push(() => (select.value = wanted?.axis || AXES[0]));
  return row("Cut", select);
}

/** @param {number} input */
function windowRow(input) {
  const id = `reading-window-${input + 1}`;
  const select = element("select", { id, className: "form-select form-select-sm" });
  WINDOWS.forEach(([value, textContent]) => select.append(element("option", { value, textContent })));
  const own = element("input", {
    id: `${id}-ends`, type: "text", className: "form-control form-control-sm", placeholder: "low:high", hidden: true,
    title: "LOW:HIGH in the image's own numbers, as -160:240, or in percentiles, as 1%:99%",
    ariaLabel: `Intensities of ${facts?.modalities[input]}, low:high`,
  });
  /** @param {string | null} text */
  const take = (text) => {
    const windows = /** @type {[string | null, string | null]} */ ([...(wanted?.windows || [null, null])]);
    windows[input] = text;
    choose({ windows });
  };
  select.addEventListener("change", () => {
    own.hidden = select.value !== OWN;
    if (select.value !== OWN) take(select.value || null);
    else own.focus();
  });
  own.addEventListener("change", () => {
    const fits = ends(own.value);
    own.setCustomValidity(fits ? "" : "LOW:HIGH, the lower number first");
    if (fits) take(own.value.replaceAll("−", "-").replaceAll(" ", ""));
    else own.reportValidity();
  });
  tellers.push(() => {
    const window = wanted?.windows[input] ?? "";
    const isListed = WINDOWS.some(([value]) => value === window);
    if (document.activeElement === own) return;
    select.value = isListed ? window : OWN;
    own.value = isListed ? "" : window;
    own.hidden = isListed;
  });
  return row(`${facts?.modalities[input]}: black to white`, select, own);
}

/**
 * How the colours of a picture become numbers, and what came of it.
 * @param {number} input
 */
function colourRow(input) {
  const id = `reading-colours-${input + 1}`;
  const select = element("select", {
    id, className: "form-select form-select-sm",
    title: "Luma does not follow the value of a colour map: the hottest red is darker than yellow. Inverting the map gives the values back.",
  });
  COLOUR_MAPS.forEach(([value, textContent]) => select.append(element("option", { value, textContent })));
  const told = element("p", { className: "reading-told" });
  select.setAttribute("aria-describedby", (told.id = `${id}-told`));
  select.addEventListener("change", () => {
    const maps = /** @type {[string, string]} */ ([...(wanted?.colour_maps || [LUMA, LUMA])]);
    maps[input] = select.value;
    choose({ colour_maps: maps });
  });
  tellers.push(() => {
    select.value = wanted?.colour_maps[input] || LUMA;
    const words = pending ? "…" : facts?.colours[input] || "Its pixels have no colours.";
    told.textContent = words[0].toUpperCase() + words.slice(1);
  });
  return [row(`${facts?.modalities[input]}: its colours`, select), told];
}

/**
 * Which of both images are in colour, or are read by a colour map.
 * @param {Facts | null} shown
 */
function inColour(shown) {
  return [0, 1].filter((input) => shown && (shown.colours[input] || shown.chosen.colour_maps[input] !== LUMA));
}

/** @param {Facts | null} shown */
const hasNan = (shown) => Boolean(shown && (shown.not_finite || shown.chosen.nan_is_no_data));

/** @param {Facts} shown */
function resampleRow({ placed, modalities: [first, second] }) {
  const box = element("input", { id: "reading-resample", type: "checkbox", className: "form-check-input" });
  const text = placed ? `${second} at the places of ${first} in the patient` : `Stretch ${second} onto ${first} where sizes differ`;
  box.addEventListener("change", () => choose({ resample: placed || box.checked ? box.checked : null }));
  tellers.push(() => (box.checked = wanted?.resample ?? facts?.resample ?? false));
  return row(text, box);
}

function nanRow() {
  const box = element("input", { id: "reading-nan", type: "checkbox", className: "form-check-input" });
  box.addEventListener("change", () => choose({ nan_is_no_data: box.checked }));
  tellers.push(() => (box.checked = wanted?.nan_is_no_data ?? false));
  return row("NaN is no data", box);
}

/** @param {Facts} shown */
function stretchOffer({ modalities: [first, second] }) {
  const button = element("button", {
    type: "button", className: "btn btn-sm btn-primary reading-stretch", textContent: `Stretch ${second} onto ${first}`,
  });
  button.addEventListener("click", () => choose({ resample: true }));
  const words = "The two images have different sizes. Stretched, nobody knows whether they show the same place.";
  return element("div", { className: "reading-unequal" }, element("p", { textContent: words }), button);
}

/** @param {Facts} shown */
function build(shown) {
  tellers.length = 0;
  const rows = [
    ...(shown.unequal ? [stretchOffer(shown)] : []),
    ...(shown.cut ? [axisRow()] : []),
    ...shown.sliders.map(sliderRow),
    ...inColour(shown).flatMap(colourRow),
    windowRow(0),
    windowRow(1),
    resampleRow(shown),
    ...(hasNan(shown) ? [nanRow()] : []),
    element("button", {
      id: "registration-open", type: "button", className: "btn btn-sm btn-outline-secondary", textContent: "Registration view…",
      title: "Both images blinking, in a checkerboard, over each other; move the second by arrow keys",
    }),
  ];
  place().replaceChildren(...rows);
}

/**
 * Show how the pair is read, as the server says.
 * @param {Facts | null} found
 */
function take(found) {
  if (pending || (found && found.asked !== asked)) return null; // what is on its way will be answered
  facts = found;
  wanted = found && found.chosen;
  const { sliders = [], modalities = [], cut = false, placed = false, unequal = false } = found || {};
  const kind = JSON.stringify([modalities, cut, placed, unequal, inColour(found), hasNan(found), sliders.map(({ kind: of, of: inputs, label, count }) => [of, inputs, label, count])]);
  if (found && kind !== built) build(found);
  if (!found) place().replaceChildren(element("p", { textContent: "Nothing can be chosen here." }));
  built = found ? kind : "";
  tellers.forEach((tell) => tell());
  if (unequal || found?.not_finite) document.getElementById("reading-menu")?.setAttribute("open", "");
  const [slider] = sliders;
  const sign = document.querySelector("#reading-menu > summary");
  if (sign) sign.textContent = slider ? `▤ ${slider.value}` : "▤";
  return null;
}

/**
 * The address of the pair with x1 and x2 in each other's place.
 * @param {number | null} clicks
 * @param {string | null} pair
 */
function swap(clicks, pair) {
  if (!clicks || !pair) return window.dash_clientside.no_update;
  if (facts && wanted) return swapped(facts.base, wanted);
  return pair.endsWith(SWAPPED) ? pair.slice(0, -SWAPPED.length) : pair + SWAPPED;
}

/** @typedef {{ value: string, label: string, title?: string }} Option */

/**
 * Offer the shown pair in the menu, and ask how it is read.
 * @param {string | null} pair
 * @param {Option[] | null} options
 */
function offer(pair, options) {
  asked = pair;
  return [offered(pair, options ?? []), pair];
}

/**
 * The menu's options, which are pairs as they are read by themselves, with the shown one; those shown before go.
 * @param {string | null} pair
 * @param {Option[]} options
 */
function offered(pair, options) {
  const own = options.filter(({ title }) => title !== OFFERED);
  const [uploaded] = UPLOADED_PAIR.exec(pair ?? "") || [];
  if (uploaded && !own.some(({ value }) => value === uploaded)) {
    own.push({ value: uploaded, label: `Uploaded pair ${uploaded.slice(UPLOADED.length, UPLOADED.length + 8)}` });
  }
  if (!pair || own.some(({ value }) => value === pair)) {
    const isSame = own.length === options.length && own.every((option, at) => option === options[at]);
    return isSame ? window.dash_clientside.no_update : own;
  }
  // An address may have an @ of its own: the longest that is known is meant.
  const known = own.filter(({ value }) => pair.startsWith(value)).sort((one, other) => other.value.length - one.value.length)[0];
  const rest = known ? pair.slice(known.value.length) : "";
  if (!rest.startsWith(SWAPPED) && !rest.startsWith("@")) return window.dash_clientside.no_update;
  const code = rest.includes("@") ? ` · ${rest.slice(rest.indexOf("@") + 1).replaceAll("_", " ")}` : "";
  return [...own, { value: pair, label: `${rest.includes(SWAPPED) ? "⇄ " : ""}${known.label}${code}`, title: OFFERED }];
}


document.addEventListener("keydown", (event) => {
  const step = PAGES[event.key];
  const slider = facts?.sliders[0];
  if (step && slider && isForPage(event)) turnTo(slider, valueOf(slider) + step);
});

addMenu("details.reading-menu");

/** What callbacks/pair_notes.py calls. */
export const calls = { take, swap, offer };
