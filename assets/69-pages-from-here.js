/* What the explore page's links to the other pages carry. */
(function (fusevis) {
  "use strict";

  fusevis.pages.queryFor = (link) => {
    const { scene, pixel, pinned, display } = fusevis.state;
    if (link.dataset.page !== "compare" || !scene) return "";
    const query = new URLSearchParams();
    if (display.gamma1 !== 0.3) query.set("gamma1", display.gamma1);
    if (display.gamma2 !== 0.5) query.set("gamma2", display.gamma2);
    const methods = link.dataset.methods.split(",");
    // A method that the page would not show by itself comes first.
    if (!methods.includes(scene.method_id)) query.set("methods", [scene.method_id, ...methods].join(","));
    query.set("pair", scene.pair_address);
    if (pinned && pixel) query.set("pixel", `${pixel.row},${pixel.col}`);
    return `?${query}`.replaceAll("%2C", ",");
  };
})(window.fusevis);
