/* What regions need the server for: reading PNG masks, the masks that come with a pair, and codes too long for a link. */
window.fusevis = window.fusevis || {};
(function (fusevis) {
  "use strict";

  const FAILED = "The server does not answer. Is it still running?";

  async function answered(path, options) {
    let answer;
    try {
      answer = await fetch(`${fusevis.regionsServer.home()}regions/${path}`, options);
    } catch {
      throw new Error(FAILED);
    }
    const found = await answer.json().catch(() => ({ error: FAILED }));
    if (!answer.ok || found.error) throw new Error(found.error || FAILED);
    return found;
  }

  fusevis.regionsServer = {
    /** Where the server is: the address of the first page. */
    home: () => document.getElementById("region-panel").dataset.home,
    /** Keep a code; gives { id }. */
    keep: (code) => answered("codes", { method: "POST", body: code }),
    /** Read a PNG mask for a pair; gives { name, code }. */
    read: (pair, file) => answered(`png/${encodeURIComponent(pair)}?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file }),
    /** The masks that come with a pair; gives { regions: [{ name, code }] }. */
    known: (pair) => answered(`known/${encodeURIComponent(pair)}`),
    /** Say something of the regions: in their panel, or while that is closed on the page's status line. */
    told: (message) => {
      const panel = document.getElementById("region-panel");
      if (!panel) return;
      panel.querySelector(".region-message").textContent = message;
      if (message && panel.hidden) (fusevis.compare || fusevis).readout.fail(message);
    },
  };
})(window.fusevis);
