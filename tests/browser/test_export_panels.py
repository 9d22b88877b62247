"""The button of a panel saves it as the page shows it, with the regions; conftest.py holds the console empty."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page

from tests.browser.conftest import Opener, Server

VIOLET = (0x7B, 0x4F, 0xD6)
GREEN = (0, 0xC8, 0x53)
REGION = "&regions=my%20region~7b4fd6~b4.6.20.30"
AREA = """(panel) => {
  const { left, top, width, height, x, y } = fusevis.graphs.area(panel);
  return { left, top, width, height, x, y };
}"""
ADD = """() => {
  fusevis.regions.add("my region", fusevis.regionCode.decode("b4.6.20.30", 48, 60));
  fusevis.regions.recolour(0, "#7b4fd6");
}"""
SCALE = 3


def saved(page: Page, panel: str, folder: Path) -> NDArray[np.int_]:
    """Press the button of a panel; return what is in its plot area, (h, w, 3)."""
    with page.expect_download() as download:
        page.hover(f'section[data-panel="{panel}"]')
        page.click(f'section[data-panel="{panel}"] .panel-export')
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    area = page.evaluate(AREA, panel)
    # Axes and colour bar, which the page has once for all pictures, are around a picture that is saved alone.
    area["left"] += 0 if panel == "panel-scatter" else 40
    left, top, width, height = (round(SCALE * area[name]) for name in ("left", "top", "width", "height"))
    whole = np.asarray(Image.open(path).convert("RGB")).astype(int)
    return whole[top : top + height, left : left + width]


def like(picture: NDArray[np.int_], colour: tuple[int, int, int]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.abs(picture - colour).max(axis=-1) < 12
    return found


@pytest.fixture
def page(share_page: Opener, server: Server) -> Page:
    return share_page(f"?pair={server.pair}&method=weighted_averaging&pixel=20,20&zoom=4{REGION}")


def test_whole_pictures_have_the_outlines(page: Page, tmp_path: Path) -> None:
    page.wait_for_function("() => fusevis.regions.all().length === 1")
    for panel in ("panel-mri", "panel-guidance-rgb", "panel-jacobian-pet"):
        outline = like(saved(page, panel, tmp_path), VIOLET)
        height, width = outline.shape
        rows, columns = np.nonzero(outline.mean(axis=1) > 0.2)[0], np.nonzero(outline.mean(axis=0) > 0.2)[0]
        # Rows 4 to 19 of 48, columns 6 to 29 of 60.
        for edges, expected, size in ((rows, (4 / 48, 20 / 48), height), (columns, (6 / 60, 30 / 60), width)):
            np.testing.assert_allclose((edges.min() / size, edges.max() / size), expected, atol=0.015)


def test_a_picture_says_that_it_is_provisional(page: Page) -> None:
    for provisional in (True, False):
        page.evaluate("(now) => { fusevis.state.limits.provisional = now; }", provisional)
        for panel, changes in (
            ("panel-guidance-mri", True),
            ("panel-jacobian-pet", True),
            ("panel-fused", False),
        ):
            page.hover(f'section[data-panel="{panel}"]')
            with page.expect_download() as download:
                page.click(f'section[data-panel="{panel}"] .panel-export')
            name = download.value.suggested_filename
            assert name.endswith("-20-20-provisional.png") == (provisional and changes), name


def test_a_zoom_has_the_outlines_around_its_own_pixel(page: Page, tmp_path: Path) -> None:
    page.wait_for_function("() => fusevis.regions.all().length === 1")
    outline = like(saved(page, "panel-guidance-pet-zoom", tmp_path), VIOLET)
    # The region ends above row 20, the fifth of nine.
    (rows,) = np.nonzero(outline.mean(axis=1) > 0.8)
    assert rows.size and abs(rows.mean() / outline.shape[0] - 4 / 9) < 0.01
    assert not outline[rows.max() + 3 :].any()


def test_a_scatterplot_has_the_regions_points_and_cores_in_the_green_ones(
    open_page: Opener, server: Server, tmp_path: Path
) -> None:
    page = open_page(f"?pair={server.pair}&method=masknet&pixel=12,30&zoom=3")
    without = saved(page, "panel-scatter", tmp_path)
    assert like(without, GREEN).any() and not like(without, VIOLET).any()
    page.evaluate(ADD)
    shown = saved(page, "panel-scatter", tmp_path)
    area = page.evaluate(AREA, "panel-scatter")
    values = page.evaluate(
        "() => fusevis.regionOverlays.guidance().map((value) => Array.from({ length: 48 * 60 }, (_, at) => value(at)))"
    )
    found = np.asarray(values).reshape(2, 48, 60)

    def at(row: int, col: int) -> NDArray[np.int_]:
        """Return the colours around a pixel's point."""
        x, y = found[:, row, col]
        left = SCALE * area["width"] * (x - area["x"][0]) / (area["x"][1] - area["x"][0])
        down = SCALE * area["height"] * (area["y"][1] - y) / (area["y"][1] - area["y"][0])
        return shown[round(down) - 2 : round(down) + 3, round(left) - 2 : round(left) + 3]

    # Of the square of A, columns 27 to 29 are in the region and 30 to 33 are not.
    cores = [like(at(row, col), VIOLET).any() for row in range(9, 16) for col in (27, 28, 29)]
    assert all(cores), "a core is above all others"
    assert like(shown, GREEN).any()
    assert all(
        like(at(row, col), VIOLET).any() or like(at(row, col), GREEN).any()
        for row in range(4, 20)
        for col in (6, 16)
    )
