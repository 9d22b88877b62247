"""Drawing into one place of a figure for print: a picture with all that lies over it, or a scatterplot.

Over pictures lie the outlines of regions, the boxes of the zooms and the principal pixel. A scatterplot of both
guidance images shows all pixels as a density, those of zooms and regions as points.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.export.content import TWICE, ZOOMS, FigureContent, Panel, PrintedRegion, ScaleEnds, zoomed
from cache.services.exports import ExportArrays

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Rectangle

RED, BLUE = "#e5383b", "#2f7ed8"
LINE = 0.7
EDGED = 1.3
"""Width of a box with its white edges, by which it is told from the outline of a region in a colour like its own."""
LEAST_SQUARE = 1.5
"""Side of the square around a pixel at least, however small the pixel is. All in points."""


LINE_WIDTH = 0.8
"""Of an outline, points; all of it lies inside the region."""
FILLED = 0.5
"""How opaque a filling without an outline is at most, as on the page."""
MOST_LINES = 10_000
"""Of a region that are kept as lines in an SVG; more are drawn as a picture."""
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


def cut(content: FigureContent, panel: Panel, whole: np.ndarray) -> np.ndarray:
    """Return the part of a whole picture that a panel shows.

    Parameters
    ----------
    content : FigureContent
        With the principal pixels and the half-width of the zooms.
    panel : Panel
        Of any column.
    whole : ndarray of uint8, shape (H, W, 3)
        Red, green, blue.

    Returns
    -------
    ndarray of uint8, shape (h, w, 3)
        All of it, or a zoom's neighbourhood.
    """
    column, name = panel
    return zoomed(whole, content.view.pixels[name], content.half) if column in ZOOMS else whole


def draw_picture(axes: Axes, content: FigureContent, panel: Panel, image: np.ndarray) -> None:
    """Draw a picture with the regions, and in whole pictures the boxes of the zooms, in zooms the principal pixel.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The picture's place.
    content : FigureContent
        What lies over it.
    panel : Panel
        What it shows.
    image : ndarray of uint8, shape (h, w, 3)
        Red, green, blue; a pixel's middle is whole in the axes.
    """
    from matplotlib.patheffects import withStroke

    column, name = panel
    axes.imshow(image, interpolation="none" if image.size > 3_000_000 else "nearest", aspect=content.aspect)
    axes.set_xticks(())
    axes.set_yticks(())
    row, col = content.view.pixels[name]
    if column in ZOOMS:
        draw_regions(axes, content.regions, (row - content.half, col - content.half))
        wide = 72 * _side(axes, content.aspect) / (2 * content.half + 1)
        # Around the pixel, whose own colour is what one wants to see.
        down, across = (
            0.5 * (max(side, LEAST_SQUARE) + LINE) / side for side in (wide * content.aspect, wide)
        )
        _box(axes, (content.half, content.half), (down, across), name)
        return
    top, left, bottom, right = content.area
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    draw_regions(axes, content.regions)
    for one in (name,) if column in TWICE else content.view.pixels:
        reach = content.half + 0.5
        box = _box(axes, content.view.pixels[one], (reach, reach), one)
        box.set_path_effects([withStroke(linewidth=EDGED, foreground="white")])


def _side(axes: Axes, aspect: float) -> float:
    """Return the width of the largest picture in its place that has as many rows as columns, inches."""
    figure = axes.get_figure(root=True)
    width, height = figure.get_size_inches() if figure is not None else (1.0, 1.0)
    place = axes.get_position()
    return float(min(place.width * width, place.height * height / aspect))


def _box(axes: Axes, pixel: tuple[int, int], reach: tuple[float, float], name: str) -> Rectangle:
    """Draw a box in the colour of a principal pixel, its edges so many pixels down and across from its middle."""
    from matplotlib.patches import Rectangle

    row, col = pixel
    colour = RED if name == "a" else BLUE
    down, across = reach
    corner = col - across, row - down
    box = Rectangle(corner, 2 * across, 2 * down, fill=False, edgecolor=colour, linewidth=LINE)
    axes.add_patch(box)
    return box


if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.path import Path


def outline(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return a region's edges as lines.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
        True inside.

    Returns
    -------
    ndarray of float64, shape (n, 2, 2)
        From (x, y) to (x, y), pixels; a pixel's middle is whole.
    """
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


def draw_regions(axes: Axes, regions: Sequence[PrintedRegion], corner: tuple[int, int] = (0, 0)) -> None:
    """Draw the regions over a picture whose first pixel is (row, col) `corner` of the image.

    In print they are outlined and not filled, but for those whose look is a filling alone.

    What the picture shows has to be settled before: lines of twice the width are cut off where their region ends, so
    that regions beside each other keep an outline each.
    """
    from matplotlib.collections import LineCollection
    from matplotlib.patches import PathPatch

    for region in regions:
        inside = _inside(axes, region.mask, corner)
        if inside is None:
            continue
        opacity = region.look.opacity / 100
        if not region.look.outline:
            axes.add_patch(
                PathPatch(inside, color=region.colour, alpha=FILLED * opacity, linewidth=0, zorder=1)
            )
            continue
        lines = outline(region.mask) - np.array(corner[::-1])
        drawn = LineCollection(
            list(lines),
            colors=region.colour,
            alpha=opacity,
            linewidths=2 * LINE_WIDTH,
            capstyle="projecting",
            zorder=1,
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


if TYPE_CHECKING:
    from matplotlib.axes import Axes


def scatter_place(ends: ScaleEnds, place: Place) -> Place:
    """Return where the plot is within the place of a picture, so that its axes' numbers and names are there too."""
    left, top, width, height = place
    side = min(width, height)
    widths = (sum(WIDTHS.get(letter, DIGIT) for letter in text) for _, text in _ticks(ends.axes[1]))
    before = TICK + max(widths, default=0) + NAME_LINES * TEXT_LINE
    below = TICK + (1 + NAME_LINES) * TEXT_LINE
    least = 0.3 * side
    return left + before, top, max(width - before - RIGHT, least), max(side - below, least)


def draw_scatter(
    axes: Axes, view: ExportArrays, ends: ScaleEnds, row: int, half: int, regions: Sequence[PrintedRegion]
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


def _axes(axes: Axes, view: ExportArrays, ends: ScaleEnds) -> None:
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
