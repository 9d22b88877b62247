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


def tiles(shape: tuple[int, int], locality: Locality, pixels: int) -> list[Tile]:
    """Cut an image into tiles whose crops have about `pixels` pixels at most.

    Parameters
    ----------
    shape : tuple of int
        (H, W) of the image.
    locality : Locality
        A global method takes one tile, the whole image.
    pixels : int
        Pixels a crop may have. Cores are at least as wide as the margin, whatever this says.

    Returns
    -------
    list of Tile
        Their cores cover the image without overlap.
    """
    height, width = shape
    whole = Box(0, 0, height, width)
    radius = locality.radius
    if radius is None or height * width <= pixels:
        return [Tile(whole, whole)]
    longest = max(math.isqrt(pixels) - 2 * radius, radius, 16)
    sides = [_even(extent, longest, locality.alignment) for extent in shape]
    return [Tile(core, locality.crop(_grown(core, radius, shape), shape)) for core in _cores(shape, *sides)]


def _even(extent: int, longest: int, alignment: int) -> int:
    """Return the side that cuts an extent into as few parts as `longest` does, of nearly one size."""
    side = math.ceil(extent / math.ceil(extent / longest))
    return side + -side % alignment


def _cores(shape: tuple[int, int], rows: int, columns: int) -> Iterator[Box]:
    height, width = shape
    for top in range(0, height, rows):
        for left in range(0, width, columns):
            yield Box(top, left, min(top + rows, height), min(left + columns, width))


def _grown(box: Box, margin: int, shape: tuple[int, int]) -> Box:
    height, width = shape
    return Box(
        max(box.top - margin, 0),
        max(box.left - margin, 0),
        min(box.bottom + margin, height),
        min(box.right + margin, width),
    )
