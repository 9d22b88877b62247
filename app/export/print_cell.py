"""A picture of a figure for print, with what the page draws over it: regions, boxes, the principal pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app.export.cells import zoomed
from app.export.print_regions import draw_outlines
from app.export.print_sheet import TWICE, ZOOMS, Panel, Sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Rectangle

RED, BLUE = "#e5383b", "#2f7ed8"
LINE = 0.7
EDGED = 1.3
"""Width of a box with its white edges, by which it is told from the outline of a region in a colour like its own."""
LEAST_SQUARE = 1.5
"""Side of the square around a pixel at least, however small the pixel is. All in points."""


def cut(sheet: Sheet, panel: Panel, whole: np.ndarray) -> np.ndarray:
    """Return what a panel shows of a whole picture."""
    column, name = panel
    return zoomed(whole, sheet.view.pixels[name], sheet.half) if column in ZOOMS else whole


def draw_cell(axes: Axes, sheet: Sheet, panel: Panel, image: np.ndarray) -> None:
    """Draw a picture with the regions, and in whole pictures the boxes of the zooms, in zooms the principal pixel."""
    from matplotlib.patheffects import withStroke

    column, name = panel
    axes.imshow(image, interpolation="none" if image.size > 3_000_000 else "nearest", aspect="equal")
    axes.set_xticks(())
    axes.set_yticks(())
    row, col = sheet.view.pixels[name]
    if column in ZOOMS:
        draw_outlines(axes, sheet.regions, (row - sheet.half, col - sheet.half))
        pixel = 72 * _side(axes) / (2 * sheet.half + 1)
        # Around the pixel, whose own colour is what one wants to see.
        reach = 0.5 * (max(pixel, LEAST_SQUARE) + LINE) / pixel
        _box(axes, (sheet.half, sheet.half), reach, name)
        return
    top, left, bottom, right = sheet.area
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    draw_outlines(axes, sheet.regions)
    for one in (name,) if column in TWICE else sheet.view.pixels:
        box = _box(axes, sheet.view.pixels[one], sheet.half + 0.5, one)
        box.set_path_effects([withStroke(linewidth=EDGED, foreground="white")])


def _side(axes: Axes) -> float:
    """Return the side of the largest square in a picture's place, inches."""
    figure = axes.get_figure(root=True)
    width, height = figure.get_size_inches() if figure is not None else (1.0, 1.0)
    place = axes.get_position()
    return float(min(place.width * width, place.height * height))


def _box(axes: Axes, pixel: tuple[int, int], reach: float, name: str) -> Rectangle:
    """Draw a box in the colour of a principal pixel, its edges `reach` pixels from the middle of a pixel."""
    from matplotlib.patches import Rectangle

    row, col = pixel
    colour = RED if name == "a" else BLUE
    corner = col - reach, row - reach
    box = Rectangle(corner, 2 * reach, 2 * reach, fill=False, edgecolor=colour, linewidth=LINE)
    axes.add_patch(box)
    return box
