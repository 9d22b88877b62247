/* Dash's sliders do not take the names of their labels; screen readers need them on thumb and number field. */
window.fusevis = window.fusevis || {};
window.fusevis.nameSliders = () => {
  "use strict";

  ["gamma1", "gamma2"].forEach((id) => {
    const label = document.querySelector(`label[for="${id}"]`);
    document.querySelectorAll(`#${id} [role=slider], #${id} input`).forEach((part) => {
      if (label) part.setAttribute("aria-label", label.textContent);
    });
  });
};
