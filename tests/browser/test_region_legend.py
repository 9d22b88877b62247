"""The legend of the regions beside the button of their list."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Opener, Server

LEGEND = """() => [...document.querySelectorAll("#region-legend > *")].map((entry) => {
  const [dot, name] = entry.children;
  return [name.textContent, entry.title, getComputedStyle(dot).backgroundColor, dot.getBoundingClientRect().width];
})"""
FITS = """() => [...document.querySelectorAll(".readout-row > *, .view-buttons > *")].every((part) => {
  const { right, width } = part.getBoundingClientRect();
  return !width || right <= window.innerWidth;
})"""
HEIGHTS = "() => [...document.querySelectorAll('.page-head, .readout-row')].map((part) => part.offsetHeight)"
TWELVE = (
    """() => Array.from({ length: 12 }, (_, at) => fusevis.regions.add(`a name of some length, ${at}`))"""
)


@pytest.mark.parametrize("address", ["?method=weighted_averaging", "compare?methods=weighted_averaging"])
def test_colours_are_named_while_the_list_is_closed(open_page: Opener, server: Server, address: str) -> None:
    page = open_page(
        f"{address}&pair={server.pair}&pixel=20,30",
        1280,
        720,
        settled=False,
        ready="() => window.fusevis?.regions?.imageShape()",
    )
    legend, button = page.locator("#region-legend"), page.locator("#region-open")
    heights = page.evaluate(HEIGHTS)
    assert legend.is_hidden() and button.get_attribute("aria-label") == "Regions"
    page.evaluate("['core', 'rim'].forEach((name) => fusevis.regions.add(name))")
    assert page.evaluate(LEGEND) == [
        ["core", "core", "rgb(155, 196, 0)", 6],
        ["rim", "rim", "rgb(230, 159, 0)", 6],
    ]
    assert (
        button.inner_text() == "Regions (2)"
        and button.get_attribute("aria-label") == "Regions (2): core, rim"
    )
    assert button.get_attribute("title") == "Regions of interest: core, rim"
    button.click()
    assert legend.is_hidden(), "the list says it"
    button.click()
    page.evaluate("fusevis.regions.remove(0); fusevis.regions.remove(0)")
    assert legend.is_hidden()
    page.evaluate(TWELVE)
    assert page.locator(".region-legend-dot:visible").count() == 12
    assert page.evaluate(FITS) and page.evaluate(HEIGHTS) == heights
    last = page.locator(".region-legend-entry").last.bounding_box()
    place = button.bounding_box()
    assert last is not None and place is not None and last["y"] >= place["y"] + place["height"] - 1, (
        "below it"
    )
