"""Cutting an image into tiles with a margin, so that memory does not grow with the image."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from fusion.saliency.crops import Locality
from fusion.saliency.window import Box


@dataclass(frozen=True)
class Tile:
    """A part of the image: `core` is what it yields, `crop` what must be read for `core` to be exact."""

    core: Box
    crop: Box

    @property
    def inner(self) -> tuple[slice, slice]:
        """Rows and columns of the core, counted in the crop."""
        return self.core.within(self.crop)


def tiles(shape: tuple[int, int], locality: Locality, pixels: int, within: Box | None = None) -> list[Tile]:
    """Cut an image, or a part of it, into tiles whose crops have about `pixels` pixels at most.

    Parameters
    ----------
    shape : tuple of int
        (H, W) of the image.
    locality : Locality
        A global method takes one tile, the whole image.
    pixels : int
        Pixels a crop may have. Cores are at least as wide as the margin, whatever this says.
    within : Box, optional
        The part; the whole image unless given.

    Returns
    -------
    list of Tile
        Their cores cover the image, or the part, without overlap.
    """
    whole = Box(0, 0, *shape)
    radius = locality.radius
    if radius is None:
        return [Tile(whole, whole)]
    area = within or whole
    crop = locality.crop(grown(area, radius, shape), shape)
    if math.prod(crop.shape) <= pixels:
        return [Tile(area, crop)]
    longest = max(math.isqrt(pixels) - 2 * radius, radius, 16)
    sides = [_even(extent, longest, locality.alignment) for extent in area.shape]
    return [Tile(core, locality.crop(grown(core, radius, shape), shape)) for core in _cores(area, *sides)]


def _even(extent: int, longest: int, alignment: int) -> int:
    """Return the side that cuts an extent into as few parts as `longest` does, of nearly one size."""
    side = math.ceil(extent / math.ceil(extent / longest))
    return side + -side % alignment


def _cores(area: Box, rows: int, columns: int) -> Iterator[Box]:
    for top in range(area.top, area.bottom, rows):
        for left in range(area.left, area.right, columns):
            yield Box(top, left, min(top + rows, area.bottom), min(left + columns, area.right))


def grown(box: Box, margin: int, shape: tuple[int, int]) -> Box:
    """Return a box with so many pixels more on each side, clipped at the border of the image of this shape (H, W)."""
    height, width = shape
    return Box(
        max(box.top - margin, 0),
        max(box.left - margin, 0),
        min(box.bottom + margin, height),
        min(box.right + margin, width),
    )
