"""A scatterplot of both guidance images for print: all pixels as a density, those of zooms and regions as points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from app.takeaway.cells import Ends, ExportView
from app.takeaway.print_regions import PrintedRegion

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS = 96
NEAR = {"a": "#1b9e4b", "b": "#2f7ed8"}
"""Colours of the points around the principal pixels, as on the page."""


def draw_scatter(
    axes: Axes, view: ExportView, ends: Ends, row: int, half: int, regions: Sequence[PrintedRegion]
) -> None:
    """Draw the guidance values of a row's method, x1 across and x2 up; points: regions, and within `half` of pixels."""
    guidance = view.methods[row].guidance
    first, second = guidance.reshape(2, -1)
    known = np.isfinite(first) & np.isfinite(second)
    counts, *edges = np.histogram2d(first[known], second[known], bins=BINS, range=ends.axes)
    shown = np.ma.masked_equal(np.log1p(counts.T), 0)
    axes.pcolormesh(*edges, shown, cmap="Greys", vmin=-0.35 * float(np.log1p(counts.max())), rasterized=True)
    for region in regions:
        axes.plot(*guidance[:, region.mask], ".", markersize=1.0, color=region.colour, rasterized=True)
    for name, (at_row, at_col) in reversed(list(view.pixels.items())):
        rows = slice(max(at_row - half, 0), at_row + half + 1)
        near = guidance[:, rows, max(at_col - half, 0) : at_col + half + 1].reshape(2, -1)
        axes.plot(*near, ".", markersize=1.6, color=NEAR[name], rasterized=True)
    axes.set_xlim(ends.axes[0])
    axes.set_ylim(ends.axes[1])
    # Labels stand inside the frame, so none may stand in the corner where both axes meet.
    axes.set_xticks(_inner(axes.get_xticks(), ends.axes[0]))
    axes.set_yticks(_inner(axes.get_yticks(), ends.axes[1]))
    axes.tick_params(labelsize=6, length=2, pad=-5, direction="in")
    for label in axes.get_yticklabels():
        label.set_horizontalalignment("left")
    for label in axes.get_xticklabels():
        label.set_verticalalignment("bottom")


def _inner(ticks: np.ndarray, ends: tuple[float, float]) -> list[float]:
    low, high = ends
    inside = (low + 0.14 * (high - low), high - 0.06 * (high - low))
    return [float(tick) for tick in ticks if inside[0] <= tick <= inside[1]]
