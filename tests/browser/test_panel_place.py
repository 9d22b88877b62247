"""The panels of regions and views are moved by their heads, stay in the window, and are found there again."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.conftest import Opener, Server
from tests.browser.test_brushing import drag
from tests.browser.test_compare_page import open_compare

BOX = "(id) => { const { left, top, right, bottom } = document.getElementById(id).getBoundingClientRect();" \
    " return [left, top, right, bottom].map(Math.round); }"  # fmt: skip


def box(page: Page, panel: str = "region-panel") -> list[int]:
    found: list[int] = page.evaluate(BOX, panel)
    return found


def move(page: Page, across: float, down: float, panel: str = "region-panel") -> None:
    left, top, *_ = box(page, panel)
    drag(page, [(left + 60, top + 20), (left + 60 + across, top + 20 + down)])


def test_a_panel_goes_where_it_is_dragged(open_page: Opener, server: Server) -> None:
    page = open_compare(open_page, server)
    page.click("#region-open")
    before = box(page)
    move(page, -500, 120)
    assert box(page) == [before[0] - 500, before[1] + 120, before[2] - 500, before[3] + 120]
    page.mouse.move(700, 500)
    assert box(page)[0] == before[0] - 500, "it was let go"
    page.keyboard.press("Escape")
    page.click("#views-open")
    assert box(page, "views-panel")[2] == before[2], "each has a place of its own"
    page.click("#region-open")
    assert box(page)[:2] == [before[0] - 500, before[1] + 120]
    page.click("#region-close")
    page.get_by_role("link", name="Explore", exact=True).click()
    page.wait_for_function("() => window.fusevis?.state?.scene")
    page.click("#region-open")
    assert box(page)[:2] == [before[0] - 500, before[1] + 120], "until the tab is closed"
    other = open_compare(open_page, server)
    other.click("#region-open")
    assert box(other) == before


def test_a_panel_stays_in_the_window(open_page: Opener, server: Server) -> None:
    page = open_compare(open_page, server)
    page.click("#region-open")
    move(page, -3000, -3000)
    assert box(page)[:2] == [0, 0]
    move(page, 600, 400)
    assert box(page)[:2] == [600, 400], "from where it was seen"
    move(page, 3000, 3000)
    assert box(page)[2:] == [1440, 900]
    page.evaluate("for (let i = 0; i < 8; i += 1) fusevis.regions.add('more')")
    at = """([side, place]) =>
        Math.round(document.getElementById("region-panel").getBoundingClientRect()[side]) === place"""
    page.wait_for_function(at, arg=["bottom", 900])
    page.set_viewport_size({"width": 1200, "height": 700})
    page.wait_for_function(at, arg=["right", 1200])
    assert box(page)[3] <= 700
    page.set_viewport_size({"width": 1440, "height": 900})
    page.wait_for_function(at, arg=["right", 1440])
