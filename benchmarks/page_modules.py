"""The page's own modules for benchmarks and tests: an object ``fusevis`` that a script in the page can look into."""

from __future__ import annotations

import json

from playwright.sync_api import BrowserContext, Page

SHARED = {
    "address": "core/address",
    "colours": "painter/colours",
    "regionCode": "regions/code",
    "regionLink": "regions/link",
    "pixels": "painter/pixels",
    "regionPainter": "painter/regions",
    "regions": "regions/set",
}
EXPLORE = {
    "graphs": "explore/graphs",
    "handover": "explore/handover",
    "overlays": "explore/overlays",
    "pixel": "explore/pixel",
    "readAhead": "explore/read-ahead",
    "regionOverlays": "explore/region-overlays",
    "state": "explore/state",
    "toolbar": "explore/toolbar",
}
COMPARE = {
    "difference": "compare/difference",
    "images": "compare/images",
    "layout": "compare/layout",
    "numbers": "compare/numbers",
    "scale": "compare/scale",
    "scatter": "compare/scatter",
    "state": "compare/state",
    "table": "compare/table",
}
# The page imports its modules without a query: what is imported here are the same instances. They have run by then.
SCRIPT = """
document.addEventListener("DOMContentLoaded", async () => {
  const entry = document.querySelector("script[type=module][src]");
  const [, assets, page] = /^(.*\\/)(explore|compare)\\.mjs$/.exec(entry ? entry.src : "") || [];
  if (!page) return;
  const load = async ([name, path]) => {
    const found = await import(`${assets}${path}.mjs`);
    return [name, name === "state" ? found.state : found];
  };
  const named = async (paths) => Object.fromEntries(await Promise.all(Object.entries(paths).map(load)));
  const shared = await named(SHARED);
  if (page === "explore") window.fusevis = { ...shared, ...(await named(EXPLORE)) };
  else window.fusevis = { ...shared, compare: await named(COMPARE) };
});
"""


def show_modules(pages: BrowserContext | Page) -> None:
    """Let every page that is opened in a context, or in a page, have the object ``fusevis``.

    Parameters
    ----------
    pages : playwright.sync_api.BrowserContext or Page
        Before any address is opened.
    """
    names = [("SHARED", SHARED), ("EXPLORE", EXPLORE), ("COMPARE", COMPARE)]
    constants = "".join(f"const {name} = {json.dumps(paths)};" for name, paths in names)
    pages.add_init_script(f"(() => {{{constants}{SCRIPT}}})();")
