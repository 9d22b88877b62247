"""The part that the full pictures show: what a page writes into its link, every page takes."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from app.link.view_state import ExploreState
from tests.browser.conftest import Opener, Server
from tests.browser.pictures import choose_mode, place


def drag(page: Page, first: tuple[float, float], last: tuple[float, float]) -> None:
    page.mouse.move(*place(page, "panel-fused", *first))
    page.mouse.down()
    page.mouse.move(*place(page, "panel-fused", *last), steps=4)
    page.mouse.up()


def wait_for_part(page: Page, before: str) -> str:
    page.wait_for_function("(before) => location.search !== before", arg=before)
    return str(page.evaluate("location.search"))


def test_zooming_far_in_and_moving_far_away_gives_links_that_open(open_page: Opener, server: Server) -> None:
    page = open_page(f"?pair={server.pair}&method=weighted_averaging&area=10.0,10.0,12.0,12.5")
    choose_mode(page, "Zoom")
    search = page.evaluate("location.search")
    drag(page, (10.8, 10.9), (11.2, 11.3))
    page.wait_for_function(
        """() => { const { yaxis } = fusevis.graphs.graph("panel-pet")._fullLayout;
            return Math.abs(yaxis.range[0] - yaxis.range[1]) < 0.9; }"""
    )
    search = wait_for_part(page, search)
    area = ExploreState.from_query(search)[0].area
    assert area and min(area[2] - area[0], area[3] - area[1]) == pytest.approx(1)
    other = open_page(search)
    assert other.locator(".toast").count() == 0 and other.evaluate("location.search") == search


def test_a_part_in_which_nothing_can_be_seen_is_named_and_the_whole_shown(
    open_page: Opener, server: Server
) -> None:
    page = open_page(f"?pair={server.pair}&method=weighted_averaging&area=-900,-900,900,900")
    assert "area" in page.inner_text(".notices")
    ranges = page.evaluate(
        """() => fusevis.graphs.FULL.map((panel) => fusevis.graphs.graph(panel)._fullLayout)
            .map(({ xaxis, yaxis }) => [...xaxis.range, ...yaxis.range])"""
    )
    assert {tuple(one) for one in ranges} == {(-0.5, 59.5, 47.5, -0.5)}
    page.wait_for_function("() => location.search === fusevis.address.query()")
    assert "area" not in page.evaluate("location.search")
