"""A scatterplot of both guidance images for print: all pixels as a density, those of zooms and regions as points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.export.cells import Ends, ExportArrays
from app.export.print_regions import PrintedRegion

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Place = tuple[float, float, float, float]
"""Left, top, width and height, inches from the figure's upper left corner."""

BINS = 96
NEAR = {"a": "#1b9e4b", "b": "#2f7ed8"}
"""Colours of the points around the principal pixels, as on the page."""
IN_REGION, POINT, AROUND = 0.9, 1.3, 2.3
"""Sides in points: of a region's, of those around a principal pixel, of these where a region's colour is inside."""
FONT = 7
TEXT_LINE, TICK, RIGHT = 0.115, 0.06, 0.05
"""Inches: a line of this font, a tick with the space up to its number, and what is free at the right."""
WIDTHS = {"−": 0.082, ".": 0.031}
DIGIT = 0.062
"""Widths of its letters, inches."""
NAME_LINES = 2
MOST_TICKS = 4


def scatter_place(ends: Ends, place: Place) -> Place:
    """Return where the plot is within the place of a picture, so that its axes' numbers and names are there too."""
    left, top, width, height = place
    side = min(width, height)
    widths = (sum(WIDTHS.get(letter, DIGIT) for letter in text) for _, text in _ticks(ends.axes[1]))
    before = TICK + max(widths, default=0) + NAME_LINES * TEXT_LINE
    below = TICK + (1 + NAME_LINES) * TEXT_LINE
    least = 0.3 * side
    return left + before, top, max(width - before - RIGHT, least), max(side - below, least)


def draw_scatter(
    axes: Axes, view: ExportArrays, ends: Ends, row: int, half: int, regions: Sequence[PrintedRegion]
) -> None:
    """Draw the guidance values of a row's method, x1 across and x2 up.

    Regions' points lie under those of the pixels around the principal pixels. Of these, pixels that are in a region too
    have its colour inside, above all others, as on the page.
    """
    guidance = view.methods[row].guidance
    first, second = guidance.reshape(2, -1)
    known = np.isfinite(first) & np.isfinite(second)
    counts, *edges = np.histogram2d(first[known], second[known], bins=BINS, range=ends.axes)
    shown = np.ma.masked_equal(np.log1p(counts.T), 0)
    axes.pcolormesh(*edges, shown, cmap="Greys", vmin=-0.35 * float(np.log1p(counts.max())), rasterized=True)
    for region in regions:
        _points(axes, guidance[:, region.mask], IN_REGION, region.colour)
    around = {name: _around(guidance.shape[1:], at, half) for name, at in view.pixels.items()}
    inside = np.zeros(guidance.shape[1:], dtype=bool)
    for region in regions:
        inside |= region.mask
    for name, near in reversed(around.items()):
        _points(axes, guidance[:, near & ~inside], POINT, NEAR[name])
        _points(axes, guidance[:, near & inside], AROUND, NEAR[name])
    for region in regions:
        near = np.any(list(around.values()), axis=0)
        _points(axes, guidance[:, near & region.mask], POINT, region.colour)
    _axes(axes, view, ends)


def _around(shape: Sequence[int], pixel: tuple[int, int], half: int) -> NDArray[np.bool_]:
    """Return the pixels that the zoom of a principal pixel shows."""
    near = np.zeros(shape, dtype=bool)
    row, col = pixel
    near[max(row - half, 0) : row + half + 1, max(col - half, 0) : col + half + 1] = True
    return near


def _points(axes: Axes, values: NDArray[np.floating], side: float, colour: str) -> None:
    if values.size:
        axes.plot(*values, "s", markersize=side, markeredgewidth=0, color=colour, rasterized=True)


def _axes(axes: Axes, view: ExportArrays, ends: Ends) -> None:
    """Draw numbers and names outside of the frame, where no point can be over them."""
    axes.set_xlim(ends.axes[0])
    axes.set_ylim(ends.axes[1])
    across, up = (_ticks(range_) for range_ in ends.axes)
    axes.set_xticks([at for at, _ in across], [text for _, text in across])
    axes.set_yticks([at for at, _ in up], [text for _, text in up])
    axes.tick_params(labelsize=FONT, length=2, pad=1.5)
    # In two lines, for which the smallest picture has room.
    names = [f"∂y/∂{modality}\n(dimensionless)" for modality in view.methods[0].scene.modalities]
    axes.set_xlabel(names[0], fontsize=FONT, labelpad=1, linespacing=1.1)
    axes.set_ylabel(names[1], fontsize=FONT, labelpad=1, linespacing=1.1)


def _ticks(ends: tuple[float, float]) -> list[tuple[float, str]]:
    """Return a few round numbers of an axis, with as many decimals as they need."""
    low, high = ends
    rough = (high - low) / MOST_TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    form = ".0e" if decimals > 3 or step >= 1e4 else f".{decimals}f"
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [(at * step, f"{at * step:{form}}".replace("-", "−")) for at in range(first, last + 1)]
