"""Computing the windows of a tile as an atlas keeps them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fusion.methods.base import Method
from fusion.pair import Pair
from fusion.saliency.atlas_files import TileContent
from fusion.saliency.atlas_layout import Tile, radius_of
from fusion.saliency.jacobian import jacobians
from fusion.saliency.window import Box, JacobianWindow, Pixel

WINDOWS_AT_ONCE = 64
"""After so many the work can be stopped."""


def tile_box(tile: Tile, side: int, shape: tuple[int, int]) -> Box:
    """Return the pixels of a tile of `side` pixels in an image (H, W)."""
    top, left = tile[0] * side, tile[1] * side
    return Box(top, left, min(top + side, shape[0]), min(left + side, shape[1]))


def computed_tile(
    method: Method, pair: Pair, tile: Tile, side: int, go_on: Callable[[], None] = lambda: None
) -> TileContent:
    """Compute the windows of a tile.

    Parameters
    ----------
    method : Method
        With a finite support.
    pair : Pair
        The images.
    tile : tuple of int
        Row and column, counted in tiles.
    side : int
        Of a tile, pixels.
    go_on : callable
        Called now and then; what it raises ends the work.

    Returns
    -------
    tuple of ndarray
        float16 (side, side, 2, 2r + 1, 2r + 1), and the float32 scales (side, side) that they are to be multiplied
        by, NaN outside the image.
    """
    window = 2 * radius_of(method, pair.shape) + 1
    box = tile_box(tile, side, pair.shape)
    pixels = [(row, column) for row in range(box.top, box.bottom) for column in range(box.left, box.right)]
    values = np.zeros((side, side, 2, window, window), dtype=np.float16)
    scales = np.full((side, side), np.nan, dtype=np.float32)
    for start in range(0, len(pixels), WINDOWS_AT_ONCE):
        if start:
            go_on()
        part = pixels[start : start + WINDOWS_AT_ONCE]
        places = [row - box.top for row, _ in part], [column - box.left for _, column in part]
        values[places], scales[places] = computed_windows(method, pair, part)
    return values, scales


def computed_windows(
    method: Method, pair: Pair, pixels: list[Pixel]
) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
    """Compute the windows (n, 2, 2r + 1, 2r + 1) of some pixels, and the scales (n,) that they have."""
    # Only what these need: whoever ends the work should not wait for what others need.
    windows = jacobians(method, pair, pixels, ahead=False)
    gradients = _whole(windows, radius_of(method, pair.shape))
    scales = _scales(gradients)
    return (gradients / scales[:, None, None, None]).astype(np.float16), scales


def _whole(windows: list[JacobianWindow], radius: int) -> NDArray[np.float32]:
    """Return windows of equal shape (n, 2, 2r + 1, 2r + 1): those that the image's border cuts off end in zeros."""
    side = 2 * radius + 1
    gradients = np.zeros((len(windows), 2, side, side), dtype=np.float32)
    for number, window in enumerate(windows):
        top, left = window.top - (window.row - radius), window.left - (window.col - radius)
        height, width = window.values.shape[1:]
        gradients[number, :, top : top + height, left : left + width] = window.values
    return gradients


def _scales(gradients: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the largest finite magnitude of each window; 1 where there is none, or too little to divide by."""
    magnitudes = np.where(np.isfinite(gradients), np.abs(gradients), 0).max(axis=(1, 2, 3))
    return np.where(magnitudes > np.finfo(np.float32).tiny, magnitudes, 1).astype(np.float32)
