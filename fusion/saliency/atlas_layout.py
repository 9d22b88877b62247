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

TILE = 8
"""Pixels a side of the part of the fused image whose windows are one chunk."""


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


def atlas_bytes(method: Method, shape: tuple[int, int]) -> int:
    """Return how large the atlas of an image (H, W) is, bytes.

    Raises
    ------
    AtlasError
        If the method's support is the whole image: its atlas would hold (H·W)² gradients.
    """
    side = 2 * radius_of(method) + 1
    rows, columns = tiles_of(shape)
    return rows * columns * TILE * TILE * 2 * side * side * 2 + 4 * shape[0] * shape[1]


def atlas_folder(root: Path, method: Method, pair: Pair) -> Path:
    """Return where the atlas of a method and a pair is, or would be, in a folder of atlases."""
    return root / pair.id[:32] / f"{method.id}-{method.weights_id[:32]}"


def radius_of(method: Method) -> int:
    """Return a method's support radius, or say why it has no atlas."""
    radius = method.locality.radius
    if radius is None:
        raise AtlasError(f"{method.title} sees the whole image from every pixel: its Jacobian is not sparse.")
    return radius


def tiles_of(shape: tuple[int, int]) -> tuple[int, int]:
    """Return how many rows and columns of tiles an image (H, W) has."""
    return math.ceil(shape[0] / TILE), math.ceil(shape[1] / TILE)
