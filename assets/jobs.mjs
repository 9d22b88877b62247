/* The page `/jobs`: asks for the list once a second and shows it; rows stay, so that a button keeps the focus. */

import { element } from "./core/elements.mjs";
import { duration, forWhom, left, percent } from "./core/job-words.mjs";

/** @typedef {import("./core/job-words.mjs").Job} Job */

const AGAIN_MILLISECONDS = 1000;
const LOST = "The server does not answer; asking again.";
/** @type {Map<string, HTMLTableRowElement>} */
const rows = new Map();

/** @param {string} id */
const part = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @param {Job} job */
function newRow(job) {
  const title = job.method ? `${job.pair}, ${job.method}` : job.pair;
  const subject = job.link ? element("a", { href: job.link, textContent: title }) : title;
  const stop = element("button", { type: "button", textContent: "Stop", hidden: true });
  stop.setAttribute("aria-label", `Stop ${job.what} of ${title}`);
  stop.addEventListener("click", () => void stopJob(job.id));
  const progress = element("progress", { max: 1, value: 0 });
  progress.setAttribute("aria-label", `${job.what} of ${title}`);
  const name = element("th", { scope: "row", textContent: job.what });
  const cells = [[subject], [], [progress, element("span", { className: "job-number" })], [], [stop]];
  const row = element("tr", {}, name, ...cells.map((content) => element("td", {}, ...content)));
  row.dataset.job = job.id;
  return row;
}

/** @param {HTMLTableRowElement} row @param {Job} job */
function fill(row, job) {
  const [, whom, , rest] = row.querySelectorAll("td");
  const progress = /** @type {HTMLProgressElement} */ (row.querySelector("progress"));
  const share = /** @type {HTMLElement} */ (row.querySelector(".job-number"));
  if (whom) whom.textContent = forWhom(job);
  if (rest) rest.textContent = left(job);
  progress.value = job.fraction;
  share.textContent = job.state === "waiting" ? "waits" : percent(job.fraction);
  share.title = job.seconds > 0 ? `at work for ${duration(job.seconds)}` : "";
  const stop = /** @type {HTMLButtonElement} */ (row.querySelector("button"));
  stop.hidden = !job.yours;
}

/** @param {Job[]} jobs */
function show(jobs) {
  const body = /** @type {HTMLElement} */ (document.querySelector("#jobs-table tbody"));
  const there = new Set(jobs.map((job) => job.id));
  for (const [id, row] of rows) {
    if (!there.has(id)) {
      row.remove();
      rows.delete(id);
    }
  }
  for (const job of jobs) {
    const row = rows.get(job.id) ?? newRow(job);
    if (!rows.has(job.id)) body.append(row);
    rows.set(job.id, row);
    fill(row, job);
  }
  part("jobs-table").hidden = !jobs.length;
  part("jobs-nothing").hidden = jobs.length > 0;
  part("jobs-nothing").textContent = "Nothing is being computed.";
}

/** @param {string} id */
async function stopJob(id) {
  try {
    const answer = await fetch(`jobs/${id}/stop`, { method: "POST" });
    part("jobs-told").textContent = answer.ok ? "Stopped; what was done of it is kept." : (await answer.json()).error;
  } catch {
    part("jobs-told").textContent = LOST;
  }
  await ask();
}

async function ask() {
  try {
    const answer = await fetch("jobs.json");
    if (!answer.ok) throw new Error(String(answer.status));
    show((await answer.json()).jobs);
    if (part("jobs-told").textContent === LOST) part("jobs-told").textContent = "";
  } catch {
    part("jobs-told").textContent = LOST;
  }
}

async function follow() {
  if (!document.hidden) await ask();
  setTimeout(follow, AGAIN_MILLISECONDS);
}

void follow();
