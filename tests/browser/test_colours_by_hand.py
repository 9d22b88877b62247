"""Colours of every picture of both pages, and of exported ones, against colours that were worked out by hand.

Catches by hand-made faults: guidance RGB with red and green (or any two bands) swapped, Jacobian images with gamma 2
and guidance images with gamma 1, either modality in the other's place, pictures and zooms a row or a column off; in
Plotly's graphs, in the first view, on the canvases that follow the pointer, on the compare page and in exports.
"""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Sequence
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page

from tests import drawn_pairs as drawn
from tests.browser.conftest import Known, Opener, Server, wait_until_settled
from tests.browser.seen import (
    DASH,
    Held,
    Rectangle,
    cells,
    eventually,
    pictures,
    plot,
    require_colours,
    rgb,
    screen,
    table,
)
from tests.browser.test_compare_page import SETTLED as COMPARE_SETTLED

ADDRESS = "drawn"
HALF = 2
GAMMAS = (0.25, 0.5)
"""Gamma 1 and gamma 2. (k / 9)² has colour k of Viridis in guidance images and √(9·k) of them in Jacobian images."""
PIXEL = (2, 3)
STEPPED = (2, 4)
DISPLAY = f"gamma1={GAMMAS[0]}&gamma2={GAMMAS[1]}&zoom={HALF}"
FIRST_PICTURES = "() => document.querySelectorAll('section[data-panel] .first-view').length === 17"
AT = """([row, col]) => ["row", "col"].every((name, at) =>
  document.querySelector(`#pixel-readout [data-field=${name}]`).textContent === String([row, col][at]))"""

Colours = NDArray[np.float64]


def expected_pictures(
    pixel: tuple[int, int], signed: bool = False, gammas: tuple[float, float] = GAMMAS
) -> dict[str, Colours]:
    """Return the colours of all whole pictures of a scene, by the names that panels and columns have."""
    gamma1, gamma2 = gammas
    first, second = drawn.images(ADDRESS)
    found = {
        "mri": drawn.gray(first),
        "pet": drawn.gray(second),
        "fused": drawn.gray(drawn.fused(ADDRESS)),
        "guidance-rgb": drawn.guidance_rgb(ADDRESS),
    }
    for index, (name, image) in enumerate((("mri", first), ("pet", second))):
        found[f"guidance-{name}"] = drawn.gradient_colours(image, gamma2, signed)
        found[f"jacobian-{name}"] = drawn.jacobian_colours(ADDRESS, index, pixel, gamma1, signed)
    return found


def require_panels(page: Page, pixel: tuple[int, int], what: str, signed: bool = False) -> None:
    """Compare all pictures and zooms of the explore page, as they are on the screen."""
    image = screen(page)
    for name, whole in expected_pictures(pixel, signed).items():
        for panel, expected in ((name, whole), (f"{name}-zoom", drawn.cut(whole, pixel, HALF))):
            found = cells(image, plot(page, f"panel-{panel}"), expected.shape)
            require_colours(found, expected, f"{what}, panel {panel}")


def test_the_expectations_are_what_they_say() -> None:
    """Pin a few colours as literal numbers, so that a mistake in the helpers cannot hide one of the page."""
    first, second = drawn.images(ADDRESS)
    assert (first[0, 1], second[0, 1]) == (pytest.approx(16 / 81), pytest.approx(65 / 81)), "k = 4"
    shown = expected_pictures((0, 1))
    assert shown["guidance-mri"][0, 1].round().tolist() == [0x26, 0x82, 0x8E], "(16/81)^0.5 = 4/9 of Viridis"
    assert shown["jacobian-mri"][0, 1].round().tolist() == [0x35, 0xB7, 0x79], "(16/81)^0.25 = 6/9 of Viridis"
    assert shown["jacobian-mri"][0, 0].tolist() == [178, 182, 189], "gray outside of the support"
    # y = (16² + 65²) / 81² = 0.683, where all of them reach from k = 6, (36² + 45²) / 81² = 0.506, to 1.
    assert shown["guidance-rgb"][0, 1].round().tolist() == [50, 205, 91]
    signed = expected_pictures((0, 1), signed=True)
    assert signed["guidance-mri"][3, 0].tolist() == [103, 0, 31], "k = 9: 1, the red end"
    assert signed["jacobian-mri"][0, 0].tolist() == [178, 182, 189], "not the middle, which is 0"


def test_every_picture_of_the_explore_page(open_page: Opener) -> None:
    page = open_page(
        f"?pair={ADDRESS}&method=weighted_averaging&pixel=2,3&{DISPLAY}&scale=paper", height=1700
    )
    require_panels(page, PIXEL, "Plotly")
    require_stepping(page, "ArrowRight", STEPPED, signed=False)
    page.select_option("#colour-scale", "signed")
    page.wait_for_function("() => location.search.includes('scale=signed')")
    eventually(page, lambda: require_panels(page, STEPPED, "Plotly on another scale", signed=True))
    page.evaluate("document.activeElement.blur()")
    require_stepping(page, "ArrowLeft", PIXEL, signed=True)


