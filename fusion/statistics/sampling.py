"""A regular grid of principal pixels, where a region has too many for one Jacobian image each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fusion.saliency.window import Pixel
from fusion.statistics.regions import Region


@dataclass(frozen=True)
class GridSample:
    """Pixels of a region that stand for all of it.

    Attributes
    ----------
    pixels : tuple of (row, col)
        Those used, row by row.
    spacing : int
        Pixels from one to the next in both directions, ≥ 1; 1 where all are used.
    region_pixels : int
        How many the region has.
    """

    pixels: tuple[Pixel, ...]
    spacing: int
    region_pixels: int


def grid_sample(region: Region, limit: int) -> GridSample:
    """Choose at most `limit` pixels of a region on a regular grid.

    The spacing is the smallest at which no position of the grid meets more than `limit` pixels of the
    region; of all positions, that which meets most is taken, the topmost and leftmost of equals. So there is
    chance in nothing, and no region with pixels, however thin, is left without any.

    Raises
    ------
    ValueError
        If `limit` is less than 1.
    """
    if limit < 1:
        raise ValueError(f"At least one pixel is used, not {limit}")
    rows, columns = np.nonzero(region.mask)
    spacing, position = 1, np.zeros(rows.size, dtype=np.intp)
    counts = np.array([rows.size])
    while counts.max() > limit:
        spacing += 1
        position = rows % spacing * spacing + columns % spacing
        counts = np.bincount(position, minlength=1)
    used = position == int(counts.argmax())
    pixels = tuple((int(row), int(column)) for row, column in zip(rows[used], columns[used], strict=True))
    return GridSample(pixels, spacing, rows.size)
