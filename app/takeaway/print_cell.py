"""A picture of a figure for print, with what the page draws over it: regions, boxes, the principal pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app.takeaway.cells import zoomed
from app.takeaway.print_regions import draw_outlines
from app.takeaway.print_sheet import TWICE, ZOOMS, Panel, Sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RED, BLUE = "#e5383b", "#2f7ed8"


def cut(sheet: Sheet, panel: Panel, whole: np.ndarray) -> np.ndarray:
    """Return what a panel shows of a whole picture."""
    column, name = panel
    return zoomed(whole, sheet.view.pixels[name], sheet.half) if column in ZOOMS else whole


def draw_cell(axes: Axes, sheet: Sheet, panel: Panel, image: np.ndarray) -> None:
    """Draw a picture with the regions and, in whole pictures, the boxes of the zooms."""
    column, name = panel
    axes.imshow(image, interpolation="none" if image.size > 3_000_000 else "nearest", aspect="equal")
    axes.set_xticks(())
    axes.set_yticks(())
    row, col = sheet.view.pixels[name]
    if column in ZOOMS:
        draw_outlines(axes, sheet.regions, (row - sheet.half, col - sheet.half))
        return
    draw_outlines(axes, sheet.regions)
    for one in (name,) if column in TWICE else sheet.view.pixels:
        _mark(axes, sheet, one)
    top, left, bottom, right = sheet.area
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)


def _mark(axes: Axes, sheet: Sheet, name: str) -> None:
    """Draw the zoom's box around the principal pixel."""
    from matplotlib.patches import Rectangle

    (row, col), half = sheet.view.pixels[name], sheet.half
    corner = col - half - 0.5, row - half - 0.5
    side = 2 * half + 1
    colour = RED if name == "a" else BLUE
    axes.add_patch(Rectangle(corner, side, side, fill=False, edgecolor=colour, linewidth=0.7))
