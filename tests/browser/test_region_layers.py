"""Regions as layers: hidden, outlined or filled, more or less opaque; and their panel beside the pictures."""

from __future__ import annotations

import numpy as np
from playwright.sync_api import Page

from tests.browser.conftest import Opener, Server
from tests.browser.pictures import at_rest, wait_until
from tests.browser.seen import table
from tests.browser.test_brushing import PLOT, corners, drag
from tests.browser.test_compare_page import METHODS, SETTLED, open_compare, place
from tests.browser.visitors import HEIGHT, WIDTH

LOOK = "fusevis.regions.all()[0].look"
COLOUR = "fusevis.regions.all()[0].colour"
COVERED = """() => {
  const panel = document.getElementById("region-panel").getBoundingClientRect();
  const places = document.querySelectorAll(".compare-canvas, section[data-panel]");
  return places.length && [...places].some((place) => {
    const { left, right, top, bottom } = place.getBoundingClientRect();
    return left < panel.right - 1 && right > panel.left + 1 && top < panel.bottom - 1 && bottom > panel.top + 1;
  });
}"""


def coloured(page: Page) -> int:
    """Return how many pixels of the table have the first region's colour, as only outlines have it."""
    colour = list(bytes.fromhex(page.evaluate(COLOUR)[1:]))
    return int((np.abs(table(page) - colour) < 3).all(axis=-1).sum())


def test_a_region_is_hidden_outlined_and_filled(open_page: Opener, server: Server) -> None:
    page = open_compare(open_page, server, "&columns=fused")
    page.click("#region-open")
    page.click("[data-tool=box]")
    drag(page, [place(page, *corner) for corner in corners((10, 20), (8, 30))])
    wait_until(page, lambda: coloured(page) > 200)
    page.get_by_role("button", name="Show region").click()
    wait_until(page, lambda: coloured(page) == 0)
    page.wait_for_function("() => location.search.includes('~h&')")
    page.keyboard.press("Control+z")
    wait_until(page, lambda: coloured(page) > 200)
    page.get_by_role("button", name="Outline of region").click()
    wait_until(page, lambda: coloured(page) == 0)
    page.get_by_role("button", name="Filling of region").click()
    assert page.evaluate(LOOK) == {"hidden": False, "outline": True, "filled": False, "opacity": 100}
    slider = page.get_by_label("Opacity of region, percent")
    slider.fill("40")
    page.wait_for_function("() => location.search.includes('~o~p40&')")
    again = open_page("compare" + page.evaluate("location.search"), settled=False, ready=SETTLED)
    again.wait_for_function("() => fusevis.regions.all().length === 1")
    assert again.evaluate(LOOK) == {"hidden": False, "outline": True, "filled": False, "opacity": 40}


def test_a_lasso_on_a_scatterplot_outlines_nothing_until_asked(share_page: Opener, server: Server) -> None:
    page = open_compare(share_page, server)
    page.click("#region-open")
    page.click("[data-tool=box]")
    axes = page.evaluate("fusevis.compare.scatter.ranges()")
    ends = [at_rest(page, PLOT, [METHODS[0], axes[0][end], axes[1][end]]) for end in (0, 1)]
    drag(page, [(ends[0][0] + 2, ends[0][1] - 2), (ends[1][0] - 2, ends[1][1] + 2)])
    page.wait_for_function("() => fusevis.regions.all()[0]?.count > 100")
    assert page.evaluate(LOOK)["outline"] is False
    outline = page.get_by_role("button", name="Outline of region")
    assert outline.get_attribute("aria-pressed") == "false"
    outline.click()
    assert page.evaluate(LOOK)["outline"] is True and outline.get_attribute("aria-pressed") == "true"


def test_the_panel_never_covers_what_one_draws_on(share_page: Opener, server: Server) -> None:
    explore = f"?pair={server.pair}&method=weighted_averaging"
    for page in (open_compare(share_page, server), share_page(explore)):
        for width in (700, WIDTH):
            page.set_viewport_size({"width": width, "height": HEIGHT})
            page.click("#region-open")
            page.wait_for_function(f"() => innerWidth === {width} && !({COVERED})()")
            assert page.is_visible("#region-panel")
            page.click("#region-close")


def test_a_panel_that_floats_comes_back(share_page: Opener, server: Server) -> None:
    page = open_compare(share_page, server)
    page.click("#region-open")
    before = page.locator("#region-panel").bounding_box()
    assert before is not None
    drag(page, [(before["x"] + 60, before["y"] + 20), (500, 400)])
    page.wait_for_function(COVERED)
    page.dblclick("#region-panel .region-head strong")
    page.wait_for_function(f"() => !({COVERED})()")
    assert page.locator("#region-panel").bounding_box() == before
