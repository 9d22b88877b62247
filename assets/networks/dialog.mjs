/*
 * The dialog "Your networks": an ONNX file is dropped or chosen, sent, read by the server, described in a form, tried, and then
 * a method of this browser's menus; below it what was brought before. An ONNX file that is dropped anywhere opens it.
 */

import { closeHeadMenu } from "../core/dialogs.mjs";
import { closest, element } from "../core/elements.mjs";
import { broughtLine, dialogOf, plainButton } from "../core/native-dialog.mjs";
import { answered, send } from "../uploads/server.mjs";
import { mebibytes } from "../uploads/sending.mjs";
import { NetworkForm } from "./form.mjs";
import * as menu from "./menu.mjs";

/**
 * @import { Facts } from "./form.mjs"
 * @typedef {{ id: string, label: string, bytes: number, days: number }} Brought
 * @typedef {{ most_bytes: number, most_bytes_kept: number, piece: number, keep_days: number, methods: Brought[] }} Listed
 * @typedef {{ stage: string, facts: Facts | null, problem: string, kept: Brought | null }} Trial
 */

const OPEN = "#networks-open";
const PAUSE_MILLISECONDS = 500;
const KEPT = "The title that you give it is kept; the name of the file is not. Whoever has a link to a view with it sees it. It runs in a process of its own.";

/**
 * Why a file cannot be sent, in words; nothing where it can. The server says the same.
 * @param {{ name: string, size: number }[]} files
 * @param {number} mostBytes
 */
export function refusal(files, mostBytes) {
  if (files.length !== 1) return "Bring one file: a network as an ONNX file, with its weights in it.";
  const [{ name, size }] = files;
  if (!name.toLowerCase().endsWith(".onnx")) return `${name}: networks are taken as ONNX files, whose names end in .onnx. Programs and pickled weights are not.`;
  if (size > mostBytes) return `${name} has ${mebibytes(size)}; up to ${mebibytes(mostBytes)} are taken.`;
  return "";
}

class NetworkDialog {
  constructor() {
    /** @type {Listed | null} */
    this.listed = null;
    this.id = ""; // of the upload under way
    this.turn = 0; // counts uploads, so that what belongs to one that was discarded is dropped
    /** @type {NetworkForm | null} */
    this.form = null;
    this.message = element("p", { className: "uploads-message", role: "status" });
    this.bar = element("progress", { max: 1, value: 0, hidden: true, ariaLabel: "Sending and trying" });
    this.about = element("div", {});
    this.use = element("button", { type: "button", textContent: "Try and use it", className: "btn btn-sm btn-primary" });
    this.drop = plainButton("Discard");
    this.actions = element("div", { className: "uploads-actions", hidden: true }, this.use, this.drop);
    this.own = element("ul", { className: "uploads-own" });
    this.kept = element("p", { className: "uploads-kept" });
    this.host = dialogOf("Your networks", "networks-dialog",
      this.zone(), this.message, this.bar, this.about, this.actions, this.own, this.kept);
    this.use.addEventListener("click", () => this.tried());
    this.drop.addEventListener("click", () => this.discard("Discarded."));
  }

  zone() {
    const file = element("input", { type: "file", accept: ".onnx", hidden: true, className: "networks-file" });
    file.addEventListener("change", () => {
      const chosen = [...(file.files || [])];
      file.value = ""; // the same can be chosen again
      this.take(chosen);
    });
    const choose = plainButton("Choose a file");
    choose.addEventListener("click", () => file.click());
    return element("div", { className: "uploads-zone" },
      element("p", { textContent: "Drop an ONNX file here: a network of two images, opset 11 to 23, with its weights in the file." }),
      element("div", { className: "uploads-choose" }, choose, file));
  }

  /** Open it, and say what was brought before. */
  async open() {
    if (!this.host.open) this.host.showModal();
    try {
      this.listed = await answered("methods/uploads", "GET");
      this.showOwn(/** @type {Listed} */ (this.listed));
    } catch (error) {
      this.tell(error);
    }
  }

  /** @param {unknown} what - Words, or what went wrong. */
  tell(what) {
    this.message.textContent = what instanceof Error ? what.message : String(what);
  }

  /**
   * Do something about the upload under way; what it brings is dropped where that was discarded meanwhile.
   * @param {(turn: number) => Promise<void>} work
   */
  async during(work) {
    const { turn } = this;
    this.use.disabled = true;
    this.bar.hidden = this.actions.hidden = false;
    try {
      await work(turn);
    } catch (error) {
      if (turn === this.turn) this.tell(error);
    }
    if (turn !== this.turn) return;
    this.use.disabled = !this.form;
    this.bar.hidden = true;
    this.actions.hidden = !this.id;
  }

