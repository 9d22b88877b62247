"""The HTML file on paper: A4 in landscape, where nothing may be cut; conftest.py holds the console empty."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.ids import CompareColumn
from tests.browser.conftest import Opener, Server
from tests.browser.test_compare_page import METHODS, open_compare
from tests.browser.test_export import open_menu, taken

MILLIMETRE = 96 / 25.4
WIDTH, HEIGHT = (297 - 24) * MILLIMETRE, (210 - 24) * MILLIMETRE
FIGURES = """() => [...document.querySelectorAll("figure")].map((figure) => {
  const { top, bottom, left, right } = figure.querySelector("img").getBoundingClientRect();
  return { top: top + scrollY, bottom: bottom + scrollY, left, right };
})"""
WIDEST = """() => Math.max(
  ...[...document.querySelectorAll("table")].map((table) => table.getBoundingClientRect().right))"""


@pytest.mark.parametrize(
    ("columns", "more"),
    [
        (list(CompareColumn), "&pin=2,3&regions=my%20region~7b4fd6~b4.6.20.30"),
        (["fused", "guidance_mri", "guidance_pet", "scatter"], ""),
        (["jacobian_mri_zoom"], "&pin=2,3"),
    ],
)
def test_figures_and_tables_fit_the_page(
    open_page: Opener, server: Server, tmp_path: Path, columns: list[str], more: str
) -> None:
    query = f"&difference={','.join(METHODS)}&columns={','.join(columns)}{more}"
    page = open_compare(open_page, server, query)
    open_menu(page)
    path = taken(page, "[data-export=html]", tmp_path)
    paper = page.context.new_page()
    paper.set_viewport_size({"width": int(WIDTH), "height": int(HEIGHT)})
    paper.emulate_media(media="print")
    paper.goto(path.as_uri())
    paper.wait_for_function("() => [...document.images].every((one) => one.complete)")
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
    open_page: Opener, server: Server, tmp_path: Path
) -> None:
    page = open_compare(open_page, server)
    open_menu(page)
    path = taken(page, "[data-export=html]", tmp_path)
    other = page.context.new_page()
    other.set_viewport_size({"width": 1300, "height": 900})
    other.goto(path.as_uri())
    assert other.evaluate(
        "() => [...document.querySelectorAll('.scroll')].every((one) => one.scrollWidth <= one.clientWidth)"
    )
