/* The panels at the page's side are moved by their heads, so that what they cover can be seen; they stay in the window. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  const REMEMBERED = "fusevis-panel-places"; // by the browser, until its tab is closed
  let places = null; // by the panel's id, { left, top }: where it was put, which may lie outside of a smaller window
  let drag = null; // { host, head, pointer, x, y }: where in the panel it is held

  function known() {
    if (places) return places;
    try {
      places = JSON.parse(window.sessionStorage.getItem(REMEMBERED)) || {};
    } catch {
      places = {}; // a browser may keep nothing
    }
    return places;
  }

  function remember() {
    try {
      window.sessionStorage.setItem(REMEMBERED, JSON.stringify(places));
    } catch {
      // Then it is remembered until the page is left.
    }
  }

  /** Put a panel where it was put, as far as that is inside of the window. */
  function show(host) {
    const place = known()[host.id];
    if (!place || host.hidden) return;
    const { clientWidth, clientHeight } = document.documentElement;
    const within = (value, most) => `${Math.max(0, Math.min(value, most))}px`;
    Object.assign(host.style, {
      right: "auto", left: within(place.left, clientWidth - host.offsetWidth), top: within(place.top, clientHeight - host.offsetHeight),
    });
  }

  const grown = new ResizeObserver((entries) => entries.forEach(({ target }) => show(target)));

  document.addEventListener("panel-opened", ({ target }) => {
    show(target);
    grown.observe(target);
  });
  window.addEventListener("resize", () => document.querySelectorAll(".region-panel").forEach(show));

  document.addEventListener("pointerdown", (event) => {
    const head = event.button === 0 && event.isPrimary && event.target.closest && event.target.closest(".region-head");
    if (!head || drag || event.target.closest("button")) return;
    const host = head.parentNode;
    const { left, top } = host.getBoundingClientRect();
    drag = { host, head, pointer: event.pointerId, x: event.clientX - left, y: event.clientY - top };
    head.setPointerCapture(event.pointerId);
    head.classList.add("dragged");
    event.preventDefault(); // no text is selected
  });

  document.addEventListener("pointermove", (event) => {
    if (!drag || drag.pointer !== event.pointerId) return;
    known()[drag.host.id] = { left: event.clientX - drag.x, top: event.clientY - drag.y };
    show(drag.host);
  });

  // Also where the panel is closed while it is held.
  ["pointerup", "pointercancel", "lostpointercapture"].forEach((kind) => document.addEventListener(kind, (event) => {
    if (!drag || drag.pointer !== event.pointerId) return;
    const { left, top } = drag.host.getBoundingClientRect();
    if (known()[drag.host.id] && !drag.host.hidden) places[drag.host.id] = { left, top };
    remember();
    drag.head.classList.remove("dragged");
    drag = null;
  }));
})(window.fusevis);
