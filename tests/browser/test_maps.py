"""Maps on both pages: never begun unasked, in the colours of the numbers that Python has, in links and exports."""

from __future__ import annotations

import io
from typing import Any
from urllib.request import urlopen

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page, expect

import fusion
from fusion.colours import Limits, Scale, gradient_colours
from fusion.saliency.reach import reach_places
from tests.browser.conftest import Opener, Server
from tests.browser.seen import TOLERANCE, plot

METHOD = "weighted_averaging_true"
IN_TABLE = "maximum"
"""A method of which nobody asks for maps on the other page."""
PIXELS = """([kind, index]) => {
  const canvas = document.querySelector(`[data-map="${kind}"] canvas[data-input="${index}"]`);
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return { height: canvas.height, width: canvas.width, data: [...data] };
}"""
COUNT = """() => {
  const { fetch } = window;
  window.posted = [];
  window.fetch = (place, options) => {
    if (String(place).includes("maps/") && options?.method === "POST") window.posted.push(String(place));
    return fetch(place, options);
  };
}"""


@pytest.fixture(scope="module")
def pair(server: Server) -> fusion.Pair:
    return fusion.load_pair(*server.pair_paths)


@pytest.fixture(scope="module")
def method() -> fusion.Method:
    return fusion.load_method(METHOD, "cpu")


def colours(page: Page, kind: str, index: int) -> NDArray[np.int64]:
    found: dict[str, Any] = page.evaluate(PIXELS, [kind, index])
    return np.array(found["data"]).reshape(found["height"], found["width"], 4)[..., :3]


def test_maps_below_the_pictures(open_page: Opener, pair: fusion.Pair, method: fusion.Method) -> None:
    page = open_page(
        f"?pair=own&method={METHOD}&gamma2=0.5", prepare=lambda page: page.add_init_script(f"({COUNT})()")
    )
    before = plot(page, "panel-fused")
    page.locator(".head-menu > summary").click()
    page.locator("#maps-button").click()
    page.wait_for_function("() => location.search.includes('maps=response,reach,influence')")
    card = page.locator('[data-map="response"]')
    expect(card.locator(".map-status")).to_contain_text("not computed, takes about")
    assert page.evaluate("window.posted") == [], "nothing begins unasked"
    for kind in ("response", "reach", "influence"):
        page.locator(f'[data-map="{kind}"] .map-button').click()
        expect(page.locator(f'[data-map="{kind}"] .map-status')).to_have_text("complete")
        expect(page.locator(f'[data-map="{kind}"]')).to_have_class("map map-known")
    response = fusion.response_map(method, pair)
    influence = fusion.influence_images(method, pair)
    end, largest = Limits.of(response).end(Scale.SIGNED), Limits.of(influence.total).end(Scale.PAPER)
    levels = reach_places(fusion.reach_map(method, pair))
    for index in (0, 1):
        expected = {
            "response": gradient_colours(response[index], Scale.SIGNED, end, 0.5),
            "reach": gradient_colours(levels[index], Scale.PAPER, 7, 1.0),
            "influence": gradient_colours(influence.total[index], Scale.PAPER, largest, 0.5),
        }
        for kind, picture in expected.items():
            wrong = np.abs(colours(page, kind, index) - picture).max(axis=2) > TOLERANCE
            assert wrong.mean() < 0.01, (
                kind,
                index,
            )  # a reach may differ by a step where it passes by a hair
    share = (response[0] < 0).mean()
    assert share > 0
    expect(card.locator(".map-share").first).to_contain_text("contrast reversed (blue)")
    row, col = page.evaluate("[fusevis.state.window.row, fusevis.state.window.col]")
    expect(page.locator('[data-map="reach"] .map-value').first).to_contain_text(f"({row}, {col}): ±")
    page.evaluate("scrollTo(0, 0)")
    after = plot(page, "panel-fused")
    assert (before.height, before.top) == (after.height, after.top), "the panels keep their sizes"
    again = open_page(page.url.rpartition("/")[2].replace("maps=response,reach,influence", "maps=reach"))
    expect(again.locator('[data-map="reach"] .map-status')).to_have_text("complete")
    expect(again.locator('[data-map="reach"]')).to_have_attribute("open", "")
    expect(again.locator('[data-map="response"]')).not_to_have_attribute("open", "")


COMPLETE = "() => document.querySelector('#compare-maps .map-button')?.textContent === 'Maps complete'"
VALUES = """() => {
  const { images, state } = fusevis.compare;
  return [...images.get(state.ready()[0], "response").values];
}"""


def test_maps_in_the_table(open_page: Opener, server: Server, pair: fusion.Pair) -> None:
    query = f"pair=own&methods={IN_TABLE}&columns=fused,response_mri,reach_pet&v=3"
    page = open_page(
        f"compare?{query}",
        ready="() => window.fusevis?.compare?.table?.shown()",
        settled=False,
        prepare=lambda page: page.add_init_script(f"({COUNT})()"),
    )
    button = page.locator("#compare-maps .map-button")
    expect(button).to_be_enabled()
    assert page.evaluate("window.posted") == [], "nothing begins unasked"
    button.click()
    page.wait_for_function(COMPLETE)
    page.wait_for_function(
        "() => fusevis.compare.images.get(fusevis.compare.state.ready()[0], 'response')?.complete"
    )
    expected = fusion.response_map(fusion.load_method(IN_TABLE, "cpu"), pair)
    np.testing.assert_allclose(page.evaluate(VALUES), expected.ravel(), rtol=1e-4, atol=1e-6)
    expect(page.locator('.compare-column[data-column="response_mri"]').first).to_contain_text("Response to")
    with urlopen(f"{server.url}export/compare.npz?{query}") as answer:
        arrays = np.load(io.BytesIO(answer.read()), allow_pickle=False)
    np.testing.assert_allclose(arrays["response"][0], expected, rtol=1e-4, atol=1e-6)
    assert set(np.unique(arrays["reach"])) <= {0, 1, 2, 4, 8, 16, 32, 64}
    with urlopen(f"{server.url}export/compare/{IN_TABLE}/response_mri.png?{query}") as answer:
        assert answer.headers["Content-Type"] == "image/png"
