"""Green points, outlines of regions and readouts of both pages, at places and with names that were worked out by hand.

Catches by hand-made faults: green points or an outline one row or column off, "strongest neighbour" with the other
modality's name, a readout whose inputs or gradients are swapped.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page, expect

import fusion
from tests import drawn_pairs as drawn
from tests.browser.conftest import Known, Opener, Server, wait_until_settled
from tests.browser.pictures import readout
from tests.browser.seen import DASH, Held, Rectangle, eventually, near, pictures, plot, screen, table
from tests.browser.test_colours_by_hand import exported
from tests.browser.test_compare_page import NUMBERS
from tests.browser.test_compare_page import SETTLED as COMPARE_SETTLED
from tests.browser.test_late_answers import inputs_line, move, number, numbers_at, require_readout

AROUND = (2, 6)
"""With half-width 1 the zoom has k = 0, 1, 3, 4, 6, 7 and 9; a row or a column further some of 2, 5 and 8."""
GREEN_NUMBERS, OTHER_NUMBERS = (1, 3, 4, 6, 7, 9), (2, 5, 8)
MARGIN = 0.04
"""Of a scatterplot's axes beyond the smallest and the largest value, as part of what is between them."""
GROUND = (247, 248, 250)
REGION, COLOUR = "box~d6336c~b1.2.4.5", (0xD6, 0x33, 0x6C)
BOX = (1, 2, 4, 5)
"""Top, left, bottom and right of the region."""
METHOD = "weighted_averaging"
PIXEL = (2, 3)
NUMBERS_THERE = numbers_at("drawn", METHOD, PIXEL)
assert len({round(value, 3) for value in NUMBERS_THERE.values()}) > 2, "swapped numbers would be seen"


def is_green(image: NDArray[np.int64], place: tuple[float, float]) -> bool:
    """Whether a green point is at a place, as it looks over dark ones and light ground."""
    x, y = round(place[0]), round(place[1])
    red, green, blue = np.moveaxis(image[y - 2 : y + 3, x - 2 : x + 3], -1, 0)
    return bool(((green > 140) & (red < 90) & (blue < 140)).any())


def require_green(image: NDArray[np.int64], place: Rectangle, what: str) -> None:
    """The points of the zoom window are green, those of other numbers are not: all lie where w1 + w2 is 1."""
    for k in (*GREEN_NUMBERS, *OTHER_NUMBERS):
        share = (k / drawn.STEPS) ** 2
        across, up = ((value + MARGIN) / (1 + 2 * MARGIN) for value in (share, 1 - share))
        assert is_green(image, place.at(across, 1 - up)) == (k in GREEN_NUMBERS), f"{what}, k = {k}"


def test_green_points_of_the_explore_page(share_page: Opener) -> None:
    # From a corner whose zoom has k = 0, 3, 4 and 7: what Plotly has of it lies under the new points.
    page = share_page(f"?pair=drawn&method={METHOD}&pixel=0,0&zoom=1", height=1700)
    held = Held(page, DASH)
    for key in ("ArrowRight",) * AROUND[1] + ("ArrowDown",) * AROUND[0]:
        page.keyboard.press(key)
    require_readout(page, "drawn", METHOD, AROUND)
    where = plot(page, "panel-scatter")
    eventually(page, lambda: require_green(screen(page), where, "the canvas that follows the pointer"))
    held.release()
    wait_until_settled(page)
    eventually(page, lambda: require_green(screen(page), plot(page, "panel-scatter"), "Plotly"))


def ground(canvas: NDArray[np.int64]) -> Rectangle:
    """Return where the ground of a scatterplot is."""
    rows, columns = np.nonzero((canvas == GROUND).all(axis=2))
    top, left = rows.min(), columns.min()
    return Rectangle(left, top, columns.max() + 1 - left, rows.max() + 1 - top)


def test_green_points_of_the_compare_page(open_page: Opener) -> None:
    page = open_page(
        f"compare?pair=drawn&methods={METHOD}&columns=scatter&size=large&pixel=2,6&zoom=1",
        settled=False, ready=COMPARE_SETTLED,
    )  # fmt: skip

    def check() -> None:
        canvas = table(page)
        require_green(canvas, ground(canvas), "compare")

    eventually(page, check)


def require_outline(
    image: NDArray[np.int64], place: Rectangle, start: tuple[int, int], shape: tuple[int, int], what: str
) -> None:
    """A picture whose first pixel is `start` has the region's outline along its sides, and nowhere else."""
    (rows, columns), (top, left, bottom, right) = shape, BOX
    unit = place.width / columns
    inset = 1 / unit  # a pixel of the screen, in pixels of the image: outlines are inside of their regions
    for row in range(rows + 1):
        for col in range(columns):
            across = left <= start[1] + col < right
            side = start[0] + row
            at = place.at((col + 0.5) / columns, (row + inset * (1 if side == top else -1)) / rows)
            assert near(image, at, COLOUR) == (across and side in (top, bottom)), (what, "row", side, col)
    for col in range(columns + 1):
        for row in range(rows):
            down = top <= start[0] + row < bottom
            side = start[1] + col
            at = place.at((col + inset * (1 if side == left else -1)) / columns, (row + 0.5) / rows)
            assert near(image, at, COLOUR) == (down and side in (left, right)), (what, "column", side, row)


