"""Pictures of which nothing is painted again lie over their axes wherever these go."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.conftest import Opener

PANELS = ("panel-jacobian-mri", "panel-jacobian-pet")
PLACES = """(panels) => panels.flatMap((panel) => {
  const section = document.querySelector(`section[data-panel="${panel}"]`);
  return [".overlay-canvas", ".nsewdrag"].map((part) => {
    const { left, top, width, height } = section.querySelector(part).getBoundingClientRect();
    return [left, top, width, height];
  });
})"""
NEAR = f"""([panels, before]) => {{
  const found = ({PLACES})(panels);
  const near = (one, other) => one.every((value, at) => Math.abs(value - other[at]) <= 1);
  return !near(found[1], before) && found.every((place, at) => at % 2 || near(place, found[at + 1]));
}}"""


def plot_of(page: Page) -> list[float]:
    found: list[list[float]] = page.evaluate(PLACES, list(PANELS))
    return found[1]


def test_what_is_painted_follows_its_axes(open_page: Opener) -> None:
    page = open_page("?pair=drawn&method=weighted_averaging&pixel=20,33")
    for relayout in (
        lambda: page.click("#region-open"),
        lambda: page.click("#region-close"),
        lambda: page.set_viewport_size({"width": 1100, "height": 800}),
    ):
        before = plot_of(page)
        relayout()
        page.wait_for_function(NEAR, arg=[list(PANELS), before], timeout=20_000)
