"""The HTML file on paper: A4 in landscape, where nothing may be cut. The menu that gives it is in test_export.py."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page

from app.ids import CompareColumn
from tests.browser.conftest import Known, Server
from tests.browser.test_compare_page import METHODS

MILLIMETRE = 96 / 25.4
WIDTH, HEIGHT = (297 - 24) * MILLIMETRE, (210 - 24) * MILLIMETRE
FIGURES = """() => [...document.querySelectorAll("figure")].map((figure) => {
  const { top, bottom, left, right } = figure.querySelector("img").getBoundingClientRect();
  return { top: top + scrollY, bottom: bottom + scrollY, left, right };
})"""
WIDEST = """() => Math.max(
  ...[...document.querySelectorAll("table")].map((table) => table.getBoundingClientRect().right))"""


@pytest.fixture
def opened(browser: Browser, server: Server, known: Known, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Open the HTML file of a view of the compare page; its console stays empty."""
    messages: list[str] = []
    for method in METHODS:
        known(server.pair, method)
    context = browser.new_context()

    def open_file(query: str, width: int, height: int) -> Page:
        path = tmp_path / "view.html"
        view = f"pair={server.pair}&methods={','.join(METHODS)}&pixel=20,20{query}"
        with urlopen(f"{server.url}export/compare.html?{view}") as answer:
            path.write_bytes(answer.read())
        page = context.new_page()
        page.on("console", lambda message: messages.append(message.text))
        page.set_viewport_size({"width": width, "height": height})
        page.goto(path.as_uri())
        page.wait_for_function("() => [...document.images].every((one) => one.complete)")
        return page

    yield open_file
    context.close()
    assert messages == []


@pytest.mark.parametrize(
    ("columns", "more"),
    [
        (list(CompareColumn), "&pin=2,3&regions=my%20region~7b4fd6~b4.6.20.30"),
        (["fused", "guidance_mri", "guidance_pet", "scatter"], ""),
        (["jacobian_mri_zoom"], "&pin=2,3"),
    ],
)
def test_figures_and_tables_fit_the_page(opened: Callable[..., Page], columns: list[str], more: str) -> None:
    query = f"&difference={','.join(METHODS)}&columns={','.join(columns)}{more}"
    paper = opened(query, int(WIDTH), int(HEIGHT))
    paper.emulate_media(media="print")
    figures = paper.evaluate(FIGURES)
    assert figures[0]["bottom"] <= HEIGHT, "the first one stands below the title, on the same page"
    for figure in figures:
        assert figure["bottom"] - figure["top"] <= HEIGHT and figure["right"] <= WIDTH
    # At its true size, at which 8 points are 8 points.
    assert figures[0]["right"] - figures[0]["left"] == pytest.approx(
        paper.evaluate("() => document.images[0].naturalWidth") / 300 * 96, abs=1
    )
    assert paper.evaluate(WIDEST) <= WIDTH
    pages = len(re.findall(rb"/Type\s*/Page\b", paper.pdf(prefer_css_page_size=True)))
    assert len(figures) < pages <= len(figures) + 5, "those of the tables follow"


def test_no_column_of_the_numbers_is_cut_in_a_window_of_common_width(
    opened: Callable[..., Page],
) -> None:
    other = opened("", 1300, 900)
    assert other.evaluate(
        "() => [...document.querySelectorAll('.scroll')].every((one) => one.scrollWidth <= one.clientWidth)"
    )
