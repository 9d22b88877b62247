/* The numbers below the table: what is drawn of them, and what is said to be missing. */
(function (fusevis) {
  "use strict";

  const { make } = fusevis.compare.paint;
  const { text, sentences } = fusevis.compare.numberParts;
  const { makeTable } = fusevis.compare.numberTable;
  const { makeChecklist } = fusevis.compare.numberChecklist;
  let frame = null; // what stays while numbers change: { looks, notes, fill }
  let shown = null; // the data, the tab and the words that are drawn

  function waiting({ waits }) {
    return waits.length ? `Waits for guidance images of ${waits.join(", ")}.` : "";
  }

  /** What is said where a table has no lines. */
  function emptiness(data, tab, state) {
    if (tab === "checklist") return data.checklist.rows ? "" : "No method is chosen.";
    if (data[tab].rows.length) return "";
    return tab === "guidance" ? waiting(state) || "No method is chosen." : "Nothing is known yet.";
  }

  function makeFrame(host, looks, table, tab, empty) {
    host.replaceChildren();
    const notes = make("div", "numbers-notes", host);
    let fill;
    if (empty) {
      const line = make("p", "numbers-empty", host);
      fill = (_table, words) => {
        line.textContent = words;
      };
    } else {
      fill = tab === "checklist" ? makeChecklist(host, table) : makeTable(host, tab, table);
    }
    return { looks, notes, fill };
  }

  function draw(data, tab, empty) {
    const host = document.getElementById("compare-numbers-tables");
    const table = data[tab];
    const { rows: _rows, hint = "", ...rest } = table;
    const looks = JSON.stringify([tab, Boolean(empty), rest]);
    if (!frame || frame.looks !== looks) {
      const inside = [...host.querySelectorAll("button, summary")];
      const held = inside.indexOf(document.activeElement);
      frame = makeFrame(host, looks, table, tab, empty);
      // As those of another pair, whose heads are other elements.
      if (held >= 0) (host.querySelectorAll("button, summary")[held] || host).focus();
    }
    sentences(frame.notes, "numbers-note", [...data.cautions.map((words) => `Warning: ${words}`), hint].filter(Boolean));
    const { scrollTop, scrollLeft } = host;
    frame.fill(table, empty);
    Object.assign(host, { scrollTop, scrollLeft });
  }

  /** Say what is still missing; `influence` is what is said of that on regions. */
  function missing(state, influence) {
    const parts = [waiting(state)];
    if (!state.influence_complete) parts.push(`Influence of regions ${influence}${state.going_on ? "" : ", stopped"}.`);
    return [...parts, ...state.errors].filter(Boolean).join(" ") || "Complete.";
  }

  function status(state) {
    return missing(state, `${Math.floor(100 * state.influence)} %`);
  }

  /** The same without percentages, which would be read aloud every second. */
  function phase(state) {
    const waits = state.waits.map((words) => words.replace(/ \(\d+ %\)$/, ""));
    return missing({ ...state, waits }, "not complete");
  }

  function show(data, state, tab) {
    if (!data || !state) return ["", ""];
    const empty = emptiness(data, tab, state);
    if (!shown || shown.data !== data || shown.tab !== tab || shown.empty !== empty) {
      draw(data, tab, empty);
      shown = { data, tab, empty };
    }
    return [status(state), phase(state)];
  }

  fusevis.compare.numbers = { show };
})(window.fusevis);
