"""Jacobian images by the chain of a method."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from fusion.methods.base import Method
from fusion.pair import Pair
from fusion.saliency.chain.cache import (
    MAP_BYTES,
    WHOLE_BYTES,
    ChainCache,
    MapCache,
    fill,
    fill_all,
    positions,
)
from fusion.saliency.chain.chain import Chain
from fusion.saliency.chain.maps import DerivativeMaps
from fusion.saliency.chain.steps import PixelBatch
from fusion.saliency.window import JacobianWindow, Pixel, box_around

NUMBERS_A_BATCH = {"cpu": 2**21, "cuda": 2**26}
"""Numbers in the largest windows of a batch, of which a few are in use at a time: 8 MB in float32, which stay near a
processor, and 256 MB, for a GPU is idle with less."""

_CHAINS = ChainCache()
_MAPS = MapCache(MAP_BYTES, WHOLE_BYTES)


def chain_of(method: Method, dtype: torch.dtype) -> Chain | None:
    """Return a method's chain, ``None`` where its network is not understood or not here; see `ChainCache.chain`."""
    return None if method.elsewhere is not None else _CHAINS.chain(method, dtype)


def chain_windows(
    chain: Chain, pair: Pair, pixels: Sequence[Pixel], radius: int, batch_size: int, ahead: bool = True
) -> list[JacobianWindow]:
    """Compute the Jacobian images (paper, equation 1) of some pixels by a chain.

    What has to be kept of the forward pass is computed at the first pixel of each tile, and found again later. `fill`
    says for how much more of the image.

    Parameters
    ----------
    chain : Chain
        The method's.
    pair : Pair
        The two input images.
    pixels : sequence of (row, col)
        Principal pixels, all inside the image.
    radius : int
        The method's support radius, pixels.
    batch_size : int
        How many pixels are computed at once, at most.
    ahead : bool
        Whether to compute more of what is kept than these pixels need.

    Returns
    -------
    list of JacobianWindow
        In the order of `pixels`.
    """
    windows: dict[int, JacobianWindow] = {}
    for derivatives, batch in _batches(chain, pair, pixels, batch_size, ahead):
        if len(batch) == 1:
            values = chain.jacobian(derivatives, pixels[batch[0]], radius)[None]
        else:
            values = chain.jacobians([derivatives.pixel(pixels[number]) for number in batch], radius)
        for number, both in zip(batch, values, strict=True):
            windows[number] = _clipped(both, pixels[number], radius, pair.shape)
    return [windows[number] for number in range(len(pixels))]


def chain_tensors(
    chain: Chain, pair: Pair, pixels: Sequence[Pixel], radius: int, batch_size: int
) -> Iterator[tuple[list[int], Tensor]]:
    """Compute the same on the chain's device, nothing ahead, without waiting for the device or leaving it.

    Parameters
    ----------
    chain, pair, pixels, radius, batch_size
        See `chain_windows`.

    Yields
    ------
    tuple
        Which of the pixels, and their windows (B, 2, 2·radius + 1, 2·radius + 1), 0 outside the image.
    """
    for derivatives, batch in _batches(chain, pair, pixels, batch_size, ahead=False):
        values = chain.windows_at(
            PixelBatch.of([derivatives.pixel(pixels[number]) for number in batch]), radius
        )
        yield batch, _cleared(values, [pixels[number] for number in batch], radius, pair.shape)


def _batches(
    chain: Chain, pair: Pair, pixels: Sequence[Pixel], batch_size: int, ahead: bool
) -> Iterator[tuple[DerivativeMaps, list[int]]]:
    """Fill what pixels need and give them in batches of one part of the image each, counted from 0."""
    side = _MAPS.side(chain)
    by_part: defaultdict[Pixel, list[int]] = defaultdict(list)
    for number, (row, column) in enumerate(pixels):
        by_part[row // side, column // side].append(number)
    most = max(1, min(batch_size, NUMBERS_A_BATCH[chain.device.type] // chain.windows.widest))
    for members in by_part.values():
        # Of equal size: a small one at the end costs more a pixel than all others.
        size = math.ceil(len(members) / math.ceil(len(members) / most))
        derivatives = _MAPS.derivatives(chain, pair, *pixels[members[0]])
        fill(_MAPS, chain, pair, derivatives, [pixels[number] for number in members], ahead)
        for start in range(0, len(members), size):
            yield derivatives, members[start : start + size]


def keep(chain: Chain, pair: Pair, radius: int, progress: Callable[[float], None] | None = None) -> None:
    """Do now what the Jacobian images of a pair have in common; nothing where not all of it could be kept.

    That is the forward passes, and on a GPU the graphs. Afterwards every Jacobian image costs the same.
    """
    fill_all(_MAPS, chain, pair, progress)
    if chain.capturing is None or not _MAPS.fits(chain, pair):
        return
    side = _MAPS.side(chain)
    for row, column in positions(side, chain.known(pair.shape)):
        derivatives = _MAPS.derivatives(chain, pair, row * side, column * side)
        chain.capturing.capture(derivatives, derivatives.pixel((row * side, column * side)), radius)


def _clipped(values: np.ndarray, pixel: Pixel, radius: int, shape: tuple[int, int]) -> JacobianWindow:
    """Cut off what lies outside the image."""
    box = box_around(pixel, radius, shape)
    top, left = pixel[0] - radius, pixel[1] - radius
    inner = values[:, box.top - top : box.bottom - top, box.left - left : box.right - left]
    return JacobianWindow(np.ascontiguousarray(inner), box.top, box.left, *pixel, shape, path="chain")


@torch.inference_mode()
def _cleared(values: Tensor, pixels: Sequence[Pixel], radius: int, shape: tuple[int, int]) -> Tensor:
    """Set to 0 what lies outside the image."""
    height, width = shape
    if all(radius <= row < height - radius and radius <= column < width - radius for row, column in pixels):
        return values
    corners = torch.tensor(pixels, device=values.device) - radius
    offsets = torch.arange(2 * radius + 1, device=values.device)
    rows, columns = corners[:, :1] + offsets, corners[:, 1:] + offsets
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None]
    return values.masked_fill_(~inside[:, None], 0)
