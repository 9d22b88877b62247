/*
 * The dialog "Your images": files are dropped or chosen, sent, looked at as pairs, and used or discarded; below it what this
 * browser has brought before. Files that are dropped anywhere on the page open it.
 */

import { closest, element } from "../core/elements.mjs";
import { broughtLine, dialogOf, plainButton } from "../core/native-dialog.mjs";
import * as menu from "./menu.mjs";
import { PairLine } from "./preview.mjs";
import { filesDropped, filesOf, mebibytes, refusal, sendAll } from "./sending.mjs";
import { ask } from "./server.mjs";

/**
 * @import { Named } from "./sending.mjs"
 * @import { Listed } from "./server.mjs"
 * @import { Looked, Pair } from "./preview.mjs"
 */

const KEPT = "Kept are the images, what they show (as MRI, PET) and the name that you give a pair here; the names of files are "
  + "not. Of DICOM headers only what the image needs is kept, of NIfTI headers no texts. Whoever has a link to a pair sees it.";

class Discarded extends Error {}

class UploadDialog {
  constructor() {
    /** @type {Listed | null} */
    this.listed = null;
    this.id = ""; // of the upload under way
    this.turn = 0; // counts uploads, so that what belongs to one that was discarded is dropped
    /** @type {PairLine[]} */
    this.lines = [];
    this.message = element("p", { className: "uploads-message", role: "status" });
    this.bar = element("progress", { max: 1, value: 0, hidden: true, ariaLabel: "Sending" });
    this.pairs = element("ul", { className: "uploads-pairs" });
    this.problems = element("ul", { className: "uploads-problems" });
    this.use = element("button", { type: "button", textContent: "Use these pairs", className: "btn btn-sm btn-primary" });
    this.drop = plainButton("Discard");
    this.own = element("ul", { className: "uploads-own" });
    this.kept = element("p", { className: "uploads-kept" });
    this.actions = element("div", { className: "uploads-actions", hidden: true }, this.use, this.drop);
    this.host = dialogOf("Your images", "",
      this.zone(), this.message, this.bar, this.pairs, this.problems, this.actions, this.own, this.kept);
    this.use.addEventListener("click", () => this.used());
    this.drop.addEventListener("click", () => this.discard("Discarded."));
  }

  zone() {
    const files = element("input", { type: "file", multiple: true, hidden: true, className: "uploads-files" });
    const folder = element("input", { type: "file", webkitdirectory: true, hidden: true, className: "uploads-folder" });
    for (const input of [files, folder]) {
      input.addEventListener("change", () => {
        const chosen = filesOf(input.files);
        input.value = ""; // the same can be chosen again
        this.take(chosen);
      });
    }
    const [chooseFiles, chooseFolder] = [plainButton("Choose files"), plainButton("Choose a folder")];
    chooseFiles.addEventListener("click", () => files.click());
    chooseFolder.addEventListener("click", () => folder.click());
    return element("div", { className: "uploads-zone" },
      element("p", { textContent: "Drop two images here, or many, a folder or a ZIP archive. Names say which belong together: mri_3.png and pet_3.png, ir/01.png and vi/01.png." }),
      element("div", { className: "uploads-choose" }, chooseFiles, chooseFolder, files, folder));
  }

  /** Open it, and say what was brought before. */
  async open() {
    if (!this.host.open) this.host.showModal();
    try {
      const [listed] = await Promise.all([ask(""), menu.refresh()]);
      this.listed = listed;
      this.showOwn(listed);
    } catch (error) {
      this.tell(error);
    }
  }

  /** @param {unknown} what - Words, or what went wrong. */
  tell(what) {
    this.message.textContent = what instanceof Error ? what.message : String(what);
  }

  /** @param {Named[]} files */
  async take(files) {
    await this.discard("");
    const { turn } = this;
    try {
      this.listed = this.listed || await ask("");
      if (!this.listed) return;
      if (!this.listed.on) throw new Error("This server takes no images from the page.");
      const refused = refusal(files, this.listed);
      if (refused) throw new Error(refused);
      this.bar.hidden = this.actions.hidden = false;
      this.use.disabled = true;
      this.tell(`Sending ${files.length === 1 ? files[0].name : `${files.length} files`} …`);
      const id = await sendAll(files, this.listed, (share) => this.progress(share, turn));
      this.id = id;
      this.tell("Looking for pairs …");
      await this.look(id, turn);
    } catch (error) {
      if (error instanceof Discarded || turn !== this.turn) return;
      this.actions.hidden = !this.lines.length;
      this.tell(error);
    } finally {
      if (turn === this.turn) this.bar.hidden = true;
    }
  }

