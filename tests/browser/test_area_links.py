"""The part that the full pictures show: what a page writes into its link, every page takes."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page

from app.link.view_state import ExploreState
from callbacks.link import resolve_area
from tests.browser.conftest import Opener, Server
from tests.browser.pictures import choose_mode, place

WRITTEN = """([parts, height, width]) => parts.map((part) => {
  const found = fusevis.toolbar.linked(part, { height, width });
  return found && fusevis.tracked.write({ area: found.map(fusevis.kinds.decimal).join() });
})"""
SIZES = [(48, 60), (1, 1), (3, 700), (700, 3), (256, 256)]


def parts_of(generator: np.random.Generator, height: int, width: int) -> list[list[float]]:
    """Return parts as zooming and moving may leave them: tiny, huge, far away, and at edges and halves of tenths."""
    count = 1500
    sides = 10.0 ** generator.uniform(-4, 6, (count, 2))
    middles = (
        generator.uniform(-1, 2, (count, 2)) * [height, width] * generator.choice([1, 1, 1, 100], (count, 1))
    )
    random = np.concatenate([middles - sides / 2, middles + sides / 2], axis=1)
    edges = [
        -0.5,
        -0.55,
        -0.46,
        -0.45,
        0,
        0.05,
        0.1,
        1,
        1.05,
        height - 0.5,
        height - 0.55,
        width - 0.45,
        9e9,
        -9e9,
    ]
    chosen = np.sort(generator.choice(edges, (count, 2, 2)), axis=1).reshape(count, 4)
    return [
        part for part in np.concatenate([random, chosen]).tolist() if part[0] < part[2] and part[1] < part[3]
    ]


def test_every_part_that_a_page_writes_is_read(open_page: Opener, server: Server) -> None:
    page = open_page(f"?pair={server.pair}&method=weighted_averaging", settled=False)
    generator = np.random.default_rng()
    for shape in SIZES:
        parts = parts_of(generator, *shape)
        written = page.evaluate(WRITTEN, [parts, *shape])
        assert len({query for query in written if query}) > 50
        for part, query in zip(parts, written, strict=True):
            if query is None:
                continue
            state, notices = ExploreState.from_query(query)
            assert notices == [] and state.to_query() == query, (part, query)
            assert resolve_area(state.area, shape) == (state.area, []), (part, query)
            top, left, bottom, right = state.area or (0, 0, 0, 0)
            if part[2] - part[0] > 1.2 and part[3] - part[1] > 1.2 and max(map(abs, part)) < min(shape):
                np.testing.assert_allclose([top, left, bottom, right], part, atol=0.051, err_msg=query)


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


@pytest.mark.parametrize("area", ["10,10,10.0000001,10.0000001", "-1e9,-1e9,1e9,1e9", "-900,-900,900,900"])
def test_a_part_in_which_nothing_can_be_seen_is_named_and_the_whole_shown(
    open_page: Opener, server: Server, area: str
) -> None:
    page = open_page(f"?pair={server.pair}&method=weighted_averaging&area={area}")
    assert "area" in page.inner_text(".notices")
    ranges = page.evaluate(
        """() => fusevis.graphs.FULL.map((panel) => fusevis.graphs.graph(panel)._fullLayout)
            .map(({ xaxis, yaxis }) => [...xaxis.range, ...yaxis.range])"""
    )
    assert {tuple(one) for one in ranges} == {(-0.5, 59.5, 47.5, -0.5)}
    page.wait_for_function("() => location.search === fusevis.address.query()")
    assert "area" not in page.evaluate("location.search")
