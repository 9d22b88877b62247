/* The list of regions and what can be done with them; the elements are those of app/layout/regions.py. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  let watched = null;

  function panel() {
    return document.getElementById("region-panel");
  }

  function element(kind, properties, ...children) {
    const made = Object.assign(document.createElement(kind), properties);
    made.append(...children);
    return made;
  }

  /** Make the line of the region at a place of the list, whichever region that is. */
  function makeLine(_, index) {
    const { regions } = fusevis;
    const choose = element("input", { type: "radio", name: "region-active", title: "Selections change this region" });
    choose.addEventListener("change", () => regions.choose(index));
    const colour = element("input", { type: "color", className: "region-colour" });
    colour.addEventListener("change", () => regions.recolour(index, colour.value));
    const name = element("input", { type: "text", maxLength: 40, className: "region-name" });
    name.setAttribute("aria-label", `Name of region ${index + 1}`);
    name.addEventListener("change", () => {
      regions.rename(index, name.value);
      name.value = regions.all()[index].name;
    });
    const count = element("span", { className: "region-count" });
    const gone = element("button", { type: "button", className: "region-remove", textContent: "×", title: "Delete this region" });
    gone.addEventListener("click", () => regions.remove(index));
    return element("li", {}, choose, colour, name, count, gone);
  }

  function updateLine(line, region, index) {
    const [choose, colour, name, count, gone] = line.children;
    const active = index === fusevis.regions.active();
    line.className = active ? "region active" : "region";
    choose.checked = active;
    choose.setAttribute("aria-label", `Select into ${region.name}`);
    colour.value = region.colour;
    colour.setAttribute("aria-label", `Colour of ${region.name}`);
    if (line.dataset.name !== region.name) name.value = region.name; // else somebody may be typing another
    count.textContent = `${region.count.toLocaleString("en")} px`;
    gone.setAttribute("aria-label", `Delete ${region.name}`);
    Object.assign(line.dataset, { name: region.name, count: region.count });
  }

  /** What nobody would expect of a selection, in words. */
  function rules() {
    const { regions } = fusevis;
    const region = regions.all()[regions.active()];
    const loaded = `“${region && region.name}” was loaded: a selection begins another region. Shift adds to this one, Alt takes from it.`;
    const full = `There is room for ${regions.MOST} regions.`;
    return [regions.operation() === "replace" && regions.isProtected(region) && loaded, regions.all().length >= regions.MOST && full].filter(Boolean).join(" ");
  }

  function show() {
    const host = panel();
    if (!host) return;
    const { regions } = fusevis;
    const list = regions.all();
    fusevis.panels.fill(host.querySelector(".region-list"), list, (_, index) => index, makeLine, updateLine);
    host.querySelector(".region-empty").hidden = list.length > 0;
    const has = regions.active() >= 0;
    const some = list.some((region) => region.count);
    const full = list.length >= regions.MOST;
    const disabled = {
      "region-invert": !has, "region-clear": !has, "region-export": !some, "region-new": full || !regions.shape(),
      "region-undo": !regions.canUndo(), "region-redo": !regions.canRedo(),
    };
    Object.entries(disabled).forEach(([id, off]) => (document.getElementById(id).disabled = off));
    host.querySelector(".region-rule").textContent = rules();
    fusevis.regionsServer.told("");
    const shape = regions.shape();
    if (shape && watched !== shape.address) known(shape.address);
    fusevis.regionLegend.show();
    fusevis.panels.keepFocus("region-panel");
  }

  /** Ask once a pair whether masks come with it. */
  async function known(pair) {
    watched = pair;
    const button = document.getElementById("region-known");
    button.disabled = true;
    button.title = "Asking …";
    try {
      const { regions } = await fusevis.regionsServer.known(pair);
      if (watched !== pair) return;
      button.known = regions;
      button.disabled = !regions.length;
      button.title = regions.length ? `Add ${regions.map((one) => one.name).join(", ")}` : "No masks come with this pair";
    } catch (error) {
      watched = null;
      button.title = error.message;
    }
  }

  const ACTIONS = {
    "region-new": () => fusevis.regions.add(),
    "region-invert": () => fusevis.regions.invert(),
    "region-clear": () => fusevis.regions.clear(),
    "region-undo": () => fusevis.regions.undo(),
    "region-redo": () => fusevis.regions.redo(),
    "region-export": () => fusevis.regionFiles.save(),
    "region-known": () => fusevis.regionFiles.addKnown(document.getElementById("region-known").known),
    "region-import": () => fusevis.regionFiles.choose(),
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("button[id^=region-]");
    if (button && ACTIONS[button.id]) ACTIONS[button.id]();
  });

  document.addEventListener("change", (event) => {
    if (event.target.id !== "region-operation") return;
    fusevis.regions.setOperation(event.target.value);
    panel().querySelector(".region-rule").textContent = rules();
  });

  const TYPED = "input:not([type=radio], [type=checkbox], [type=color], [type=range]), textarea, [contenteditable]";

  // Fields have an undo of their own.
  document.addEventListener("keydown", (event) => {
    const asked = (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "z";
    if (!asked || (event.target.closest && event.target.closest(TYPED))) return;
    event.preventDefault();
    if (event.shiftKey) fusevis.regions.redo();
    else fusevis.regions.undo();
  });

  /** Begin to show the regions; each page calls it once its elements are there. */
  function start() {
    fusevis.regions.listen(show);
    show();
  }

  fusevis.panels.add("region-panel", { opener: "region-open", closer: "region-close", opened: show });
  fusevis.regionList = { start };
})(window.fusevis);
