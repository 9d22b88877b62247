/* Sending files, piece by piece, and finding those of folders that were dropped. */

import { ask, send } from "./server.mjs";

/**
 * @typedef {{ name: string, file: File }} Named - A file, and its name with its folders.
 * @typedef {{ most_bytes: number, most_files: number, piece: number }} Limits
 */

/**
 * The files of a field, with their folders.
 * @param {FileList | null} files
 * @returns {Named[]}
 */
export function filesOf(files) {
  return [...(files || [])].map((file) => ({ name: file.webkitRelativePath || file.name, file })).filter(isSeen);
}

/** @param {Named} named */
function isSeen({ name }) {
  return !name.split("/").some((part) => part.startsWith("."));
}

/**
 * The files that were dropped, those of folders too.
 * @param {DataTransfer} dropped
 */
export async function filesDropped(dropped) {
  // Only now, as the browser forgets them after this turn.
  const entries = [...dropped.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  /** @type {Named[]} */
  const found = [];
  for (const entry of entries) await walk(entry, found);
  return found.filter(isSeen);
}

/**
 * @param {FileSystemEntry} entry
 * @param {Named[]} found
 */
async function walk(entry, found) {
  if (entry.isFile) {
    const file = await new Promise((done, failed) => /** @type {FileSystemFileEntry} */ (entry).file(done, failed));
    found.push({ name: entry.fullPath.replace(/^\//, ""), file });
    return;
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return;
    for (const inner of some) await walk(inner, found);
  }
}

/**
 * Why files cannot be sent, in words; nothing where they can. The server says the same, but a browser writes of its refusals.
 * @param {Named[]} files
 * @param {Limits} limits
 */
export function refusal(files, { most_bytes, most_files }) {
  if (!files.length) return "There is no file in it.";
  if (files.length > most_files) return `These are ${files.length} files; up to ${most_files} are taken at once. Bring fewer.`;
  const total = files.reduce((sum, { file }) => sum + file.size, 0);
  if (total <= most_bytes) return "";
  return `These files have ${mebibytes(total)}; up to ${mebibytes(most_bytes)} are taken at once. Bring fewer or smaller files.`;
}

/** @param {number} count */
export function mebibytes(count) {
  return `${Math.max(count / 2 ** 20, 0.1).toFixed(1)} MiB`;
}

/**
 * Send files, and give the id of the upload; progress(share) tells how far that is, and may throw to end it.
 * @param {Named[]} files
 * @param {Limits} limits
 * @param {(share: number) => void} progress
 */
export async function sendAll(files, { piece }, progress) {
  const { id } = await ask("", "POST", { files: files.map(({ name, file }) => [name, file.size]) });
  const total = files.reduce((sum, { file }) => sum + file.size, 0) || 1;
  let sent = 0;
  for (const [number, { file }] of files.entries()) {
    for (let at = 0; at < file.size; at += piece) {
      const part = file.slice(at, at + piece);
      progress(sent / total);
      await send(`uploads/${id}?file=${number}&at=${at}`, part, (bytes) => progress(Math.min(sent + bytes, total) / total));
      sent += part.size;
    }
  }
  progress(1);
  return id;
}
