/* The menu "Export": files of the view as it is now, made by the server from the link alone. */
(function (fusevis) {
  "use strict";

  const { state, images } = fusevis.compare;
  const CHECK_MILLISECONDS = 500;
  let busy = false;
  let message = "";
  let timer = null;

  function menu() {
    return document.getElementById("compare-export");
  }

  /** Why nothing can be exported now; empty where something can. */
  function obstacle() {
    if (!state.ready().length) return "There is no method to export.";
    const waiting = state.ready().filter((scene) => !(images.get(scene, "guidance") || {}).complete);
    if (!waiting.length) return "";
    const share = (scene) => Math.floor(100 * ((state.progress[scene.key] || {}).fraction || 0));
    const parts = waiting.map((scene) => `${scene.method_title} ${share(scene)} %`);
    return `Guidance images are needed and still computed: ${parts.join(", ")}.`;
  }

  function show() {
    const why = obstacle();
    for (const button of menu().querySelectorAll("[data-export]")) {
      const needsColumn = button.dataset.export !== "npz" && !state.columns.length;
      button.disabled = busy || Boolean(why) || needsColumn;
    }
    menu().setAttribute("aria-busy", String(busy));
    const text = busy ? "The file is being made …" : why || message;
    const status = menu().querySelector("[role=status]");
    if (status.textContent !== text) status.textContent = text;
  }

  /** The link's query; the principal pixel is part of a file even where it is not pinned. */
  function query() {
    const { search } = new URL(fusevis.address.link());
    const { pixel } = state.a;
    const whole = new URLSearchParams(search);
    const known = state.ready().map((scene) => scene.method_id);
    if (known.length < state.methods.length) {
      whole.set("methods", known.join());
      whole.delete("weights");
    }
    if (pixel) whole.set("pixel", `${pixel.row},${pixel.col}`);
    return whole;
  }

  function save(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }

  async function take(form) {
    busy = true;
    message = "";
    show();
    try {
      const answer = await fetch(`${state.facts().home}export/compare.${form}?${query()}`);
      if (answer.ok) {
        const named = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") || "");
        save(await answer.blob(), named ? named[1] : `fusevis.${form}`);
        message = "The file was handed to the browser.";
      } else {
        message = ((await answer.json().catch(() => null)) || {}).error || "The server could not make the file; its log says why.";
      }
    } catch {
      message = "The server cannot be reached.";
    }
    busy = false;
    show();
  }

  document.addEventListener("click", (event) => {
    const own = menu();
    if (!own) return;
    const button = event.target.closest && event.target.closest("[data-export]");
    if (button && own.contains(button)) take(button.dataset.export);
    else if (!own.contains(event.target)) own.open = false;
  });

  document.addEventListener("keydown", (event) => {
    const own = menu();
    if (event.key !== "Escape" || !own || !own.open) return;
    event.stopPropagation(); // Esc closes the menu and lets no pixel go
    own.open = false;
    own.querySelector("summary").focus();
  }, true);

  document.addEventListener("toggle", (event) => {
    if (event.target !== menu()) return;
    clearInterval(timer);
    if (!event.target.open) return;
    message = "";
    show();
    timer = setInterval(show, CHECK_MILLISECONDS);
  }, true);
})(window.fusevis);
