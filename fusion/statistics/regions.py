"""Regions of interest: named sets of pixels of an image pair."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusion.errors import RegionError
from fusion.pair import Pair
from fusion.saliency.window import Box, Pixel

WHOLE = "whole image"
HEAD = "head"

HEAD_INTENSITY = 0.05
"""Scaled intensity from which a pixel is taken for tissue rather than air: noise of a slice stays below it."""


AIR_RULE = (
    "outside of the head: dark pixels (both inputs at most 0.05) that dark ones connect with the image's border; of a "
    "pair that is no head in air: both inputs are 0. Left out, it is in no number, scatterplot or scale of guidance "
    "images, and hatched in their pictures; arrays are whole"
)


@dataclass(frozen=True, eq=False)
class Region:
    """A named set of pixels. It may be empty; statistics of an empty region are undefined (NaN).

    Attributes
    ----------
    name : str
        What people call it, such as ``core``.
    mask : ndarray of bool, shape (H, W)
        True inside. Copied; the region's own array cannot be written to.
    replaces : bool
        True for a user's in the place of another one, with other pixels, that has this name and is there anyway.

    Raises
    ------
    ValueError
        If the mask is not a two-dimensional array of booleans with pixels.
    RegionError
        If the name is blank or has characters that cannot be printed.
    """

    name: str
    mask: NDArray[np.bool_]
    replaces: bool = False

    def __post_init__(self) -> None:
        mask = np.array(self.mask, order="C", copy=True)
        if mask.dtype != np.bool_ or mask.ndim != 2 or mask.size == 0:
            raise ValueError(f"A region's mask is bool (H, W), not {mask.dtype} {mask.shape}")
        if not self.name.strip() or not self.name.isprintable():
            raise RegionError(f"{self.name!r} cannot be the name of a region. Choose letters one can read.")
        mask.setflags(write=False)
        object.__setattr__(self, "mask", mask)

    def __repr__(self) -> str:
        height, width = self.shape
        return f"Region({self.name!r}, {self.size} of {height}×{width} pixels)"

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the image, in pixels."""
        return self.mask.shape[0], self.mask.shape[1]

    @property
    def size(self) -> int:
        """Number of pixels inside."""
        return int(np.count_nonzero(self.mask))

    def contains(self, pixel: Pixel) -> bool:
        """Return True if a pixel (row, col) of the image is inside."""
        return bool(self.mask[pixel])

    def require_shape(self, shape: Sequence[int]) -> None:
        """Refuse an image of another size than the mask's.

        Raises
        ------
        RegionError
        """
        if self.shape != tuple(shape):
            raise RegionError(
                f"The region {self.name} belongs to images of {_size(self.shape)} pixels (height × width); "
                f"these have {_size(shape)}. Draw it on these images."
            )


def whole_image(shape: tuple[int, int], name: str = WHOLE) -> Region:
    """Return all pixels of an image of `shape` (H, W) as a region."""
    return Region(name, np.ones(shape, dtype=np.bool_))


def box_region(name: str, box: Box, shape: tuple[int, int]) -> Region:
    """Return a rectangle: rows top ≤ row < bottom, columns left ≤ column < right, counted from 0.

    Raises
    ------
    RegionError
        If the box is empty or not all of it lies in the image.
    """
    height, width = shape
    if not (0 <= box.top < box.bottom <= height and 0 <= box.left < box.right <= width):
        raise RegionError(
            f"The box {box.top},{box.left},{box.bottom},{box.right} of region {name} is empty or leaves the "
            f"image of {_size(shape)} pixels. Give top,left,bottom,right with 0 ≤ top < bottom ≤ {height} and "
            f"0 ≤ left < right ≤ {width}."
        )
    mask = np.zeros(shape, dtype=np.bool_)
    mask[box.rows(), box.columns()] = True
    return Region(name, mask)


def described_regions(ready: Iterable[Region], own: Iterable[Region]) -> list[Region]:
    """Return what is there anyway and the user's own; one of these takes the place of one of its name, and says so.

    Raises
    ------
    RegionError
        If two of the user's have the same name.
    """
    there = {region.name: region for region in ready}
    named: dict[str, Region] = {}
    for region in own:
        if region.name in named:
            raise RegionError(f"Two regions are named {region.name}. Give one of them another name.")
        other = there.get(region.name)
        differs = other is not None and not np.array_equal(other.mask, region.mask)
        named[region.name] = replace(region, replaces=True) if differs else region
    return list((there | named).values())


def inverted(region: Region, name: str | None = None) -> Region:
    """Return all pixels that are not in a region."""
    return Region(f"not {region.name}" if name is None else name, ~region.mask)


