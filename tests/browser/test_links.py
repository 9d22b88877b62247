"""Links that open a view, and links that do not deserve it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

import fusion
from tests.browser.conftest import Opener, Server
from tests.browser.pictures import box_pixels


@pytest.fixture
def page(share_page: Opener, server: Server) -> Page:
    """Return the page of a link that names its pair by the beginning of its content's id."""
    content_id = fusion.load_pair(*server.pair_paths).id
    return share_page(f"?pair={content_id[:12]}&method=masknet&pixel=7,41&gamma1=0.8&gamma2=1.5")


def test_a_link_opens_its_state(page: Page) -> None:
    state = page.evaluate("() => ({ ...fusevis.state.display, pinned: fusevis.state.pinned })")
    assert state["gamma1"] == 0.8 and state["gamma2"] == 1.5 and state["pinned"] is True
    assert set(map(tuple, box_pixels(page).values())) == {(7, 41)}
    assert page.input_value("#method-select") == "masknet"


def test_a_content_id_prefix_is_an_address(page: Page, server: Server) -> None:
    assert page.input_value("#pair-select") == server.pair


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("?pair=own&method=none_such&pixel=48,0", ["none_such", "48,0"]),
        (
            "?pair=%3Cscript%3Ealert(1)%3C%2Fscript%3E&method=weighted_averaging&pixel=-1,zero&gamma1=nan&gamma2=9"
            "&surprise=1",
            ["<script>", "pixel", "gamma1", "gamma2", "surprise"],
        ),
    ],
    ids=["method and pixel", "everything"],
)
def test_bad_links_are_named_and_harmless(open_page: Opener, query: str, named: list[str]) -> None:
    page = open_page(query, settled=False)
    for word in named:
        expect(page.locator(".notices")).to_contain_text(word)
