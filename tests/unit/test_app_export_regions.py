"""Outlines of regions in print: inside of each region, in whole pictures and in parts of them."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from numpy.typing import NDArray

from app.export.drawing import PrintedRegion, draw_regions
from app.link.texts import RegionLook

SHAPE = (8, 10)
SIDE = 20
"""Of a pixel of the image in the drawing, dots."""
CORE, RIM = "#ff0000", "#0000ff"


def regions() -> tuple[PrintedRegion, PrintedRegion]:
    core, rim = np.zeros(SHAPE, dtype=bool), np.zeros(SHAPE, dtype=bool)
    core[3:5, 3:6] = True
    rim[2:6, 2:7] = True
    rim &= ~core
    return PrintedRegion("core", CORE, core), PrintedRegion("rim", RIM, rim)


def drawing(top: int, left: int, rows: int, columns: int, corner: tuple[int, int] = (0, 0)) -> Figure:
    """Draw the outlines over so many rows and columns of white from (top, left) on."""
    figure = Figure(figsize=(columns * SIDE / 100, rows * SIDE / 100), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(np.ones((*SHAPE, 3)))
    axes.set_axis_off()
    axes.set_xlim(left - 0.5, left + columns - 0.5)
    axes.set_ylim(top + rows - 0.5, top - 0.5)
    draw_regions(axes, regions(), corner)
    return figure


def dots(figure: Figure) -> NDArray[np.int_]:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].astype(int)


@pytest.mark.parametrize(("top", "left", "rows", "columns"), [(0, 0, *SHAPE), (3, 2, 3, 4)])
def test_each_region_keeps_its_outline_inside(top: int, left: int, rows: int, columns: int) -> None:
    found = dots(drawing(top, left, rows, columns))
    for region, channel in zip(regions(), (0, 2), strict=True):
        coloured = (found[..., channel] > 200) & (np.delete(found, channel, axis=2).max(axis=2) < 60)
        shown = region.mask[top : top + rows, left : left + columns]
        pixels = coloured.reshape(rows, SIDE, columns, SIDE).any(axis=(1, 3))
        np.testing.assert_array_equal(pixels, shown)


def test_a_filling_without_an_outline_covers_half_at_most() -> None:
    core, _ = regions()
    for opacity, mixed in ((100, 0.5), (40, 0.2)):
        figure = Figure(figsize=(SHAPE[1] * SIDE / 100, SHAPE[0] * SIDE / 100), dpi=100)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.imshow(np.zeros((*SHAPE, 3)))
        axes.set_axis_off()
        look = RegionLook(outline=False, opacity=opacity)
        draw_regions(axes, [PrintedRegion("core", CORE, core.mask, look)])
        middles = dots(figure)[SIDE // 2 :: SIDE, SIDE // 2 :: SIDE]
        np.testing.assert_allclose(middles[core.mask], [[255 * mixed, 0, 0]] * core.mask.sum(), atol=2)
        assert not middles[~core.mask].any()


def test_a_zoom_shows_its_own_part() -> None:
    np.testing.assert_array_equal(dots(drawing(0, 0, 3, 4, (3, 2))), dots(drawing(3, 2, 3, 4)))
    nothing = drawing(0, 0, 2, 2, (6, 8))
    assert (dots(nothing) == 255).all()


def test_nothing_leaves_the_picture_in_a_file_of_paths() -> None:
    figure = drawing(3, 2, 3, 4)
    stream = io.BytesIO()
    FigureCanvasSVG(figure).print_svg(stream)
    (width, height) = (float(side) for side in figure.get_size_inches() * 72)
    borders = re.findall(rb"<clipPath[^>]*>\s*<path d=\"([^\"]+)\"", stream.getvalue())
    assert len(borders) == len(regions())
    numbers = [float(number) for border in borders for number in re.findall(rb"[-\d.]+", border)]
    assert min(numbers) > -0.01 and max(numbers[::2]) < width + 0.01 and max(numbers[1::2]) < height + 0.01
