/* What a part of a page waits for, said in its own place and beside what it still shows. */

import { append } from "./elements.mjs";

/**
 * @typedef {object} Said
 * @property {string} text
 * @property {number | null} [part] - How much of it is done, 0 to 1; null where nobody knows.
 * @property {string} [action] - What the button says, where there is one.
 * @property {() => void} [act] - What it does.
 * @property {boolean} [failed]
 * @property {boolean} [bare] - Whether the part shows nothing besides.
 *
 * @typedef {{ element: HTMLElement, text: HTMLElement, bar: HTMLElement, button: HTMLButtonElement, said: Said | null }} Place
 */

const STEP_MILLISECONDS = 500; // of a bar of which nobody knows how long it will be
const STEPS = [0, 1, 2, 3, 4, 3, 2, 1];
/** @type {WeakMap<HTMLElement, Place>} */
const places = new WeakMap();

/** @param {HTMLElement} host */
function placeIn(host) {
  const known = places.get(host);
  if (known) return known;
  const element = append("div", "waiting", host);
  const text = append("span", "waiting-text", element);
  const bar = append("span", "waiting-bar", element);
  const button = append("button", "btn btn-sm btn-outline-secondary waiting-button", element);
  button.type = "button";
  /** @type {Place} */
  const made = { element, text, bar, button, said: null };
  button.addEventListener("click", () => made.said?.act?.());
  places.set(host, made);
  return made;
}

/** Where a bar stands of which nobody knows how long it will be: from the left to the right and back. */
function step() {
  return STEPS[Math.floor(performance.now() / STEP_MILLISECONDS) % STEPS.length];
}

/**
 * Whether two things to say look alike.
 * @param {Said | null} one
 * @param {Said | null} other
 */
function alike(one, other) {
  return one !== null && other !== null && one.text === other.text && one.part === other.part && one.action === other.action
    && Boolean(one.failed) === Boolean(other.failed) && Boolean(one.bare) === Boolean(other.bare) && !one.act === !other.act;
}

/**
 * Say what a part of the page waits for; null: nothing.
 * @param {HTMLElement} host
 * @param {Said | null} said
 */
export function say(host, said) {
  if (!said && !places.has(host)) return;
  const { element, text, bar, button, ...before } = placeIn(host);
  placeIn(host).said = said;
  if (said?.part === null) bar.style.setProperty("--step", String(step()));
  if (alike(said, before.said)) return;
  element.hidden = !said;
  if (!said) return;
  if (before.said?.text !== said.text) text.textContent = said.text;
  element.title = said.text;
  element.classList.toggle("failed", Boolean(said.failed));
  element.classList.toggle("bare", Boolean(said.bare));
  bar.hidden = said.part === undefined;
  bar.classList.toggle("endless", said.part === null);
  bar.style.setProperty("--part", String(said.part ?? 0));
  button.hidden = !said.act;
  if (button.textContent !== (said.action || "")) button.textContent = said.action || "";
}
