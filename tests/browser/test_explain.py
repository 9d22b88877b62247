"""An explained region on both pages: by hand where weights are held constant, in the link, and on the other page."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import numpy as np
from playwright.sync_api import Page, expect

from tests import drawn_pairs
from tests.browser.conftest import Opener
from tests.browser.seen import TOLERANCE

REGIONS = "core~1b9e4b~b1.2.3.4,rim~e69f00~b4.1.5.5"
CORE, RIM = (slice(1, 3), slice(2, 4)), (slice(4, 5), slice(1, 5))
RED, BLUE = drawn_pairs.BLUE_TO_RED[-1], drawn_pairs.BLUE_TO_RED[0]
LINE = "#explain-panel [data-method=weighted_averaging]"


def explained_in_link(page: Page, wanted: str | None) -> None:
    """Wait until the address says that this is explained."""
    page.wait_for_function(
        "(text) => new URLSearchParams(location.search).get('explain') === text", arg=wanted
    )


def words(values: np.ndarray) -> str:
    """Return what the panel says of the derivative with respect to one input."""
    total = np.abs(values).sum()
    negative = -values[values < 0].sum() / total
    signed = f"{values.sum():#.3g}" if abs(values.sum()) > 1e-9 else None
    start = f"Σ {signed.replace('-', '−')}, " if signed else ""
    return f"{start}Σ|·| {total:#.3g}, {round(100 * negative)} % negative"


def test_explain_change_the_question_and_carry(open_page: Opener) -> None:
    page = open_page(f"?pair=drawn&method=weighted_averaging&regions={REGIONS}&explain=contrast.1.2")
    expect(page.locator(LINE)).to_have_attribute("data-state", "known")
    expect(page.locator("#explain-number")).to_have_value("contrast")
    expect(page.locator("#explain-against")).to_have_value("rim")
    # The weights held constant are x1 and x2 themselves: y = x1·x1 + x2·x2, whose derivatives are x1 and x2.
    images = drawn_pairs.images("drawn")
    contrast = np.zeros(images.shape)
    contrast[:, *CORE] = images[:, *CORE] / 4
    contrast[:, *RIM] -= images[:, *RIM] / 4
    figures = page.locator(f"{LINE} figure")
    for index, values in enumerate(contrast):
        expect(figures.nth(index).locator(".explain-sums")).to_contain_text(words(values))
    end = np.abs(contrast).max()
    row, col = np.argwhere(np.abs(contrast[1]) == np.abs(contrast[1]).max())[0]
    if abs(contrast[1, row, col]) == end:
        seen = page.evaluate(
            """([selector, row, col]) => {
              const canvas = document.querySelectorAll(`${selector} canvas`)[1];
              const unit = canvas.height / 6;
              return [...canvas.getContext("2d").getImageData((col + 0.5) * unit, (row + 0.5) * unit, 1, 1).data];
            }""",
            [LINE, int(row), int(col)],
        )
        expected = RED if contrast[1, row, col] > 0 else BLUE
        assert np.abs(np.subtract(seen[:3], expected)).max() <= TOLERANCE

    page.select_option("#explain-number", "mean")
    explained_in_link(page, "mean.1")
    expect(page.locator("#explain-against")).to_be_hidden()
    mean = np.zeros(images.shape)
    mean[:, *CORE] = images[:, *CORE] / 4
    expect(figures.nth(0).locator(".explain-sums")).to_contain_text(words(mean[0]))
    page.focus("#explain-number")
    page.keyboard.press("Escape")
    explained_in_link(page, None)
    page.evaluate("document.getElementById('explain-open').click()")
    explained_in_link(page, "mean.1")

    page.get_by_role("link", name="Compare", exact=True).click()
    for index, values in enumerate(mean):
        expect(page.locator(f"{LINE} .explain-sums").nth(index)).to_contain_text(words(values))
    expect(page.locator("#explain-panel [data-method=funfusean]")).to_have_attribute("data-state", "known")
    assert parse_qs(urlsplit(page.url).query)["explain"] == ["mean.1"]
