"""The numbers below the compare page's table, as a visitor opens, sorts and saves them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Page

import fusion
from app.settings import Settings
from fusion.statistics.comparison import MethodComparison, compare_method
from fusion.statistics.records import csv_text, records
from fusion.statistics.regions import inside_head, whole_image
from fusion.statistics.wording import shown, slope_shown
from tests.browser.conftest import Opener, Server
from tests.browser.test_brushing import corners, drag
from tests.browser.test_compare_page import METHODS, SETTLED, open_compare, place

PIXEL = (20, 33)
TABLE = """(name) => [...document.querySelectorAll(`[data-table="${name}"] tbody tr`)].map((row) =>
  [...row.children].map((cell) => cell.textContent))"""


def column(page: Page, number: int) -> list[str]:
    return [row[number] for row in page.evaluate(TABLE, "guidance")]


TABS = {"Guidance by region": "guidance", "Influence": "influence", "requirements": "checklist"}


def choose_tab(page: Page, label: str) -> None:
    page.locator("#compare-numbers-tab").get_by_text(label).click()
    page.wait_for_function("(name) => document.querySelector(`[data-table=${name}]`)", arg=TABS[label])


@pytest.fixture
def threads_of_the_server() -> Iterator[None]:
    """Compute with as many threads as the server's guidance images have: with others, last digits are others."""
    before = torch.get_num_threads()
    torch.set_num_threads(Settings().guidance_threads)
    yield
    torch.set_num_threads(before)


def expected(server: Server) -> list[MethodComparison]:
    pair = fusion.load_pair(*server.pair_paths)
    regions, found = [whole_image(pair.shape), inside_head(pair)], []
    for id in METHODS:
        method = fusion.load_method(id, "cpu")
        fused, guidance = fusion.fuse(method, pair), fusion.guidance(method, pair)
        found.append(compare_method(method, pair, fused, guidance, regions, [PIXEL]))
    return found


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def require_equal(row: dict[str, str], right: dict[str, str]) -> None:
    assert {**row, "value": "", "text": ""} == {**right, "value": "", "text": ""}
    if row["method"] == "weighted_averaging" or not right["value"]:
        assert row == right
    else:
        # Networks: sums may run in another order, since the server's batches are others.
        assert float(row["value"]) == pytest.approx(float(right["value"]), rel=1e-5, abs=1e-7)


