/* "Copy link": the link to the view as it is now, into the clipboard or, where a browser refuses that, into a field. */
(function (fusevis) {
  "use strict";

  const CONFIRMED_MILLISECONDS = 2500;
  let timer = null;

  function confirm(button, text) {
    const plain = button.dataset.plain || button.textContent;
    button.dataset.plain = plain;
    button.textContent = text;
    clearTimeout(timer);
    timer = setTimeout(() => (button.textContent = plain), CONFIRMED_MILLISECONDS);
  }

  /** Show the link in a field, selected: browsers grant the clipboard only to pages of this machine and of https. */
  function offer(link, lacking) {
    const dialog = document.createElement("dialog");
    dialog.className = "link-dialog";
    const label = document.createElement("label");
    label.textContent = "Copy this link (Ctrl+C, or ⌘C):";
    const field = document.createElement("input");
    Object.assign(field, { type: "text", readOnly: true, value: link, className: "form-control form-control-sm" });
    const close = document.createElement("button");
    Object.assign(close, { type: "button", textContent: "Close", className: "btn btn-sm btn-outline-secondary" });
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    label.append(field);
    dialog.append(label);
    if (lacking.length) {
      const told = document.createElement("p");
      told.textContent = `It lacks regions that the server did not keep: “${lacking.join("”, “")}”. The list of regions says why.`;
      dialog.append(told);
    }
    dialog.append(close);
    document.body.append(dialog);
    dialog.showModal();
    field.focus();
    field.select();
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest && event.target.closest("#copy-link");
    if (!button) return;
    const lacking = await fusevis.regions.linkable();
    const link = fusevis.address.link();
    try {
      await navigator.clipboard.writeText(link);
    } catch {
      offer(link, lacking);
      return;
    }
    confirm(button, lacking.length ? `Link copied, without ${lacking.join(", ")}` : "Link copied");
  });
})(window.fusevis);
