"""Painting on an input: by pointer and keyboard, by hand, its link, and what the other page makes of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from playwright.sync_api import Page, expect

from tests import drawn_pairs
from tests.browser.conftest import Opener
from tests.browser.pictures import at_rest

PIXEL = (2, 3)
PET = "section[data-panel=panel-pet] .overlay"
IN_PET = f"""([across, down]) => {{
  const {{ left, top, width, height }} = document.querySelector("{PET}").getBoundingClientRect();
  return [left + across * width, top + down * height];
}}"""
CHANGED = "2s1.0.2.3"
PLACE = """([row, col]) => {
  const { pictures } = fusevis.compare.table.shown();
  const { area, scene } = pictures.find(({ kind, index, zoom }) => kind === "inputs" && index && !zoom);
  const { left, top } = document.querySelector(".compare-canvas").getBoundingClientRect();
  const [across, down] = [area.width / scene.width, area.height / scene.height];
  return [left + area.left + (col + 0.5) * across, top + area.top + (row + 0.5) * down];
}"""
"""Where a pixel of the second input lies in the window, on the compare page."""
SEEN = f"""(pixel) => {{
  const canvas = document.querySelector(".compare-canvas");
  const {{ left, top, width }} = canvas.getBoundingClientRect();
  const [x, y] = ({PLACE})(pixel);
  const density = canvas.width / width;
  const copy = new OffscreenCanvas(1, 1).getContext("2d", {{ willReadFrequently: true }});
  copy.drawImage(canvas, Math.floor((x - left) * density), Math.floor((y - top) * density), 1, 1, 0, 0, 1, 1);
  return [...copy.getImageData(0, 0, 1, 1).data].slice(0, 3);
}}"""
"""The colour that it has there."""


def change_in_link(page: Page, wanted: str | None) -> None:
    """Wait until the address says this change."""
    page.wait_for_function(
        "(code) => new URLSearchParams(location.search).get('change') === code", arg=wanted
    )


def responses(page: Page) -> dict[str, Any]:
    """Wait for both predictions, and return all responses as images."""
    page.wait_for_function("() => fusevis.change.responses().path")
    found = page.evaluate(
        """() => Object.fromEntries(Object.entries(fusevis.change.responses())
             .map(([name, values]) => [name, values instanceof Float32Array ? [...values] : values]))"""
    )
    return {
        name: np.reshape(values, drawn_pairs.SHAPE) if isinstance(values, list) else values
        for name, values in found.items()
    }


def press_pixel(page: Page, row: int, column: int) -> None:
    """Press and let go on a pixel of the second input."""
    height, width = drawn_pairs.SHAPE
    page.mouse.move(*at_rest(page, IN_PET, [(column + 0.5) / width, (row + 0.5) / height]))
    page.mouse.down()
    page.mouse.up()


def test_paint_predict_take_back_and_carry(open_page: Opener) -> None:
    page = open_page("?pair=drawn&method=weighted_averaging&pixel=4,5")
    page.keyboard.press("b")
    expect(page.locator("#brush-panel")).to_be_visible()
    for _ in range(7):
        page.keyboard.press("[")
    expect(page.locator("#brush-panel output").first).to_have_text("1 px")
    press_pixel(page, *PIXEL)
    change_in_link(page, CHANGED)
    assert page.evaluate("fusevis.state.pixel") == {"row": 4, "col": 5}, "a stroke moves no pixel"

    # x2 becomes 0 there: y was x1² + x2², and is x1; the weights held constant predict −w2·x2 = −x2².
    x1, x2 = (image[PIXEL] for image in drawn_pairs.images("drawn"))
    truth, linear = x1 - (x1**2 + x2**2), -(x2**2)
    found = responses(page)
    for name, value in (("truth", truth), ("linear", linear)):
        expected = np.zeros(drawn_pairs.SHAPE)
        expected[PIXEL] = value
        np.testing.assert_allclose(found[name], expected, atol=1e-6, err_msg=name)
    error = abs(truth - linear) / abs(truth)
    reading = f"predicts {round(100 * (1 - error))} %" if error < 1 else "does not predict this change"
    expect(page.locator("#change-readout")).to_contain_text(reading)
    expect(page.locator("#change-readout")).to_contain_text(f"= {error:.3f}")
    expect(page.locator("section[data-panel=panel-pet]")).to_have_attribute("data-changed", "true")
    shown = page.evaluate(
        f"""() => {{
          const canvas = document.querySelector("{PET} .change-canvas");
          return [...canvas.getContext("2d").getImageData({PIXEL[1]}, {PIXEL[0]}, 1, 1).data];
        }}"""
    )
    assert shown == [0, 0, 0, 255], "the painted input is shown as it is now"

    page.keyboard.press("s")  # at the pinned pixel, on the input that was painted on last
    change_in_link(page, f"{CHANGED}~2s1.0.4.5")
    page.keyboard.press("Control+z")
    change_in_link(page, CHANGED)
    page.keyboard.press("Control+z")
    change_in_link(page, None)
    assert not np.any(page.evaluate("[...fusevis.change.responses().truth]"))
    expect(page.locator("#change-readout")).to_be_hidden()
    page.keyboard.press("Control+Shift+z")
    change_in_link(page, CHANGED)
    page.keyboard.press("Escape")
    page.wait_for_function("() => fusevis.state.mode === 'pixel'")
    assert "pixel=4,5" in page.url, "the brush is put away before the pixel is let go"

    page.get_by_role("link", name="Compare", exact=True).click()
    line = page.locator("#change-panel [data-method=weighted_averaging]")
    expect(line.locator("canvas[data-response=missed]")).to_have_attribute("data-known", "true")
    expect(line.locator(".change-reading")).to_contain_text(f"= {error:.3f}")
    assert parse_qs(urlsplit(page.url).query)["change"] == [CHANGED]
    page.click("#change-clear")
    change_in_link(page, None)

    # Painted here, it is the same change for all methods.
    page.click("#change-panel [data-tool=brush]")
    for _ in range(7):
        page.keyboard.press("[")
    expect(page.locator("#change-panel output").first).to_have_text("1 px")
    x, y = at_rest(page, PLACE, PIXEL)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.up()
    change_in_link(page, CHANGED)
    expect(line.locator(".change-reading")).to_contain_text(f"= {error:.3f}")
    page.wait_for_function(f"(pixel) => ({SEEN})(pixel).every((part) => part < 8)", arg=PIXEL)
    page.keyboard.press("Control+z")
    change_in_link(page, None)
    page.keyboard.press("Escape")
    expect(page.locator("#change-panel [data-tool=brush]")).to_have_attribute("aria-pressed", "false")
