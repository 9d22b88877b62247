"""Notices: opaque, in the window, each there once, closed by Esc; those that others replace are listed."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener, Server

ADD = """([texts, kind]) => window.dash_clientside.set_props("notices", { children: texts.map((text) => ({
  namespace: "dash_bootstrap_components", type: "Toast",
  props: { children: text, header: "Notice", icon: kind, dismissable: true, is_open: true },
})) })"""
OPEN = ".notices .toast.show"


def tell(page: Page, *texts: str) -> None:
    """Show notices in the place of those that are there, as a callback does."""
    page.evaluate(ADD, [list(texts), "danger"])


@pytest.fixture
def page(share_page: Opener, server: Server) -> Page:
    return share_page(f"?pair={server.pair}&method=weighted_averaging&pixel=10,20", height=600)


def test_a_notice_is_there_once_and_those_that_were_replaced_are_listed(page: Page) -> None:
    tell(page, "No memory.", "No memory.")
    expect(page.locator(OPEN)).to_have_count(1)
    tell(page, "No such pair.")
    expect(page.locator(OPEN)).to_have_text(["NoticeNo such pair."])
    earlier = page.locator(".notices-earlier")
    expect(earlier.locator("summary")).to_have_text("1 earlier notice")
    earlier.locator("summary").click()
    expect(earlier.locator("li")).to_have_text(["No memory."])
    tell(page, "No memory.")
    expect(earlier.locator("li")).to_have_text(["No such pair."])
    page.locator(f"{OPEN} .btn-close").click()
    expect(page.locator(OPEN)).to_have_count(0)
    earlier.get_by_role("button", name="Forget").click()
    expect(earlier).to_be_hidden()


# Lets the pixel go.
def test_notices_are_opaque_in_the_window_and_closed_by_a_key_before_it_lets_the_pixel_go(page: Page) -> None:
    tell(page, *(f"{name} was ignored. " * 8 for name in ("A gamma", "A pixel", "A region")))
    expect(page.locator(OPEN)).to_have_count(3)
    for toast in page.locator(OPEN).all():
        box = toast.bounding_box()
        assert box and box["y"] >= 0 and box["y"] + box["height"] <= 600
        for part in (".toast-header", ".toast-body"):
            colour = toast.locator(part).evaluate(
                """(part) => [part, part.closest(".toast")]
                    .map((one) => getComputedStyle(one).backgroundColor).join()"""
            )
            assert "rgb(" in colour, f"one of them covers what is below: {colour}"
        assert toast.evaluate("(one) => getComputedStyle(one).opacity") == "1"
    page.keyboard.press("Escape")
    expect(page.locator(OPEN)).to_have_count(0)
    assert page.evaluate("() => fusevis.state.pinned"), "the same key lets the pixel go only after that"
    page.keyboard.press("Escape")
    page.wait_for_function("() => !fusevis.state.pinned")
