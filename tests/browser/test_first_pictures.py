"""The pictures that a page shows before Dash and Plotly are ready."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Known, Opener, Server, wait_until_settled

PLACES = """() => Object.fromEntries([...document.querySelectorAll(".first-view")].map((canvas) => {
  const { x, y, width, height } = canvas.getBoundingClientRect();
  return [canvas.closest("section").dataset.panel, { x, y, width, height }];
}))"""
TITLES = """(selector) => Object.fromEntries([...document.querySelectorAll(selector)].map(
  (title) => [title.closest("section").dataset.panel, title.textContent]))"""
PICTURES = "() => performance.getEntriesByName('first-view-complete').length > 0"


def seen(page: Page, place: dict[str, float]) -> NDArray[np.int64]:
    """Return what is on the screen inside a place, without its outermost pixels, (h, w, 3)."""
    clip: Any = {
        "x": round(place["x"]) + 2,
        "y": round(place["y"]) + 2,
        "width": round(place["width"]) - 4,
        "height": round(place["height"]) - 4,
    }
    return np.asarray(Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")).astype(np.int64)


def test_pictures_come_before_plotly_and_are_the_same(
    open_page: Opener, server: Server, known: Known
) -> None:
    known(server.pair, "deepfuse")
    query = f"?pair={server.pair}&method=deepfuse&pixel=20,25&zoom=2&gamma1=0.6&gamma2=0.7&scale=signed"
    held: list[Route] = []
    page = open_page(
        query,
        settled=False,
        ready=PICTURES,
        prepare=lambda page: page.route("**/plotly.min.js", lambda route: held.append(route)),
    )
    page.wait_for_function("() => document.querySelectorAll('section[data-panel] .first-view').length === 17")
    assert page.locator("#first-frame").count() == 0, "the page itself has taken over"
    places = page.evaluate(PLACES)
    before = {panel: seen(page, place) for panel, place in places.items()}
    assert not page.evaluate("() => Boolean(window.Plotly)")
    titles = page.evaluate(TITLES, "section[data-panel] .first-title")
    assert len(titles) == 17
    # The window comes before the graphs.
    assert page.locator("[data-field=row]").inner_text() == "20"
    held[0].continue_()
    wait_until_settled(page)
    for name in ("x1", "x2", "y"):
        expect(page.locator(f"[data-field={name}]")).to_have_text(re.compile(r"^\d\.\d{4}$"))
    assert page.locator(".first-view, .first-title").count() == 0
    assert page.evaluate(TITLES, "section[data-panel] .gtitle") == titles, "the graphs have the same titles"
    for panel, place in places.items():
        after = seen(page, place)
        alike = (np.abs(after - before[panel]).max(axis=2) <= 8).mean()
        # Red squares come with the graphs, and the scatterplot's points are drawn by WebGL there.
        assert alike > (0.6 if panel == "panel-scatter" else 0.85), (panel, alike)
    page.select_option("#pair-select", "drawn")
    page.wait_for_function("() => fusevis.state.scene && fusevis.state.scene.pair_address === 'drawn'")
    assert page.locator(".first-view").count() == 0


def test_a_page_without_guidance_images_shows_what_there_is(open_page: Opener, server: Server) -> None:
    page = open_page(
        f"?pair={server.pair}&method=global",
        settled=False,
        ready="() => performance.getEntriesByName('first-view-images').length > 0",
        prepare=lambda page: page.route("**/plotly.min.js", lambda route: None),
    )
    page.wait_for_function("() => document.querySelector('section[data-panel] .first-view')")
    shown = page.evaluate(PLACES)
    assert {"panel-mri", "panel-pet-zoom", "panel-fused"} <= set(shown)
