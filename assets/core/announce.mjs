/* What a screen reader is told of the pixel, in a line of its own: a readout that is read out at every move is never quiet. */

import { element } from "./elements.mjs";

const RESTS_MILLISECONDS = 600;
/** @type {HTMLElement | null} */
let line = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

function place() {
  if (line) return line;
  line = element("div", { id: "announcement", className: "visually-hidden", role: "status" });
  document.body.append(line);
  return line;
}

/**
 * Say this now.
 * @param {string} text
 */
export function say(text) {
  clearTimeout(timer);
  place().textContent = text;
}

/**
 * Say this once no more keys are pressed: words() gives null as long as there is nothing to say yet.
 * @param {() => string | null} words
 */
export function whenResting(words) {
  place(); // before it has words: a line that comes with its words is not read out
  clearTimeout(timer);
  timer = setTimeout(() => {
    const text = words();
    if (text === null) whenResting(words);
    else say(text);
  }, RESTS_MILLISECONDS);
}

/** @type {Map<string, Element>} */
const followed = new Map();

/**
 * Say what an element says whenever its words change, and not whenever its numbers do.
 * @param {string} id
 */
export function followWords(id) {
  const host = document.getElementById(id);
  if (!host || followed.get(id) === host) return;
  followed.set(id, host);
  place();
  const words = () => (host.textContent || "").replace(/[\d.,%]+/g, "");
  let last = words();
  new MutationObserver(() => {
    if (words() === last) return;
    last = words();
    say(host.textContent || "");
  }).observe(host, { childList: true, characterData: true, subtree: true });
}
