/* The links between the pages carry the view along: pair, method, pinned pixel and regions. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  function carry(event) {
    const link = event.target.closest && event.target.closest("a[data-page]");
    if (link) link.search = fusevis.pages.queryFor(link);
  }

  // Before the click itself, so that a middle click and a copied address have it too.
  document.addEventListener("pointerdown", carry, true);
  document.addEventListener("click", carry, true);

  /** `queryFor(link)`: each page says for itself what a link of it carries. */
  fusevis.pages = { queryFor: () => "" };
})(window.fusevis);