  /**
   * @param {number} share
   * @param {number} turn
   */
  progress(share, turn) {
    if (turn !== this.turn) throw new Discarded();
    this.bar.value = share;
  }

  /**
   * Show the pairs of an upload, then each as it is read.
   * @param {string} id
   * @param {number} turn
   */
  async look(id, turn) {
    /** @type {{ pairs: Pair[], problems: string[] }} */
    const { pairs, problems } = await ask(`/${id}`);
    if (turn !== this.turn) return;
    this.lines = pairs.map((pair, place) => new PairLine(id, pair, place, () => this.count()));
    this.pairs.replaceChildren(...this.lines.map(({ line }) => line));
    this.problems.replaceChildren(...problems.map((text) => element("li", { textContent: text })));
    for (const [place, line] of this.lines.entries()) {
      /** @type {Looked} */
      const looked = await ask(`/${id}/pair?place=${place}`);
      if (turn !== this.turn) return;
      line.take(looked);
    }
    this.tell(pairs.length ? `${pairs.length === 1 ? "One pair was" : `${pairs.length} pairs were`} found.` : "No pair was found.");
    this.count();
  }

  count() {
    const chosen = this.lines.filter((line) => line.isChosen).length;
    this.use.disabled = !chosen;
    this.use.textContent = chosen === 1 ? "Use this pair" : "Use these pairs";
  }

  async used() {
    this.use.disabled = true;
    try {
      const pairs = this.lines.filter((line) => line.isChosen).map((line) => line.choice);
      const found = await ask(`/${this.id}/pairs`, "POST", { pairs });
      this.forget();
      await menu.refresh();
      menu.choose(found.pairs[0].address);
      this.host.close();
    } catch (error) {
      this.tell(error);
      this.count();
    }
  }

  /** @param {string} words */
  async discard(words) {
    const { id } = this;
    this.forget();
    this.tell(words);
    if (id) await ask(`/${id}`, "DELETE").catch(() => null);
  }

  forget() {
    this.turn += 1;
    this.id = "";
    this.lines = [];
    this.actions.hidden = this.bar.hidden = true;
    this.pairs.replaceChildren();
    this.problems.replaceChildren();
    this.tell("");
  }

  /** @param {Listed} listed */
  showOwn({ pairs, on, keep_days, most_bytes }) {
    this.own.replaceChildren(...pairs.map((pair) => {
      const open = () => {
        menu.choose(pair.address);
        this.host.close();
      };
      const about = `${mebibytes(pair.bytes)} · kept for ${pair.days} more days`;
      return broughtLine(pair.label, about, open, () => this.remove(pair.id));
    }));
    this.kept.textContent = on
      ? `Up to ${mebibytes(most_bytes)} at once. Images are kept on this server for ${keep_days} days, or until you delete them or room is needed. ${KEPT}`
      : "This server takes no images from the page: whoever runs it has switched that off.";
  }

  /** @param {string} id */
  async remove(id) {
    try {
      await ask(`/pairs/${id}`, "DELETE");
      this.tell("Deleted.");
    } catch (error) {
      this.tell(error);
    }
    await this.open();
    if (!this.host.contains(document.activeElement)) this.host.focus();
  }
}

/** @type {UploadDialog | null} */
let dialog = null;

function opened() {
  dialog = dialog || new UploadDialog();
  dialog.open();
  return dialog;
}

document.addEventListener("click", (event) => {
  if (closest(event, "#uploads-open")) opened();
});

/** @param {DragEvent} event */
function hasFiles(event) {
  return Boolean(event.dataTransfer?.types.includes("Files"));
}

document.addEventListener("dragover", (event) => {
  if (hasFiles(event)) event.preventDefault();
});

document.addEventListener("drop", async (event) => {
  if (!event.dataTransfer || !hasFiles(event)) return;
  event.preventDefault();
  const found = filesDropped(event.dataTransfer);
  opened().take(await found);
});