def test_outlines_and_the_readout_of_the_explore_page(open_page: Opener) -> None:
    page = open_page(f"?pair=drawn&method={METHOD}&pixel=2,3&zoom=2&regions={REGION}", height=1700)

    def check() -> None:
        image = screen(page)
        for panel in ("mri", "pet", "fused", "guidance-mri", "guidance-pet", "guidance-rgb", "jacobian-mri"):
            require_outline(image, plot(page, f"panel-{panel}"), (0, 0), drawn.SHAPE, panel)
        for panel in ("mri-zoom", "guidance-rgb-zoom", "jacobian-pet-zoom"):
            require_outline(image, plot(page, f"panel-{panel}"), (0, 1), (5, 5), panel)

    eventually(page, check)
    require_readout(page, "drawn", METHOD, PIXEL)
    assert readout(page)["neighbour"] == "none"


def test_outlines_and_the_readout_of_the_compare_page(open_page: Opener) -> None:
    columns = ("fused", "guidance_rgb", "jacobian_mri", "jacobian_mri_zoom")
    page = open_page(
        f"compare?pair=drawn&methods={METHOD}&columns={','.join(columns)}&size=large&pixel=2,3&zoom=2&regions={REGION}",
        settled=False, ready=COMPARE_SETTLED,
    )  # fmt: skip

    def check() -> None:
        canvas = table(page)
        for column, place in zip(columns, pictures(canvas), strict=True):
            zoom = column.endswith("_zoom")
            require_outline(canvas, place, *(((0, 1), (5, 5)) if zoom else ((0, 0), drawn.SHAPE)), column)

    eventually(page, check)
    require_compare_readout(page, NUMBERS_THERE)


def test_outlines_of_exported_pictures(server: Server, known: Known) -> None:
    known("drawn", METHOD)
    for kind, column in (("compare", "guidance_rgb"), ("explore", "fused")):
        image, place = exported(server, kind, METHOD, column, f"&regions={REGION}")
        require_outline(image, place, (0, 0), drawn.SHAPE, f"{kind}/{column}")


def test_the_readout_names_the_modality_of_the_strongest_neighbour(
    share_page: Opener, server: Server
) -> None:
    """Held against arrays of `fusion`, at pixels where it is in either modality."""
    method = fusion.load_method("deepfuse", "cpu")
    pair = fusion.Pair.from_arrays(*drawn.images("drawn"))
    strongest = {}
    for window in fusion.jacobians(method, pair, [(row, col) for row, col in np.ndindex(drawn.SHAPE)]):
        dense = window.dense()
        dense[:, window.row, window.col] = 0
        index, *at = (int(part) for part in np.unravel_index(np.abs(dense).argmax(), dense.shape))
        strongest[window.row, window.col] = (("MRI", "PET")[index], at, float(dense[index, *at]))
    chosen = [[pixel for pixel, (name, *_) in strongest.items() if name == one][:2] for one in ("MRI", "PET")]
    assert all(chosen), "both are there"
    page = share_page("?pair=drawn&method=deepfuse", height=1700)
    for pixel in (*chosen[0], *chosen[1]):
        move(page, pixel)
        for field, side in zip(("row", "col"), pixel, strict=True):
            expect(page.locator(f"#pixel-readout [data-field={field}]")).to_have_text(str(side))
        name, at, value = strongest[pixel]
        told = re.fullmatch(r"(\w+) \((\d+), (\d+)\) (\S+)", readout(page)["neighbour"])
        assert told and (told[1], int(told[2]), int(told[3])) == (name, *at)
        assert number(told[4]) == pytest.approx(value, abs=6e-5, rel=1e-3)


def require_compare_readout(page: Page, expected: dict[str, float]) -> None:
    """Compare the numbers of the compare page's rows, and the names that stand above or beside them."""
    line = inputs_line(page)
    (row,) = page.evaluate(NUMBERS, METHOD)
    assert {name: number((line | row)[name]) for name in expected} == pytest.approx(expected, abs=6e-5)
    names = page.locator(".compare-line-head .compare-part").all_inner_texts()
    assert names[1:] == ["y", "∂y/∂MRI", "∂y/∂PET"]
    labels = page.locator(".compare-line [data-field=x1], .compare-line [data-field=x2]").all_inner_texts()
    assert [label.split()[0] for label in labels] == ["MRI", "PET"]
