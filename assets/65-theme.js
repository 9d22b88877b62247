/* Light and dark: the visitor's choice, else the system's. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  const KEY = "fusevis-theme";

  function remembered() {
    try {
      return window.localStorage.getItem(KEY);
    } catch {
      return null; // storage is switched off
    }
  }

  function remember(theme) {
    try {
      window.localStorage.setItem(KEY, theme);
    } catch {
      // The choice then lasts as long as the page.
    }
  }

  function changeTheme(clicks) {
    const root = document.documentElement;
    const system = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    let theme = remembered() || system;
    if (clicks) {
      theme = root.dataset.bsTheme === "dark" ? "light" : "dark";
      remember(theme);
    }
    root.dataset.bsTheme = theme;
    return theme === "dark" ? "Light theme" : "Dark theme";
  }

  fusevis.theme = { changeTheme };
})(window.fusevis);
