"""How an atlas lies on disk: its folder, its tiles, its size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fusion.errors import AtlasError
from fusion.methods.base import Method
from fusion.pair import Pair

SCHEMA = 2
"""Of the files. The first one had a single chunk of scales, which two processes took from each other."""

TILE = 8
"""Pixels a side of the smallest tile, the part of the fused image whose windows are one chunk."""
TILE_SIDES = (64, 32, 16, TILE)
TILE_BYTES = 1.25 * 2**20
"""Of the windows in a tile, where there is a choice: what a crash loses, and what a file at least should be worth."""

Tile = tuple[int, int]
"""Row and column of a tile, counted in tiles from 0."""


@dataclass(frozen=True)
class KeptWindows:
    """The windows of some pixels as an atlas keeps them.

    Attributes
    ----------
    radius : int
        Of the windows, pixels.
    scales : ndarray of float32, shape (N,)
        One a pixel; NaN where its window is not there.
    values : list of ndarray of float16, shape (2, 2·radius + 1, 2·radius + 1)
        The windows that are there, in order, to be multiplied by the scales; of no meaning outside the image.
    """

    radius: int
    scales: NDArray[np.float32]
    values: list[NDArray[np.float16]]


def window_bytes(radius: int) -> int:
    """Return how many bytes one window takes: half precision, two images of 2·radius + 1 pixels a side."""
    return 2 * 2 * (2 * radius + 1) ** 2


def tile_side(radius: int) -> int:
    """Return how many pixels a tile has along its side.

    The wider the support, the longer the windows take and the larger they are; so a tile is worth its file with
    narrow ones, and little work is lost with wide ones.
    """
    fitting = [side for side in TILE_SIDES if side * side * window_bytes(radius) <= TILE_BYTES]
    return fitting[0] if fitting else TILE


def atlas_bytes(method: Method, shape: tuple[int, int]) -> int:
    """Return how large the atlas of an image (H, W) is, bytes.

    Raises
    ------
    AtlasError
        If the method's support is the whole image: its atlas would hold (H·W)² gradients.
    """
    radius = radius_of(method, shape)
    side = tile_side(radius)
    rows, columns = tiles_of(shape, side)
    return rows * columns * side * side * (window_bytes(radius) + 4)


def atlas_folder(root: Path, method: Method, pair: Pair) -> Path:
    """Return where the atlas of a method and a pair is, or would be, in a folder of atlases."""
    first = _folder_of_first_schema(root, method, pair)
    return first.with_name(f"{first.name}-v{SCHEMA}")


def outdated_atlas(root: Path, method: Method, pair: Pair) -> str | None:
    """Say that there is an atlas as earlier versions wrote it, which is not read; ``None`` where there is none."""
    first = _folder_of_first_schema(root, method, pair)
    if not (first / "zarr.json").exists():
        return None
    return (
        f"{first}: this atlas was made by an earlier version, which could mark windows as there that were not. It is "
        "not used but computed anew in a folder of its own, and can be removed."
    )


def radius_of(method: Method, shape: tuple[int, int]) -> int:
    """Return a method's support radius in images (H, W), or say why it has no atlas of them."""
    radius = method.locality_at(shape).radius
    if radius is None:
        raise AtlasError(f"{method.title} sees the whole image from every pixel: its Jacobian is not sparse.")
    return radius


def tiles_of(shape: tuple[int, int], side: int = TILE) -> tuple[int, int]:
    """Return how many rows and columns of tiles an image (H, W) has, of `side` pixels."""
    return math.ceil(shape[0] / side), math.ceil(shape[1] / side)


def _folder_of_first_schema(root: Path, method: Method, pair: Pair) -> Path:
    return root / pair.id[:32] / f"{method.id}-{method.weights_id[:32]}"
