"""Both pages on paper, one clean sheet each, and both for a projector."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener, Server
from tests.browser.test_compare_page import SETTLED as COMPARE_SETTLED

PAGES = pytest.mark.parametrize(
    ("path", "pictures", "ready"),
    [
        ("", ".panel-grid", "() => window.fusevis && fusevis.state.window"),
        ("compare", ".compare-table", COMPARE_SETTLED),
    ],
)
SIZES = """(selectors) => selectors.map((selector) => {
  const style = getComputedStyle(document.querySelector(selector));
  return [style.fontSize, style.zoom];
})"""
PRESSABLE = (
    ".page button:visible, .page input:visible, .page select:visible, .page-head:visible, .status-row:visible"
)


def opened(open_page: Opener, server: Server, path: str, ready: str) -> Page:
    methods = "methods=weighted_averaging" if path else "method=weighted_averaging"
    return open_page(f"{path}?pair={server.pair}&{methods}&pixel=11,22", settled=not path, ready=ready)


@PAGES
def test_a_page_is_printed_on_one_sheet(
    share_page: Opener, server: Server, path: str, pictures: str, ready: str
) -> None:
    page = opened(share_page, server, path, ready)
    before = page.locator(pictures).bounding_box()
    content = page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", content)) == 1
    page.emulate_media(media="print")
    page.wait_for_function("() => document.documentElement.dataset.printing")
    assert page.locator(PRESSABLE).count() == 0
    box = page.locator(pictures).bounding_box()
    assert box and box["width"] <= 1048 and box["height"] <= 623, "the sheet has room for it"
    note = page.locator(".print-note")
    expect(note).to_be_visible()
    told = note.inner_text()
    assert page.url in told and re.search(r"\d+[./-]\d+[./-]\d+", told), told
    if not path:
        assert "row 11" in told and "col 22" in told
    page.emulate_media(media="screen")
    page.wait_for_function("() => !document.documentElement.dataset.printing")
    expect(note).to_be_hidden()
    assert page.locator(pictures).bounding_box() == before


@PAGES
def test_a_key_makes_a_page_larger_for_a_projector_and_the_browser_remembers_it(
    share_page: Opener, server: Server, path: str, pictures: str, ready: str
) -> None:
    page = opened(share_page, server, path, ready)
    # A page writes its address a moment after its pictures.
    page.wait_for_function("() => new URLSearchParams(location.search).has('v')")
    link = page.url
    box = [".pixel-box"] if not path else []
    first = page.evaluate(SIZES, [".page-head", ".status-row"])
    page.keyboard.press("p")
    page.wait_for_function("() => document.documentElement.dataset.projector === 'on'")
    larger = page.evaluate(SIZES, [".page-head", ".status-row"])
    assert all(float(now[1]) > float(then[1]) for now, then in zip(larger, first, strict=True))
    for selector in box:
        assert (
            page.locator(selector).first.evaluate("(one) => parseFloat(getComputedStyle(one).outlineWidth)")
            >= 4
        )
    assert page.url == link, "it is the reader's own"
    page.reload()
    page.wait_for_function(ready)
    assert page.evaluate("() => document.documentElement.dataset.projector") == "on"
    page.keyboard.press("p")
    page.wait_for_function("() => !document.documentElement.dataset.projector")
    assert page.evaluate(SIZES, [".page-head", ".status-row"]) == first
