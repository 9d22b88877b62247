"""Windows in which the rows of the paper's figure do not fit, and what is said without moving anything."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener, Server
from tests.browser.seen import plot
from tests.browser.test_explore_look import resize


@pytest.mark.parametrize(("width", "height"), [(720, 450), (1100, 800)])
def test_both_inputs_come_first_and_the_last_line_stays_in_sight(
    share_page: Opener, server: Server, width: int, height: int
) -> None:
    page = share_page(f"?pair={server.pair}&method=weighted_averaging")
    resize(page, width, height)
    order = ("mri", "pet", "fused", "guidance-rgb", "jacobian-mri", "jacobian-pet", "guidance-mri")
    places = [plot(page, f"panel-{name}") for name in order]
    assert places == sorted(places, key=lambda place: (place.top, place.left))
    last = page.locator(".status-row").bounding_box()
    assert last is not None and last["y"] + last["height"] <= height + 1
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert places[0].top > plot(page, "panel-mri").top, "it was a longer page than the window"


def test_a_link_that_was_copied_moves_no_tool(share_page: Opener, server: Server) -> None:
    page = share_page(f"?pair={server.pair}&method=weighted_averaging")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    others = page.locator(".head-end :is(button, a), .head-tools :is(button, a)")
    boxes = "(all) => all.map((one) => [one.id, one.getBoundingClientRect().left])"
    before = others.evaluate_all(boxes)
    page.click("#copy-link")
    expect(page.locator("#copy-link")).to_have_text("Link copied")
    assert others.evaluate_all(boxes) == before
    expect(page.locator("#copy-link")).to_have_text("Link")
