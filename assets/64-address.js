/* The address of every page follows its view, so that it can be sent to a colleague; what a view is, each page says. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  const LATER_MILLISECONDS = 250;
  const providers = [];
  let timer = null;

  /** Encode as Python's urllib.parse.urlencode does with "," kept, so that equal views have equal links. */
  function encoded(text) {
    return encodeURIComponent(text)
      .replace(/[!*'()]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
      .replaceAll("%20", "+")
      .replaceAll("%2C", ",");
  }

  /** The query string of parts by key: keys sorted, what is null or undefined left out. */
  function write(parts) {
    const written = Object.keys(parts)
      .filter((key) => parts[key] !== null && parts[key] !== undefined)
      .sort()
      .map((key) => `${encoded(key)}=${encoded(parts[key])}`);
    return written.length ? `?${written.join("&")}` : "";
  }

  /** A number as Python writes a float. */
  function decimal(value) {
    return Number.isInteger(value) ? value.toFixed(1) : String(value);
  }

  /** A list as a link has it; null where there is none. */
  function list(values) {
    return values ? values.join(",") : null;
  }

  /** Let a part of the page add to the address: `provider()` gives texts by key, null for what is left out, or is
   *  null itself while there is no view yet. */
  function add(provider) {
    providers.push(provider);
  }

  /** The query string of the view as it is now; null while there is none. */
  function query() {
    const parts = providers.map((provider) => provider());
    return parts.length && parts.every(Boolean) ? write(Object.assign({}, ...parts)) : null;
  }

  function follow() {
    clearTimeout(timer);
    timer = null;
    const search = query();
    if (search === null || search === window.location.search) return;
    window.history.replaceState(window.history.state, "", window.location.pathname + search);
  }

  /** Let the address follow once nothing has changed for a moment. */
  function later() {
    clearTimeout(timer);
    timer = setTimeout(follow, LATER_MILLISECONDS);
  }

  // Whoever leaves at once after a change comes back to what was left.
  document.addEventListener(
    "click",
    (event) => timer !== null && event.target.closest && event.target.closest("a[href]") && follow(),
    true,
  );

  /** The whole link to the view as it is now. */
  function link() {
    follow();
    return window.location.href;
  }

  fusevis.address = { add, later, link, query, write, decimal, list };
})(window.fusevis);
