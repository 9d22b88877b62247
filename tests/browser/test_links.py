"""Links that open a view, and links that do not deserve it."""

from __future__ import annotations

import pytest

import fusion
from tests.browser.conftest import Opener, Server
from tests.browser.pictures import box_pixels


def test_a_link_opens_its_state(open_page: Opener, server: Server) -> None:
    page = open_page(f"?pair={server.pair}&method=masknet&pixel=7,41&gamma1=0.8&gamma2=1.5")
    state = page.evaluate("() => ({ ...fusevis.state.display, pinned: fusevis.state.pinned })")
    assert state["gamma1"] == 0.8 and state["gamma2"] == 1.5 and state["pinned"] is True
    assert set(map(tuple, box_pixels(page).values())) == {(7, 41)}
    assert page.input_value("#method-select") == "masknet"


def test_a_content_id_prefix_is_an_address(open_page: Opener, server: Server) -> None:
    content_id = fusion.load_pair(*server.pair_paths).id
    page = open_page(f"?pair={content_id[:12]}&method=weighted_averaging")
    assert page.input_value("#pair-select") == server.pair


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("?pair=nowhere&method=weighted_averaging", ["nowhere"]),
        ("?pair=own&method=none_such&pixel=48,0", ["none_such", "48,0"]),
        (
            "?pair=%3Cscript%3Ealert(1)%3C%2Fscript%3E&method=weighted_averaging&pixel=-1,zero&gamma1=nan&gamma2=9"
            "&surprise=1",
            ["<script>", "pixel", "gamma1", "gamma2", "surprise"],
        ),
    ],
    ids=["pair", "method and pixel", "everything"],
)
def test_bad_links_are_named_and_harmless(open_page: Opener, query: str, named: list[str]) -> None:
    page = open_page(query, settled=False)
    page.wait_for_selector(".toast")
    told = page.locator(".notices").inner_text()
    assert [word for word in named if word not in told] == []
