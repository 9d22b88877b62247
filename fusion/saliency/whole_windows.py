"""Many Jacobian images in windows of equal shape, on the device that computed them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusion.methods.base import Method
from fusion.pair import Pair
from fusion.saliency.chain.windows import chain_of, chain_tensors
from fusion.saliency.jacobian import jacobians
from fusion.saliency.window import JacobianWindow, Pixel

WINDOWS_AT_ONCE = {"cpu": 64, "cuda": 1024}
"""After so many, work can be stopped. A GPU is idle with few."""


def whole_windows(method: Method, pair: Pair, pixels: list[Pixel]) -> Iterator[tuple[list[int], Tensor]]:
    """Compute the Jacobian images (paper, equation 1) of some pixels.

    Only what these need: whoever ends the work should not wait for what others need.

    Parameters
    ----------
    method : Method
        With a finite support radius r.
    pair : Pair
        The two input images.
    pixels : list of (row, col)
        Principal pixels, all inside the image.

    Yields
    ------
    tuple
        Which of the pixels, and float32 (B, 2, 2r + 1, 2r + 1) on the method's device, 0 outside the image.
    """
    radius = method.locality_at(pair.shape).radius
    assert radius is not None
    chain = chain_of(method, torch.float32)
    if chain is None:
        found = _whole(jacobians(method, pair, pixels, ahead=False), radius)
        yield list(range(len(pixels))), torch.from_numpy(found).to(method.device)
        return
    for numbers, gradients in chain_tensors(chain, pair, pixels, radius, WINDOWS_AT_ONCE[method.device.type]):
        odd = (~gradients.isfinite().flatten(1).all(dim=1)).nonzero()[:, 0].tolist()
        if odd:
            # Where a derivative is not finite, autograd has the word.
            windows = jacobians(method, pair, [pixels[numbers[place]] for place in odd], ahead=False)
            with torch.inference_mode():
                gradients[odd] = torch.from_numpy(_whole(windows, radius)).to(gradients.device)
        yield numbers, gradients


def _whole(windows: list[JacobianWindow], radius: int) -> NDArray[np.float32]:
    """Return windows of equal shape (n, 2, 2r + 1, 2r + 1): those that the image's border cuts off end in zeros."""
    side = 2 * radius + 1
    gradients = np.zeros((len(windows), 2, side, side), dtype=np.float32)
    for number, window in enumerate(windows):
        top, left = window.top - (window.row - radius), window.left - (window.col - radius)
        height, width = window.values.shape[1:]
        gradients[number, :, top : top + height, left : left + width] = window.values
    return gradients
