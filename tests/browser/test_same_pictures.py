"""A link opened in another browser shows the same pictures, pixel by pixel, and two visitors never meet."""

from __future__ import annotations

import io
from collections.abc import Callable
from urllib.parse import parse_qs

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page

from app.link.view_state import CompareState, ExploreState
from tests.browser.conftest import Opener, Server, wait_until_settled
from tests.browser.pictures import WAIT_MILLISECONDS, choose_mode, click_at, wait_for_pixel
from tests.browser.pictures import place as place_of
from tests.browser.test_brushing import REGIONS, corners, drag
from tests.browser.test_compare_numbers import TABLE
from tests.browser.test_compare_page import SETTLED, open_compare, place
from tests.browser.test_compare_page import wait_for_pixel as wait_for_point
from tests.browser.test_region_links import ADD, of_boxes

EXPLORE = ".panel-grid"
COMPARE = "#compare-table"
NUMBERS = "#compare-numbers"
CANVAS = "() => document.querySelector('.compare-canvas').toDataURL()"
COMPLETE = "() => document.getElementById('compare-numbers-status').textContent === 'Complete.'"
TABLES = ("guidance", "influence", "requirements")
PAINTED = {"change", "colour", "explain", "pole"}
"""Of a link, what `test_brush`, `test_colour`, `test_explain` and `test_poles` open in another page."""
Shot = NDArray[np.uint8]


