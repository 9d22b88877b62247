"""Computing the windows of a tile as an atlas keeps them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusion.methods.base import Method
from fusion.pair import Pair
from fusion.saliency.atlas_files import TileContent
from fusion.saliency.atlas_layout import Tile, radius_of
from fusion.saliency.whole_windows import WINDOWS_AT_ONCE, whole_windows
from fusion.saliency.window import Box, Pixel


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
    at_once = WINDOWS_AT_ONCE[method.device.type]
    for start in range(0, len(pixels), at_once):
        if start:
            go_on()
        part = pixels[start : start + at_once]
        places = [row - box.top for row, _ in part], [column - box.left for _, column in part]
        values[places], scales[places] = computed_windows(method, pair, part)
    return values, scales


def computed_windows(
    method: Method, pair: Pair, pixels: list[Pixel]
) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
    """Compute the windows (n, 2, 2r + 1, 2r + 1) of some pixels, and the scales (n,) that they have."""
    side = 2 * radius_of(method, pair.shape) + 1
    values = np.empty((len(pixels), 2, side, side), dtype=np.float16)
    scales = np.empty(len(pixels), dtype=np.float32)
    for numbers, gradients in whole_windows(method, pair, pixels):
        halves, largest = _scaled(gradients)
        values[numbers], scales[numbers] = halves.cpu().numpy(), largest.cpu().numpy()
    return values, scales


@torch.inference_mode()
def _scaled(gradients: Tensor) -> tuple[Tensor, Tensor]:
    """Divide windows by their scales: the largest finite magnitude; 1 where there is none, or too little."""
    magnitudes = torch.where(gradients.isfinite(), gradients.abs(), 0).amax(dim=(1, 2, 3))
    scales = torch.where(magnitudes > torch.finfo(torch.float32).tiny, magnitudes, 1)
    return (gradients / scales[:, None, None, None]).half(), scales
