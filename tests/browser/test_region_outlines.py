"""Outlines of regions on both pages: those that touch keep one each. `tests/js/outlines.test.mjs` has each pixel."""

from __future__ import annotations

from tests.browser.conftest import Opener, Server
from tests.browser.pictures import wait_until
from tests.browser.test_compare_page import open_compare

CORE, RIM = "#d6336c", "#0c8599"
TOUCHING = f"core~{CORE[1:]}~b20.20.30.40,rim~{RIM[1:]}~b16.16.20.44_20.16.30.20_20.40.30.44_30.16.34.44"
COUNTS = """([selector, colours]) => {
  const canvas = document.querySelector(selector);
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const pixels = new Uint32Array(data.buffer);
  return colours.map((colour) => pixels.filter((pixel) => pixel === fusevis.pixels.pixelOf(colour)).length);
}"""


def test_regions_that_touch_keep_an_outline_each(open_page: Opener, server: Server) -> None:
    page = open_compare(open_page, server, f"&regions={TOUCHING}&pixel=25,22&zoom=12")
    wait_until(page, lambda: min(page.evaluate(COUNTS, [".compare-canvas", [CORE, RIM]])) > 300)
    explore = open_page(f"?pair={server.pair}&method=deepfuse&regions={TOUCHING}&pixel=25,22")
    explore.wait_for_function("() => fusevis.regions.all().length === 2")

    def least_of(panel: str) -> int:
        selector = f"section[data-panel={panel}] .region-canvas"
        return min(explore.evaluate(COUNTS, [selector, [CORE, RIM]]))

    # The upper and the left side that they share are in the zooms.
    wait_until(explore, lambda: least_of("panel-mri") > 30 and least_of("panel-mri-zoom") > 150)
