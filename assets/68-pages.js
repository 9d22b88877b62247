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

  // A link made at once after a large region was drawn has that region too.
  document.addEventListener("click", async (event) => {
    const link = event.target.closest && event.target.closest("a[data-page]");
    const elsewhere = event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (!link || elsewhere || !fusevis.regions || !fusevis.regions.isStoring()) return;
    event.preventDefault();
    await fusevis.regions.linkable();
    link.search = fusevis.pages.queryFor(link);
    window.location.assign(link.href);
  });

  /** `queryFor(link)`: each page says for itself what a link of it carries. */
  fusevis.pages = { queryFor: () => "" };
})(window.fusevis);
