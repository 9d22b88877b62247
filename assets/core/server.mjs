/* Asking the server for something that it answers as JSON, by an address below that of the first page. */

export const SILENT = "The server does not answer. Is it still running?";

/** Where the server is: the address of the first page. */
export function home() {
  return document.getElementById("region-panel")?.dataset.home ?? "./";
}

/**
 * What an answer says; an error has words for a person.
 * @param {Response} answer
 */
export async function found(answer) {
  const said = await answer.json().catch(() => ({ error: SILENT }));
  if (!answer.ok || said.error) throw new Error(said.error || SILENT);
  return said;
}

/**
 * Ask for what lies at a path; an error has words for a person.
 * @param {string} path
 * @param {RequestInit} [options]
 */
export async function ask(path, options) {
  return found(await answered(`${home()}${path}`, options));
}

/**
 * Send a request, and say it in words where nobody answers.
 * @param {string} address
 * @param {RequestInit} [options]
 */
export async function answered(address, options) {
  try {
    return await fetch(address, options);
  } catch {
    throw new Error(SILENT);
  }
}