def union(first: Region, *others: Region, name: str | None = None) -> Region:
    """Return the pixels that are in any of the regions.

    Raises
    ------
    RegionError
        If they belong to images of different size.
    """
    mask = first.mask.copy()
    for other in others:
        other.require_shape(first.shape)
        mask |= other.mask
    return Region(" or ".join(part.name for part in (first, *others)) if name is None else name, mask)


def difference(first: Region, second: Region, name: str | None = None) -> Region:
    """Return the pixels of the first region that are not in the second.

    Raises
    ------
    RegionError
        If they belong to images of different size.
    """
    second.require_shape(first.shape)
    return Region(f"{first.name} without {second.name}" if name is None else name, first.mask & ~second.mask)


def inside_head(pair: Pair, intensity: float = HEAD_INTENSITY) -> Region:
    """Return all but the air around the head; where a pair is no head in air, all of it.

    There is a head in air if at least half of the image's outermost pixels are dark in both images, as around every
    slice, and not in a photograph. Inside is every pixel at which x1 or x2 exceeds `intensity`, and every dark pixel
    that no path of dark pixels (by their four sides) connects with the image's border, such as those of a ventricle.

    Parameters
    ----------
    pair : Pair
        The two images, in [0, 1].
    intensity : float
        Scaled intensity, in [0, 1).
    """
    bright = np.asarray((pair.images > intensity).any(axis=0))
    border = np.concatenate([bright[0], bright[-1], bright[1:-1, 0], bright[1:-1, -1]])
    if np.count_nonzero(border) > border.size / 2:
        return whole_image(pair.shape, HEAD)
    return Region(HEAD, filled(bright))


def air_mask(pair: Pair) -> NDArray[np.bool_]:
    """Return where there is nothing to be explained: outside of the head, of any other pair where both images are 0.

    Parameters
    ----------
    pair : Pair
        The two images, in [0, 1].

    Returns
    -------
    ndarray of bool
        (H, W), True in the air; the complement of `inside_head` where that is not the whole image.
    """
    head = inside_head(pair).mask
    return np.asarray((pair.images == 0).all(axis=0)) if head.all() else ~head


def described_air(
    air: NDArray[np.bool_] | None, shape: Sequence[int], counts: bool
) -> dict[str, dict[str, object]]:
    """Return what a file says of a pair's air, (H, W) or ``None`` for none, and of whether it counts in that file."""
    pixels = 0 if air is None else int(np.count_nonzero(air))
    return {"air": {"pixels": pixels, "of": math.prod(shape), "rule": AIR_RULE, "left_out": not counts}}


def without_air(regions: Iterable[Region], air: NDArray[np.bool_]) -> list[Region]:
    """Return the regions without their pixels of air, and without the whole image, of which the head is left.

    Parameters
    ----------
    regions : iterable of Region
        Of images of one size.
    air : ndarray of bool
        (H, W), of `air_mask`. Where it is True nowhere, all regions stay as they are.
    """
    if not air.any():
        return list(regions)
    return [replace(one, mask=one.mask & ~air) for one in regions if one.name != WHOLE]


def filled(mask: ArrayLike) -> NDArray[np.bool_]:
    """Return a mask with its holes filled: outside stays what reaches the border by four sides.

    Parameters
    ----------
    mask : array_like
        (H, W); what is not 0 is inside.

    Returns
    -------
    ndarray of bool
        (H, W), True inside.
    """
    outside = ~np.asarray(mask, dtype=np.bool_)
    reached = np.zeros_like(outside)
    reached[[0, -1]], reached[:, [0, -1]] = outside[[0, -1]], outside[:, [0, -1]]
    count = -1
    while count != (count := int(np.count_nonzero(reached))):
        # Whole runs at a time: a head needs a handful of turns, where single steps would need hundreds.
        reached = _along_rows(outside, reached)
        reached = _along_rows(outside.T, reached.T).T
    return ~reached


def _along_rows(passable: NDArray[np.bool_], reached: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Spread `reached` over every horizontal run of passable pixels that it touches."""
    height, width = passable.shape
    # A blocked pixel begins a new run, so that the passable pixels after it have its number.
    runs = np.cumsum(~passable, axis=1) + np.arange(height)[:, None] * (width + 1)
    touched = np.zeros(height * (width + 1), dtype=np.bool_)
    touched[runs[reached]] = True
    return passable & touched[runs]


def _size(shape: Sequence[int]) -> str:
    return "×".join(str(side) for side in shape)


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
        Number that the region has.
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
