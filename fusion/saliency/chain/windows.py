"""Jacobian images by the chain of a method."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import nullcontext

import numpy as np
import torch

from fusion.methods.base import Method
from fusion.pair import Pair
from fusion.saliency.chain.chain import Chain
from fusion.saliency.chain.filling import fill, fill_all
from fusion.saliency.chain.places import OnePlace
from fusion.saliency.chain.sheets import Sheet
from fusion.saliency.chain.shelf import KEPT_BYTES, WHOLE_BYTES, ChainShelf, SheetShelf
from fusion.saliency.window import JacobianWindow, Pixel, box_around

NUMBERS_A_BATCH = 2**23
"""Numbers in the largest windows of a batch; 32 MB in float32, of which a few are in use at a time."""

_CHAINS = ChainShelf()
_SHEETS = SheetShelf(KEPT_BYTES, WHOLE_BYTES)


def chain_of(method: Method, dtype: torch.dtype) -> Chain | None:
    """Return a method's chain, ``None`` where its network is not understood; see `ChainShelf.chain`."""
    return _CHAINS.chain(method, dtype)


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
    side = _SHEETS.side(chain)
    by_sheet: defaultdict[Pixel, list[int]] = defaultdict(list)
    for number, (row, column) in enumerate(pixels):
        by_sheet[row // side, column // side].append(number)
    windows: dict[int, JacobianWindow] = {}
    size = max(1, min(batch_size, NUMBERS_A_BATCH // chain.windows.widest))
    for members in by_sheet.values():
        sheet = _SHEETS.sheet(chain, pair, *pixels[members[0]])
        fill(_SHEETS, chain, pair, sheet, [pixels[number] for number in members], ahead)
        for start in range(0, len(members), size):
            batch = members[start : start + size]
            places = [_place(sheet, pixels[number]) for number in batch]
            with chain.thread_choice.threads() if len(batch) == 1 else nullcontext():
                values = chain.jacobians(places, radius)
            for number, both in zip(batch, values, strict=True):
                windows[number] = _clipped(both, pixels[number], radius, pair.shape)
    return [windows[number] for number in range(len(pixels))]


def keep(chain: Chain, pair: Pair, progress: Callable[[float], None] | None = None) -> None:
    """Do the forward passes for a whole pair now; nothing where the image is too large for all of it to be kept.

    Afterwards every Jacobian image costs the same.
    """
    fill_all(_SHEETS, chain, pair, progress)


def _place(sheet: Sheet, pixel: Pixel) -> OnePlace:
    return OnePlace(sheet.maps, pixel[0] - sheet.core.top, pixel[1] - sheet.core.left)


def _clipped(values: np.ndarray, pixel: Pixel, radius: int, shape: tuple[int, int]) -> JacobianWindow:
    """Cut off what lies outside the image."""
    box = box_around(pixel, radius, shape)
    top, left = pixel[0] - radius, pixel[1] - radius
    inner = values[:, box.top - top : box.bottom - top, box.left - left : box.right - left]
    return JacobianWindow(np.ascontiguousarray(inner), box.top, box.left, *pixel, shape, path="chain")