@pytest.mark.usefixtures("threads_of_the_server")
def test_numbers_are_opened_sorted_and_saved(open_page: Opener, server: Server) -> None:
    page = open_compare(open_page, server, f"&pixel={PIXEL[0]},{PIXEL[1]}")
    button = page.get_by_role("button", name="Numbers", exact=True)
    asked: list[Any] = []
    page.on("request", lambda request: asked.append(request.post_data))
    full = page.evaluate("() => document.getElementById('compare-table').clientHeight")
    page.wait_for_timeout(1300)
    assert not [body for body in asked if body and "compare-numbers-poll" in body], "closed: nothing is asked"
    assert button.get_attribute("aria-expanded") == "false"
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(
        "() => document.getElementById('compare-numbers-status').textContent === 'Complete.'"
    )
    assert button.get_attribute("aria-expanded") == "true"
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")

    comparisons = expected(server)
    average = comparisons[0].guidance[0]
    rows = page.evaluate(TABLE, "guidance")
    assert [row[0] for row in rows] == ["whole image"] * 2 + ["head"] * 2
    means = [
        shown(value) for value in (average.x1.mean, average.x2.mean, average.x1.median, average.x2.median)
    ]
    assert rows[0][3:7] == means
    assert average.pearson == pytest.approx(-1) and average.line.slope == pytest.approx(-1)
    assert rows[0][-4:] == ["−1.000"] * 3 + ["1.000"], "weighted averaging: g2 = 1 − g1"

    lines = [found.guidance[number].line for number in (0, 1) for found in comparisons]
    slopes = [line.slope for line in lines if slope_shown(line) != "–"]
    heads = page.locator(
        "[data-table=guidance] th", has=page.get_by_role("button", name="total least squares")
    )
    for direction, down in (("descending", True), ("ascending", False)):
        heads.get_by_role("button").click()
        assert heads.get_attribute("aria-sort") == direction
        expected_slopes = [shown(slope) for slope in sorted(slopes, reverse=down)]
        assert column(page, -2) == expected_slopes + ["–"] * (len(lines) - len(slopes))
    heads.get_by_role("button").press("Enter")
    assert page.evaluate(TABLE, "guidance") == rows, "the first order again"

    choose_tab(page, "Influence")
    (first, *_) = page.evaluate(TABLE, "influence")
    x1 = comparisons[0].pixel_influence[0].x1
    assert first[0].startswith("A 20,33") and first[3] == shown(x1.total)

    choose_tab(page, "requirements")
    verdicts = page.locator("[data-table=checklist] .verdict")
    assert verdicts.count() == 4 * len(METHODS)
    told = [text.replace("\n", " ") for text in verdicts.all_inner_texts()]
    assert told[0] == "? undecidable" and page.locator("[data-table=checklist] .numbers-rule").count() == 4

    with page.expect_download() as download:
        page.get_by_role("button", name="Export CSV").click()
    assert download.value.suggested_filename == f"{server.pair}_compare.csv"
    saved = rows_of(Path(download.value.path()).read_text(encoding="utf-8"))
    pair_id = fusion.load_pair(*server.pair_paths).id
    right = rows_of(csv_text(records(server.pair, pair_id, comparisons)))
    assert len(saved) == len(right)
    for row, wanted in zip(saved, right, strict=True):
        require_equal(row, wanted)

    page.locator("#compare-numbers-tables").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    page.wait_for_function("() => document.getElementById('compare-numbers').hidden")
    assert page.evaluate("() => document.activeElement.id") == "compare-numbers-button"
    state = page.evaluate("() => fusevis.compare.state.a")
    assert state["pinned"] and state["pixel"] == {"row": 20, "col": 33}, "its keys do not move the pixel"
    assert page.evaluate("() => document.getElementById('compare-table').clientHeight") == full
    page.keyboard.press("n")
    page.wait_for_function("() => !document.getElementById('compare-numbers').hidden")


def test_a_link_opens_the_numbers_and_a_drawn_region_joins_them(open_page: Opener, server: Server) -> None:
    page = open_compare(open_page, server, "&numbers=1")
    page.wait_for_function(f"() => ({TABLE})('guidance').length === 4")
    button = page.get_by_role("button", name="Numbers", exact=True)
    assert button.get_attribute("aria-expanded") == "true"
    page.wait_for_function("() => location.search.includes('weights=')")
    assert "&numbers=1&" in page.evaluate("() => location.search"), "and the address still says so"

    page.click("#region-open")
    page.click("[data-tool=box]")
    drag(page, [place(page, *corner, "inputs") for corner in corners((10, 20), (8, 30))])
    page.click("#region-close")
    page.wait_for_function(f"() => ({TABLE})('guidance').length === 6")
    rows = [row for row in page.evaluate(TABLE, "guidance") if row[0] == "region"]
    pair = fusion.load_pair(*server.pair_paths)
    for row, id in zip(rows, METHODS, strict=True):
        guidance = fusion.guidance(fusion.load_method(id, "cpu"), pair)[:, 10:21, 8:31]
        assert row[2] == str(11 * 23)
        means = [float(text.replace("−", "-")) for text in row[3:5]]
        np.testing.assert_allclose(means, guidance.mean(axis=(1, 2)), atol=1.1e-3)

    page.get_by_role("button", name="Close", exact=True).click()
    page.wait_for_function("() => !location.search.includes('numbers=')")
    assert page.locator("#compare-numbers").is_hidden()
    again = open_page(f"compare{page.evaluate('() => location.search')}", settled=False, ready=SETTLED)
    assert again.locator("#compare-numbers").is_hidden()
