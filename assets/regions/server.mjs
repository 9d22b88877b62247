/* What regions need the server for: reading PNG masks, the masks that come with a pair, and codes too long for a link. */

let tellElsewhere = () => {};

/** Let what is said while the panel is closed be shown by tell(message). */
export function tellBy(tell) {
  tellElsewhere = tell;
}

const FAILED = "The server does not answer. Is it still running?";

async function answered(path, options) {
  let answer;
  try {
    answer = await fetch(`${home()}regions/${path}`, options);
  } catch {
    throw new Error(FAILED);
  }
  const found = await answer.json().catch(() => ({ error: FAILED }));
  if (!answer.ok || found.error) throw new Error(found.error || FAILED);
  return found;
}

/** Where the server is: the address of the first page. */
function home() {
  return document.getElementById("region-panel").dataset.home;
}

/** Keep a code; gives { id }. */
export function keep(code) {
  return answered("codes", { method: "POST", body: code });
}

/** Read a PNG mask for a pair; gives { name, code }. */
export function read(pair, file) {
  return answered(`png/${encodeURIComponent(pair)}?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
}

/** The masks that come with a pair; gives { regions: [{ name, code }] }. */
export function known(pair) {
  return answered(`known/${encodeURIComponent(pair)}`);
}

/** Say something of the regions: in their panel, or while that is closed on the page's status line. */
export function told(message) {
  const panel = document.getElementById("region-panel");
  if (!panel) return;
  panel.querySelector(".region-message").textContent = message;
  if (message && panel.hidden) tellElsewhere(message);
}
