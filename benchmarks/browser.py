"""A headless Chromium for benchmarks and tests, and the way of a pointer over a picture in it.

WebGL is drawn in software, as on a machine without a GPU.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, BrowserType, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)

MOVES = 200

STEP_PIXELS = 2.5

STEP_SECONDS = 0.016

SHARED = {
    "address": "core/address",
    "colours": "painter/colours",
    "kinds": "core/kinds",
    "regionCode": "regions/code",
    "regionLink": "regions/link",
    "painted": "change/set",
    "pixels": "painter/pixels",
    "regionPainter": "painter/regions",
    "regions": "regions/set",
    "tracked": "core/tracked",
}

EXPLORE = {
    "change": "explore/change",
    "graphs": "explore/graphs",
    "handover": "explore/handover",
    "link": "explore/state",
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
    "link": "compare/state",
    "numbers": "compare/numbers",
    "scale": "compare/scale",
    "scatter": "compare/scatter",
    "state": "compare/state",
    "table": "compare/table",
}

# The page imports its modules without a query: what is imported here are the same instances. They have run by then.
SCRIPT = """
document.addEventListener("DOMContentLoaded", async () => {
  const entry = document.querySelector(["explore", "compare"].map((name) => `script[src$="/${name}.mjs"]`).join());
  const [, assets, page] = /^(.*\\/)(explore|compare)\\.mjs$/.exec(entry ? entry.src : "") || [];
  if (!page) return;
  const load = async ([name, path]) => {
    const found = await import(`${assets}${path}.mjs`);
    return [name, ["state", "link"].includes(name) ? found[name] : found];
  };
  const named = async (paths) => Object.fromEntries(await Promise.all(Object.entries(paths).map(load)));
  const shared = await named(SHARED);
  if (page === "explore") window.fusevis = { ...shared, ...(await named(EXPLORE)) };
  else window.fusevis = { ...shared, compare: await named(COMPARE) };
});
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium.

    Raises
    ------
    RuntimeError
        If there is none.
    """
    with sync_playwright() as playwright:
        browser = launched(playwright.chromium)
        yield browser
        browser.close()


def launched(kind: BrowserType) -> Browser:
    """Start a process of the system's Chromium; a second one shares nothing with the first.

    Raises
    ------
    RuntimeError
        If there is none.
    """
    return kind.launch(executable_path=executable(), args=ARGUMENTS)


def launched_profile(kind: BrowserType, width: int, height: int, folder: str = "") -> BrowserContext:
    """Start a process of the system's Chromium with a profile on disk, which keeps what it has compiled of scripts.

    Parameters
    ----------
    kind : playwright.sync_api.BrowserType
        Of the browser.
    width, height : int
        Of its windows, pixels.
    folder : str
        Of the profile; without one it gets a new folder, which goes with it.

    Raises
    ------
    RuntimeError
        If there is none.
    """
    return kind.launch_persistent_context(
        folder, executable_path=executable(), args=ARGUMENTS, viewport={"width": width, "height": height}
    )


def executable() -> str:
    """Return the path of the system's Chromium.

    Raises
    ------
    RuntimeError
        If there is none.
    """
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        raise RuntimeError("This needs Chromium; `make test` installs it.")
    return found


def path_of_the_pointer(box: dict[str, float], moves: int = MOVES) -> list[tuple[float, float]]:
    """Return points along a spiral around the picture's middle, each 2.5 px from the one before."""
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    largest = 0.38 * min(box["width"], box["height"])
    points: list[tuple[float, float]] = []
    angle = 0.0
    while len(points) <= moves:
        radius = max(6.0, largest * (len(points) / moves))
        points.append((middle[0] + radius * math.cos(angle), middle[1] + radius * math.sin(angle)))
        angle += STEP_PIXELS / radius
    return points


def move_along(page: Page, points: list[tuple[float, float]]) -> float:
    """Move the pointer from point to point, one every 16 ms; return how many seconds it took."""
    started = time.monotonic()
    for number, (x, y) in enumerate(points[1:], start=1):
        page.mouse.move(x, y)
        time.sleep(max(0.0, started + number * STEP_SECONDS - time.monotonic()))
    return time.monotonic() - started


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