  /** @param {File[]} files */
  async take(files) {
    await this.discard("");
    await this.during(async (turn) => {
      /** @type {Listed} */
      const listed = this.listed = this.listed || await answered("methods/uploads", "GET");
      const refused = refusal(files, listed.most_bytes);
      if (refused) throw new Error(refused);
      const [file] = files;
      this.tell(`Sending ${file.name} …`);
      const { id } = await answered("methods/uploads", "POST", { name: file.name, size: file.size });
      this.id = id;
      for (let at = 0; at < file.size && turn === this.turn; at += listed.piece) {
        await send(`methods/uploads/${id}?at=${at}`, file.slice(at, at + listed.piece), (bytes) => { this.bar.value = (at + bytes) / file.size; });
      }
      const { facts, problem } = await this.settled(turn, "Reading it …");
      if (turn !== this.turn) return;
      if (!facts) {
        this.id = "";
        throw new Error(problem);
      }
      this.form = new NetworkForm(facts, file.name.replace(/\.onnx$/i, "").slice(0, 60));
      this.about.replaceChildren(this.form.form);
      this.form.form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.tried();
      });
      this.tell("Say what it takes and returns where that is not as here, then let the server try it.");
    });
  }

  /**
   * What comes of what the server does with the upload now.
   * @param {number} turn
   * @param {string} words
   * @returns {Promise<Trial>}
   */
  async settled(turn, words) {
    this.tell(words);
    this.bar.removeAttribute("value"); // nobody knows how long
    for (;;) {
      /** @type {Trial} */
      const trial = await answered(`methods/uploads/${this.id}`, "GET");
      if (turn !== this.turn || !["reading", "trying"].includes(trial.stage)) return trial;
      await new Promise((done) => setTimeout(done, PAUSE_MILLISECONDS));
    }
  }

  async tried() {
    const { form } = this;
    if (!form || this.use.disabled) return;
    await this.during(async (turn) => {
      await answered(`methods/uploads/${this.id}`, "POST", { description: form.tables });
      const { kept, problem } = await this.settled(turn, "Loading and trying it in a process of its own; that takes some seconds, up to two minutes …");
      if (turn !== this.turn) return;
      if (!kept) throw new Error(problem);
      this.forget();
      await menu.refresh();
      menu.choose(kept.id);
      this.host.close();
    });
  }

  /** @param {string} words */
  async discard(words) {
    const { id } = this;
    this.forget();
    this.tell(words);
    if (id) await answered(`methods/uploads/${id}`, "DELETE").catch(() => null);
  }

  forget() {
    this.turn += 1;
    this.id = "";
    this.form = null;
    this.actions.hidden = this.bar.hidden = true;
    this.about.replaceChildren();
    this.tell("");
  }

  /** @param {Listed} listed */
  showOwn({ methods, most_bytes, most_bytes_kept, keep_days }) {
    this.own.replaceChildren(...methods.map((method) => {
      const open = async () => {
        await menu.refresh();
        menu.choose(method.id);
        this.host.close();
      };
      const about = `${mebibytes(method.bytes)} · kept for ${method.days} more days`;
      return broughtLine(method.label, about, open, () => this.remove(method.id));
    }));
    this.kept.textContent = `Up to ${mebibytes(most_bytes)}. Networks are kept on this server for ${keep_days} days, or until you delete them or room is `
      + `needed, of which there are ${mebibytes(most_bytes_kept)} for all together. ${KEPT}`;
  }

  /** @param {string} id */
  async remove(id) {
    try {
      await answered(`methods/${id}`, "DELETE");
      this.tell("Deleted.");
    } catch (error) {
      this.tell(error);
    }
    await this.open();
    await menu.refresh().catch(() => null);
    if (!this.host.contains(document.activeElement)) this.host.focus();
  }
}

/** @type {NetworkDialog | null} */
let dialog = null;

function opened() {
  dialog = dialog || new NetworkDialog();
  dialog.open();
  return dialog;
}

document.addEventListener("click", (event) => {
  if (!closest(event, OPEN)) return;
  closeHeadMenu();
  opened();
});

// Before the dialog of images hears of it.
document.addEventListener("drop", (event) => {
  const files = [...(event.dataTransfer?.files || [])];
  const isMeant = closest(event, ".networks-dialog") || files.some(({ name }) => name.toLowerCase().endsWith(".onnx"));
  if (!files.length || !isMeant || !document.querySelector(OPEN)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  opened().take(files);
}, true);
