/* What Dash's controls do not do by themselves: a light and a dark theme, and sliders with names. */

const KEY = "fusevis-theme";

function remembered() {
  try {
    return window.localStorage.getItem(KEY);
  } catch {
    return null; // storage is switched off
  }
}

/** @param {string} theme */
function remember(theme) {
  try {
    window.localStorage.setItem(KEY, theme);
  } catch {
    // The choice then lasts as long as the page.
  }
}

/**
 * Show the visitor's choice of theme, else the system's; a click changes it. Gives the button's sign.
 * @param {number | null} clicks
 */
export function changeTheme(clicks) {
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  let theme = remembered() || system;
  if (clicks) {
    theme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    remember(theme);
  }
  root.dataset.bsTheme = theme;
  const words = theme === "dark" ? "Light theme" : "Dark theme";
  const button = document.getElementById("theme-switch");
  if (button) Object.assign(button, { title: words, ariaLabel: words });
  return "◐";
}

/** Name thumbs and number fields of sliders for screen readers: Dash's do not take the names of their labels. */
export function nameSliders() {
  ["gamma1", "gamma2"].forEach((id) => {
    const label = document.querySelector(`label[for="${id}"]`);
    document.querySelectorAll(`#${id} [role=slider], #${id} input`).forEach((part) => {
      if (label) part.setAttribute("aria-label", label.textContent);
    });
  });
}