def shot(page: Page, selector: str) -> Shot:
    """Return the pixels of a part of the page, without its buttons, once they stay; the pointer is elsewhere."""
    page.mouse.move(2, 2)
    page.evaluate("() => document.activeElement.blur()")
    part = page.locator(selector)
    before = b""
    for _ in range(WAIT_MILLISECONDS // 250):
        now = part.screenshot(animations="disabled", mask=[part.locator("button")])
        if now == before:
            break
        before = now
        page.wait_for_timeout(250)
    else:
        raise AssertionError("the pictures do not come to rest")
    return np.asarray(Image.open(io.BytesIO(now)).convert("RGB"))


def require_same(first: Shot, second: Shot) -> None:
    assert first.shape == second.shape
    assert len(np.unique(first.reshape(-1, 3), axis=0)) > 200, "there is something to be seen"
    different = (first != second).any(axis=2)
    places = np.argwhere(different)
    assert not different.any(), f"{different.sum()} pixels from {places.min(axis=0)} to {places.max(axis=0)}"


def link_of(page: Page, keys: set[str]) -> str:
    """Return the query of the page's link, which says something of everything that a link can say."""
    page.evaluate("fusevis.regionLink.linkable()")
    # What was done last goes through Dash first.
    page.wait_for_function(
        """(keys) => location.search === fusevis.address.query()
          && keys.every((key) => new URLSearchParams(location.search).has(key))""",
        arg=sorted(keys),
    )
    search = str(page.evaluate("location.search"))
    assert set(parse_qs(search.removeprefix("?"))) == keys, "nothing is as in the first view"
    return search


def press(page: Page, slider: str, key: str, times: int) -> None:
    for _ in range(times):
        page.locator(f"#{slider} [role=slider]").first.press(key)


def draw_boxes(page: Page, at: Callable[[float, float], tuple[float, float]]) -> None:
    """Draw a region by hand, and have one that is too long for a link."""
    drag(page, [at(*corner) for corner in corners((12, 20), (18, 30))])
    page.evaluate("() => fusevis.regions.choose(-1)")
    page.evaluate(ADD, ["noise, kept ~ 5%", of_boxes(600)])
    assert [region["name"] for region in page.evaluate(REGIONS)] == ["region", "noise, kept ~ 5%"]


def test_a_link_shows_the_same_pictures_in_another_browser(open_page: Opener, server: Server) -> None:
    # The area is of the link already: by hand it would be finer than links say it.
    first = open_page(f"?pair={server.pair}&method=masknet&area=4.0,10.0,30.0,44.0&maps=response")
    press(first, "gamma1", "ArrowRight", 3)
    press(first, "gamma2", "ArrowRight", 2)
    first.select_option("#colour-scale", "signed")
    first.click(".head-menu > summary")
    first.check("#rgb-common")
    first.click(".head-menu > summary")
    first.fill("#zoom-half-width", "6")
    choose_mode(first, "Box")
    draw_boxes(first, lambda row, col: place_of(first, "panel-pet", row, col))
    choose_mode(first, "Pixel")
    click_at(first, "panel-fused", 9, 31)
    wait_for_pixel(first, 9, 31)
    search = link_of(first, set(ExploreState.model_fields) - PAINTED)
    second = open_page(search)
    second.wait_for_function("() => fusevis.regions.all().length === 2")
    pictures = []
    for page in (first, second):
        wait_until_settled(page)
        pictures.append(shot(page, EXPLORE))
    require_same(*pictures)
    assert first.inner_text("#pixel-readout") == second.inner_text("#pixel-readout")
    assert second.evaluate("location.search") == search
    assert second.locator(".toast").count() == 0
    press(second, "gamma2", "ArrowRight", 1)
    second.wait_for_function("(search) => location.search !== search", arg=search)
    wait_until_settled(second)
    assert (shot(second, EXPLORE) != pictures[0]).any(), "a small change would be seen"


def test_a_link_shows_the_same_table_in_another_browser(open_page: Opener, server: Server) -> None:
    chosen = "&methods=deepfuse,weighted_averaging&columns=scatter,guidance_pet,fused,jacobian_pet,jacobian_mri_zoom"
    query = f"compare?pair={server.pair}{chosen}&size=large&shared=0"
    first = open_page(query, settled=False, ready=SETTLED)
    press(first, "gamma1", "ArrowRight", 3)
    press(first, "gamma2", "ArrowRight", 2)
    first.select_option("#compare-scale", "robust")
    first.click(".head-menu > summary")
    first.check("#rgb-common")
    first.click(".head-menu > summary")
    first.fill("#compare-zoom", "7")
    first.select_option("#compare-minuend", "weighted_averaging")
    first.select_option("#compare-subtrahend", "deepfuse")
    first.wait_for_function("() => document.querySelector('[data-method=difference]')")
    first.click("#region-open")
    first.click("[data-tool=box]")
    draw_boxes(first, lambda row, col: place(first, row, col))
    first.click("[data-tool=point]")
    first.click("#region-close")
    first.mouse.click(*place(first, 9, 31, "inputs"))
    first.keyboard.down("Shift")
    first.mouse.click(*place(first, 20, 8, "inputs"))
    first.keyboard.up("Shift")
    wait_for_point(first, 9, 31)
    wait_for_point(first, 20, 8, "b")
    first.get_by_role("button", name="Numbers", exact=True).click()
    search = link_of(first, set(CompareState.model_fields) - PAINTED)
    second = open_page(f"compare{search}", settled=False, ready=SETTLED)
    second.wait_for_function("() => fusevis.regions.all().length === 2")
    for page in (first, second):
        page.wait_for_function(COMPLETE)
        page.wait_for_function(SETTLED)
    for selector in (COMPARE, NUMBERS):
        require_same(shot(first, selector), shot(second, selector))
    assert first.evaluate(CANVAS) == second.evaluate(CANVAS), "what has to be scrolled to as well"
    for table in TABLES:
        assert first.evaluate(TABLE, table) == second.evaluate(TABLE, table)
    assert second.evaluate("location.search") == search
    assert second.locator(".toast").count() == 0
    before = second.evaluate(CANVAS)
    press(second, "gamma2", "ArrowRight", 1)
    second.wait_for_function("(search) => location.search !== search", arg=search)
    shot(second, COMPARE)
    assert second.evaluate(CANVAS) != before, "a small change would be seen"


def test_two_visitors_of_the_table_never_meet(open_page: Opener, server: Server) -> None:
    one = open_compare(open_page, server, "&pixel=9,31&regions=mine~e69f00~b2.3.9.11")
    link = f"compare?pair={server.pair}&methods=masknet,deepfuse&pixel=40,50&pin=3,4&gamma1=1.5&scale=signed"
    other = open_page(f"{link}&regions=yours~7b4fd6~b20.21.30.33", settled=False, ready=SETTLED)
    other.wait_for_function("() => location.search === fusevis.address.query()")
    others = other.evaluate("location.search")
    untouched = shot(other, COMPARE)
    one.keyboard.press("ArrowRight")
    wait_for_point(one, 9, 32)
    one.keyboard.press("b")
    wait_for_point(one, 9, 32, "b")
    one.select_option("#compare-scale", "robust")
    one.evaluate(ADD, ["more of mine", of_boxes(600)])
    one.select_option("#compare-minuend", "deepfuse")
    one.select_option("#compare-subtrahend", "weighted_averaging")
    one.evaluate("fusevis.regionLink.linkable()")
    one.wait_for_function(
        "() => location.search === fusevis.address.query() && location.search.includes('difference')"
    )
    require_same(untouched, shot(other, COMPARE))
    assert other.evaluate("location.search") == others
    other.keyboard.press("ArrowDown")
    wait_for_point(other, 41, 50)
    other.evaluate("() => fusevis.regions.invert()")
    seen = [CompareState.from_query(page.evaluate("location.search"))[0] for page in (one, other)]
    assert [(state.pixel, state.pin, state.scale, state.gamma1) for state in seen] == [
        ((9, 32), (9, 32), "robust", 0.3),
        ((41, 50), (3, 4), "signed", 1.5),
    ]
    assert [state.methods for state in seen] == [("weighted_averaging", "deepfuse"), ("masknet", "deepfuse")]
    assert [state.difference for state in seen] == [("deepfuse", "weighted_averaging"), ()]
    names = [[region["name"] for region in page.evaluate(REGIONS)] for page in (one, other)]
    assert names == [["mine", "more of mine"], ["yours"]]
