/* Opening and closing the numbers, by hand or by a link; while open, the server is told which pixels are pinned. */
window.dash_clientside = window.dash_clientside || {};
(function (fusevis) {
  "use strict";

  const { state, numbers } = fusevis.compare;
  const LOOK_MILLISECONDS = 250;
  let looking = null;
  let told = "";

  const element = (part) => document.getElementById(`compare-numbers${part}`);

  /** What the numbers need of the view; the pointer and the rows need not know of them. */
  function tell() {
    const { a, b, methods } = state;
    const view = { pins: { A: a.pinned ? a.pixel : null, B: b.pixel }, methods };
    const text = JSON.stringify(view);
    if (text === told) return;
    told = text;
    window.dash_clientside.set_props("compare-numbers-view", { data: JSON.parse(text) });
  }

  /** Whether the numbers are to be open now: as a link says, or as a click on one of their buttons does. */
  function wanted(start, open) {
    const { triggered_id: cause } = window.dash_clientside.callback_context;
    return cause === "compare-start" ? Boolean(start && start.numbers) : cause === "compare-numbers-button" && !open;
  }

  function toggle(_clicks, _closes, start, open) {
    const opened = wanted(start, open);
    state.numbers = opened;
    fusevis.address.later();
    const button = element("-button");
    button.setAttribute("aria-expanded", String(opened));
    button.classList.toggle("active", opened);
    clearInterval(looking);
    if (opened) {
      tell();
      looking = setInterval(tell, LOOK_MILLISECONDS);
    }
    return [!opened, opened];
  }

  function typing(target) {
    return target.closest && target.closest("input:not([type=radio], [type=checkbox]), select, textarea, [contenteditable], [class*=dash-dropdown]");
  }

  // At the body: after the components, and before the document, where the same keys move pixels and let them go.
  document.body.addEventListener("keydown", (event) => {
    const inside = event.target.closest && event.target.closest("#compare-numbers");
    const plain = !event.altKey && !event.ctrlKey && !event.metaKey;
    if (inside && event.key === "Escape") {
      event.stopPropagation();
      element("-close").click();
      element("-button").focus();
    } else if (inside && event.key.startsWith("Arrow")) {
      event.stopPropagation();
    } else if (plain && event.key.toLowerCase() === "n" && !typing(event.target)) {
      element("-button").click();
    }
  });

  window.dash_clientside.numbers = { toggle, show: numbers.show };
})(window.fusevis);
