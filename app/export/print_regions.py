"""Regions of interest in print: outlines in their colours, and a legend with their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.export.cells import ExportArrays
from app.link.compare_state import CompareState
from app.link.linked_region import linked_regions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.path import Path

LINE_WIDTH = 0.8
"""Of an outline, points; all of it lies inside the region."""
MOST_LINES = 10_000
"""Of a region that are kept as lines in an SVG; more are drawn as a picture."""
LINE_HEIGHT = 0.17
"""Of the legend, inches."""
ENTRY_WIDTH = 2.9
"""Of a region's entry in the legend, inches: the longest name fits."""


@dataclass(frozen=True, eq=False)
class PrintedRegion:
    """A region of the link.

    Attributes
    ----------
    name, colour : str
        As the link has them; the colour is ``#rrggbb``.
    mask : ndarray of bool, shape (H, W)
        True inside.
    """

    name: str
    colour: str
    mask: NDArray[np.bool_]


def printed_regions(view: ExportArrays, state: CompareState) -> tuple[PrintedRegion, ...]:
    """Return the regions that the link names, in its order; the pair's own are shown where a link names them."""
    return tuple(
        PrintedRegion(region.name, region.colour, view.regions[region.name])
        for region in linked_regions(state.regions)
    )


def outline(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return a region's edges as lines, (n, 2, 2): from (x, y) to (x, y), a pixel's middle being whole."""
    level = _runs(mask)
    upright = _runs(mask.T)[..., ::-1]
    return np.concatenate([level, upright]) - 0.5


def _runs(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the level edges: pixels that differ from the one above, those beside each other joined."""
    padded = np.pad(mask, ((1, 1), (0, 0)))
    edge = padded[1:] != padded[:-1]
    steps = np.diff(np.pad(edge, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(steps == 1)
    ends = np.nonzero(steps == -1)[1]
    corners = [np.stack([starts, rows], axis=1), np.stack([ends, rows], axis=1)]
    return np.stack(corners, axis=1).astype(np.float64)


def draw_outlines(axes: Axes, regions: Sequence[PrintedRegion], corner: tuple[int, int] = (0, 0)) -> None:
    """Draw the outlines over a picture whose first pixel is (row, col) `corner` of the image.

    What the picture shows has to be settled before: lines of twice the width are cut off where their region ends, so
    that regions beside each other keep an outline each.
    """
    from matplotlib.collections import LineCollection

    for region in regions:
        inside = _inside(axes, region.mask, corner)
        if inside is None:
            continue
        lines = outline(region.mask) - np.array(corner[::-1])
        drawn = LineCollection(
            list(lines), colors=region.colour, linewidths=2 * LINE_WIDTH, capstyle="projecting", zorder=1
        )
        drawn.set_clip_path(inside, axes.transData)
        # Noise has an edge at every second pixel, which no SVG can hold.
        drawn.set_rasterized(len(lines) > MOST_LINES)
        axes.add_collection(drawn, autolim=False)


def _inside(axes: Axes, mask: NDArray[np.bool_], corner: tuple[int, int]) -> Path | None:
    """Return the part of a region that the picture shows, as a box for each run of pixels; None for nothing."""
    from matplotlib.path import Path

    steps = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(steps == 1)
    ends = np.nonzero(steps == -1)[1]
    # A file has room for one border only, so that the picture's own is part of it.
    x0, x1 = sorted(axes.get_xlim())
    y0, y1 = sorted(axes.get_ylim())
    left, right = (np.clip(side - corner[1] - 0.5, x0, x1) for side in (starts, ends))
    top, bottom = (np.clip(side - corner[0] - 0.5, y0, y1) for side in (rows, rows + 1))
    seen = (left < right) & (top < bottom)
    if not seen.any():
        return None
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    boxes = np.stack([np.stack(place, axis=1)[seen] for place in corners], axis=1)
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
    return Path(boxes.reshape(-1, 2), np.tile(codes, len(boxes)))


def legend_lines(regions: Sequence[PrintedRegion], width: float) -> int:
    """Return how many lines the legend takes in a figure of this width, inches."""
    return -(-len(regions) // _across(width))


def draw_region_legend(
    figure: Figure, regions: Sequence[PrintedRegion], size: tuple[float, float], bottom: float
) -> None:
    """Name the regions beside pieces of their outlines, the last line `bottom` inches above the lower edge."""
    from matplotlib.lines import Line2D

    width, height = size
    across, lines = _across(width), legend_lines(regions, width)
    for number, region in enumerate(regions):
        line, place = divmod(number, across)
        left, middle = 0.1 + place * ENTRY_WIDTH, bottom + (lines - line - 0.5) * LINE_HEIGHT
        ends = [left / width, (left + 0.2) / width]
        figure.add_artist(Line2D(ends, [middle / height] * 2, color=region.colour, linewidth=2))
        text = f"{region.name} ({region.mask.sum():,} pixels)"
        figure.text((left + 0.27) / width, middle / height, text, fontsize=7, va="center_baseline")


def _across(width: float) -> int:
    return max(1, int((width - 0.1) / ENTRY_WIDTH))
