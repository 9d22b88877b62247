/* Named views: the list, saving, changing, deleting, and studies as files; the elements are those of app/layout/views.py. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  const FAILED = "The server does not answer. Is it still running?";
  let views = [];
  const ticked = new Set();

  const panel = () => document.getElementById("views-panel");

  function element(kind, properties, ...children) {
    const made = Object.assign(document.createElement(kind), properties);
    made.append(...children);
    return made;
  }

  function tell(text) {
    panel().querySelector(".views-message").textContent = text;
  }

  async function answered(path, options) {
    try {
      return await fetch(`${panel().dataset.home}views${path}`, options);
    } catch {
      throw new Error(FAILED);
    }
  }

  async function read(answer) {
    const found = await answer.json().catch(() => ({ error: FAILED }));
    if (found.error) throw new Error(found.error);
    return found;
  }

  async function ask(path, options) {
    return read(await answered(path, options));
  }

  function json(method, values) {
    return { method, body: JSON.stringify(values), headers: { "Content-Type": "application/json" } };
  }

  /** Do something with the server, then show the list as it is now, with these words or with what went wrong. */
  async function act(doing, words) {
    let told;
    try {
      const found = await doing();
      told = typeof words === "function" ? words(found) : words || "";
    } catch (error) {
      told = error.message;
    }
    // After an error too: what went wrong may be that somebody else was faster.
    try {
      ({ views } = await ask(""));
    } catch (error) {
      told = error.message;
    }
    tell(told);
    show();
  }

  function about({ page, query, saved }) {
    const parts = new URLSearchParams(query);
    const methods = parts.get(page === "compare" ? "methods" : "method");
    return [page, parts.get("pair"), methods, new Date(saved).toLocaleDateString()].filter(Boolean).join(" · ");
  }

  function field(view, key, kind, properties) {
    const made = element(kind, { ...properties, value: view[key], className: "region-name" });
    made.setAttribute("aria-label", `${key === "name" ? "Name" : "Note"} of ${view.name}`);
    made.addEventListener("change", () => act(() => ask(`/${view.id}`, json("PATCH", { [key]: made.value })), "Changed."));
    return made;
  }

  function row(view) {
    const home = panel().dataset.home;
    const tick = element("input", { type: "checkbox", checked: ticked.has(view.id), title: "Part of the next export" });
    tick.setAttribute("aria-label", `Export ${view.name}`);
    tick.addEventListener("change", () => (tick.checked ? ticked.add(view.id) : ticked.delete(view.id)));
    const open = element("a", {
      href: `${home || "/"}${view.page === "compare" ? "compare" : ""}${view.query}`, textContent: "Open",
      className: "btn btn-outline-primary btn-sm",
    });
    open.setAttribute("aria-label", `Open ${view.name}`);
    const gone = element("button", { type: "button", className: "region-remove", textContent: "×", title: "Delete this view" });
    gone.setAttribute("aria-label", `Delete ${view.name}`);
    gone.addEventListener("click", () => {
      if (gone.dataset.sure) {
        act(() => ask(`/${view.id}`, { method: "DELETE" }), `“${view.name}” was deleted.`);
        return;
      }
      gone.dataset.sure = "yes";
      gone.textContent = "Delete?";
      gone.addEventListener("blur", show, { once: true });
    });
    const line = element("li", { className: "view" },
      element("div", { className: "view-line" }, tick, field(view, "name", "input", { type: "text", maxLength: 80 }), open, gone),
      element("div", { className: "view-about", textContent: about(view) }),
      field(view, "note", "textarea", { rows: view.note ? 2 : 1, maxLength: 2000, placeholder: "Note" }));
    line.dataset.name = view.name;
    return line;
  }

  function show() {
    const host = panel();
    host.querySelector(".views-list").replaceChildren(...views.map(row));
    host.querySelector(".region-empty").hidden = views.length > 0;
    document.getElementById("views-export").disabled = !views.length;
  }

  function save() {
    const [name, note] = ["views-name", "views-note"].map((id) => document.getElementById(id));
    act(async () => {
      const lacking = await fusevis.regions.linkable();
      if (lacking.length) throw new Error(`The server did not keep the region ${lacking.join(", ")}; the view was not saved. Try again.`);
      const query = new URL(fusevis.address.link()).search;
      const values = { name: name.value, note: note.value, page: panel().dataset.page, query };
      const saved = await ask("", json("POST", values));
      ["views-name", "views-note"].forEach((id) => window.dash_clientside.set_props(id, { value: "" }));
      return saved;
    }, (saved) => `“${saved.name}” was saved.`);
  }

  function exported() {
    const ids = views.filter((view) => ticked.has(view.id)).map((view) => view.id);
    act(async () => {
      const answer = await answered("/study.json", json("POST", { ids }));
      // Only the study itself comes as a file; everything else says what is wrong.
      if (!answer.headers.has("Content-Disposition")) await read(answer);
      fusevis.exportMenu.save(await answer.blob(), "fusevis-study.json");
    }, "The study was handed to the browser.");
  }

  async function taken(file) {
    const most = Number(panel().dataset.largestStudy);
    if (file.size > most) throw new Error(`A study may have up to ${most / 2 ** 20} MiB; this file has ${Math.ceil(file.size / 2 ** 20)}.`);
    return ask("/study", { method: "POST", body: file });
  }

  function imported() {
    const input = element("input", { type: "file", accept: "application/json,.json" });
    input.addEventListener("change", () => act(
      () => taken(input.files[0]),
      ({ added, known }) => `${added} views were added${known ? `, ${known} were here already` : ""}.`));
    input.click();
  }

  function toggle(wanted) {
    const host = panel();
    host.hidden = !wanted;
    document.getElementById("views-open").setAttribute("aria-expanded", String(wanted));
    if (wanted) act(async () => null);
  }

  const ACTIONS = {
    "views-open": () => toggle(panel().hidden), "views-close": () => toggle(false),
    "views-save": save, "views-export": exported, "views-import": imported,
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("button[id^=views-]");
    if (button && ACTIONS[button.id]) ACTIONS[button.id]();
  });

  // The other panel would lie under this one.
  document.addEventListener("click", (event) => {
    const other = event.target.closest && event.target.closest("#region-open, #views-open");
    if (!other) return;
    if (other.id === "region-open" && !panel().hidden) toggle(false);
    if (other.id === "views-open") fusevis.regionList.toggle(false);
  });
})(window.fusevis);
