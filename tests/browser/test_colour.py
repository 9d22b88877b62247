"""Pictures in colour: seen in colour, the luma a click away, and the fused image in colour in the link."""

from __future__ import annotations

import numpy as np
from playwright.sync_api import Locator, Page, expect

from tests import drawn_pairs
from tests.browser.conftest import WAIT_MILLISECONDS, Opener

MIDDLE = """(panel) => {
  const canvas = document.querySelector(`section[data-panel="${panel}-zoom"] .colour-canvas:not([hidden])`);
  const [x, y] = [canvas.width / 2, canvas.height / 2].map(Math.round);
  return [...canvas.getContext("2d").getImageData(x, y, 1, 1).data].slice(0, 3);
}"""


def zoom(page: Page, panel: str) -> Locator:
    return page.locator(f'section[data-panel="{panel}-zoom"] .colour-canvas:not([hidden])')


def test_colours_are_seen_and_the_luma_is_a_click_away(open_page: Opener) -> None:
    page = open_page("?pair=tinted&method=weighted_averaging&pixel=2,3&zoom=1&v=3")
    expect(page.locator("#panel-pet .gtitle")).to_have_text("PET (colour)")
    expect(page.locator(".panel-look:visible")).to_have_count(2)
    expect(zoom(page, "panel-pet")).to_have_count(1)
    expect(zoom(page, "panel-fused")).to_have_count(0)
    # Row 2, column 3 is number 19, blue.
    assert page.evaluate(MIDDLE, "panel-pet") == [0, 0, 255]
    page.click('.panel-look[data-panel="panel-pet"]')
    expect(page.locator("#panel-pet .gtitle")).to_have_text("PET (luma)")
    expect(zoom(page, "panel-pet")).to_have_count(0)
    page.click('.panel-look[data-panel="panel-fused"]')
    page.wait_for_function("() => location.search.includes('colour=1')", timeout=WAIT_MILLISECONDS)
    expect(zoom(page, "panel-fused")).to_have_count(1)
    luma = drawn_pairs.tinted()[2, 3] @ [0.2989, 0.587, 0.114] / 0.9999
    x1, x2 = drawn_pairs.images("drawn")[0][2, 3], luma
    y = (x1 * x1 + x2 * x2) / (x1 + x2)
    # Red and green are as far below the luma as in blue itself, blue as far above.
    expected = 255 * np.clip([y - luma, y - luma, y + 1 - luma], 0, 1)
    assert np.abs(np.array(page.evaluate(MIDDLE, "panel-fused")) - expected).max() <= 1
    expect(page.locator("#panel-fused .nsewdrag")).to_have_count(1)
    expect(page.locator("#pair-notes")).to_contain_text("saliency is of the luma")
