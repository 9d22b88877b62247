/* The address follows the view, as CompareState of app/compare_state.py writes it; links to other pages carry it along. */
(function (fusevis) {
  "use strict";

  const { state } = fusevis.compare;
  const LATER_MILLISECONDS = 250;
  let timer = null;

  function written(value) {
    if (Array.isArray(value)) return value.join(",");
    if (typeof value === "boolean") return value ? "1" : "0";
    return String(value);
  }

  /** A gamma as Python writes it, so that equal views have equal links. */
  function decimal(value) {
    return Number.isInteger(value) ? value.toFixed(1) : String(value);
  }

  function pixelOf(pixel) {
    return pixel ? [pixel.row, pixel.col] : null;
  }

  function query() {
    const { first } = state.facts();
    const { gamma1, gamma2, scale, shared, zoom } = state.display;
    const view = {
      columns: state.columns, gamma1, gamma2, methods: state.methods, pair: state.pair,
      pin: pixelOf(state.b.pixel), pixel: state.a.pinned ? pixelOf(state.a.pixel) : null, scale, shared, zoom,
    };
    const parts = new URLSearchParams();
    for (const key of Object.keys(view).sort()) {
      if (written(view[key]) === written(first[key])) continue;
      parts.set(key, key.startsWith("gamma") ? decimal(view[key]) : written(view[key]));
    }
    const text = parts.toString().replaceAll("%2C", ",");
    return text ? `?${text}` : "";
  }

  function follow() {
    timer = null;
    const search = query();
    if (search === window.location.search) return;
    window.history.replaceState(window.history.state, "", window.location.pathname + search);
  }

  /** Let the address follow once nothing has changed for a moment. */
  function later() {
    clearTimeout(timer);
    timer = setTimeout(follow, LATER_MILLISECONDS);
  }

  fusevis.pages.queryFor = (link) => {
    const common = state.common();
    if (link.dataset.page !== "explore" || !common) return "";
    const parts = new URLSearchParams();
    const { first } = state.facts();
    ["gamma1", "gamma2"].forEach((key) => {
      if (state.display[key] !== first[key]) parts.set(key, decimal(state.display[key]));
    });
    parts.set("method", common.method_id);
    parts.set("pair", common.pair_address);
    if (state.a.pinned) parts.set("pixel", pixelOf(state.a.pixel).join(","));
    return `?${parts}`.replaceAll("%2C", ",");
  };

  fusevis.compare.link = { later, query };
})(window.fusevis);