def require_stepping(page: Page, key: str, pixel: tuple[int, int], signed: bool) -> None:
    """Press an arrow key, and compare what is painted at once and what Plotly draws later."""
    held = Held(page, DASH)
    page.keyboard.press(key)
    page.wait_for_function(AT, arg=list(pixel))
    eventually(page, lambda: require_panels(page, pixel, "canvases that follow the pointer", signed))
    held.release()
    wait_until_settled(page)
    require_panels(page, pixel, "Plotly after a step", signed)


def test_every_picture_of_the_first_view(open_page: Opener, known: Known) -> None:
    known(ADDRESS, "weighted_averaging")
    query = f"?pair={ADDRESS}&method=weighted_averaging&pixel=2,3&{DISPLAY}"
    held: list[Held] = []
    page = open_page(
        query, height=1700, settled=False, ready=FIRST_PICTURES,
        prepare=lambda page: held.append(Held(page, "**/plotly.min.js")),
    )  # fmt: skip
    require_panels(page, PIXEL, "first view")
    held[0].release()
    wait_until_settled(page)


COLUMNS = ("fused", "guidance_mri", "guidance_pet", "guidance_rgb", "jacobian_mri", "jacobian_pet",
           "jacobian_mri_zoom", "jacobian_pet_zoom")  # fmt: skip


def expected_cell(
    column: str, pixel: tuple[int, int], signed: bool = False, gammas: tuple[float, float] = GAMMAS
) -> Colours:
    whole = expected_pictures(pixel, signed, gammas)[column.removesuffix("_zoom").replace("_", "-")]
    return drawn.cut(whole, pixel, HALF) if column.endswith("_zoom") else whole


def test_every_picture_of_the_compare_page(open_page: Opener) -> None:
    page = open_page(
        f"compare?pair={ADDRESS}&methods=weighted_averaging&columns={','.join(COLUMNS)}&pixel=2,3&{DISPLAY}&scale=paper",
        width=2400, height=560, settled=False, ready=COMPARE_SETTLED,  # where one line has all pictures
    )  # fmt: skip
    eventually(page, partial(require_cells, page, COLUMNS, PIXEL, signed=False))
    page.keyboard.press("ArrowRight")
    eventually(page, partial(require_cells, page, COLUMNS, STEPPED, signed=False))
    page.select_option("#compare-scale", "signed")
    eventually(page, partial(require_cells, page, COLUMNS, STEPPED, signed=True))
    page.focus("#compare-table")
    page.keyboard.press("ArrowLeft")
    eventually(page, partial(require_cells, page, COLUMNS, PIXEL, signed=True))


def require_cells(
    page: Page,
    columns: Sequence[str],
    pixel: tuple[int, int],
    signed: bool,
    gammas: tuple[float, float] = GAMMAS,
) -> None:
    """Compare the pictures of the compare page's last row."""
    canvas = table(page)
    places = pictures(canvas)
    assert len(places) == len(columns)
    for column, place in zip(columns, places, strict=True):
        expected = expected_cell(column, pixel, signed, gammas)
        require_colours(cells(canvas, place, expected.shape), expected, f"column {column} at {pixel}")


def exported(
    server: Server, kind: str, row: str, column: str, more: str = ""
) -> tuple[NDArray[np.int64], Rectangle]:
    """Fetch one picture as PNG, and where in it the picture lies; its SVG says that."""
    key = "method" if kind == "explore" else "methods"
    address = f"{server.url}export/{kind}/{row}/{column}"
    query = f"pair={ADDRESS}&{key}=weighted_averaging&pixel=2,3&{DISPLAY}{more}"
    with urllib.request.urlopen(f"{address}.png?{query}") as answer:
        image = rgb(answer.read())
    with urllib.request.urlopen(f"{address}.svg?{query}") as answer:
        svg = answer.read().decode()
    whole = re.search(r'viewBox="0 0 ([\d.]+) [\d.]+"', svg)
    place = re.search(r'<image [^>]*x="([-\d.]+)" y="([-\d.]+)" width="([\d.]+)" height="([\d.]+)"', svg)
    assert whole and place
    unit = image.shape[1] / float(whole[1])
    left, top, width, height = (unit * float(number) for number in place.groups())
    return image, Rectangle(left, -top, width, height)  # matplotlib turns the picture upside down


@pytest.mark.parametrize("kind", ["explore", "compare"])
def test_every_picture_that_is_exported(server: Server, known: Known, kind: str) -> None:
    known(ADDRESS, "weighted_averaging")
    more = ("guidance_rgb_zoom", "guidance_mri_zoom", "guidance_pet_zoom", "fused_zoom")
    asked = [("weighted_averaging", column) for column in (*COLUMNS, *more)]
    asked += [("inputs", f"input_{name}") for name in ("mri", "pet", "mri_zoom", "pet_zoom")]
    for row, column in asked:
        image, place = exported(server, kind, row, column)
        expected = expected_cell(column.removeprefix("input_"), PIXEL)
        require_colours(cells(image, place, expected.shape), expected, f"{kind}, {row}/{column}")
