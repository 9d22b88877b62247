"""Holds the derivatives of crops against those of the whole image, by plain autograd in float64."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from fusion.errors import NetworkError
from fusion.network import apply_network
from fusion.saliency.window import Pixel, aligned, box_around, gradient, gradients_in_crops

TOLERANCE = 1e-9


def close(found: Tensor, expected: Tensor) -> bool:
    """Whether two tensors are equal but for rounding, relative to the largest number of the second."""
    if not expected.numel():
        return True
    scale = max(float(expected.abs().max()), torch.finfo(torch.float64).tiny)
    return bool((found - expected).abs().max() <= TOLERANCE * scale)


def crops_agree(
    network: nn.Module, inputs: Tensor, radius: int, alignment: int, pixels: Iterable[Pixel]
) -> bool:
    """Whether crops have the whole image's derivatives, with a second, different sample in the batch.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode, float64, on the CPU, frozen.
    inputs : torch.Tensor
        (1, 2, H, W), the whole image.
    radius, alignment : int
        Of the crops, pixels; see `fusion.saliency.support.Locality`.
    pixels : iterable of (row, column)
        Where to compare.

    Raises
    ------
    NetworkError
        If the network cannot be run on the whole image.
    """
    shape = (inputs.shape[2], inputs.shape[3])
    leaf = inputs.clone().requires_grad_(True)
    with torch.enable_grad():
        fused = apply_network(network, leaf)[0]
    for pixel in pixels:
        whole = gradient(fused[pixel], leaf, keep_graph=True)[0]
        support = box_around(pixel, radius, shape)
        crop = aligned(support, alignment, shape)
        part = inputs[:, :, crop.rows(), crop.columns()]
        local = (pixel[0] - crop.top, pixel[1] - crop.left)
        try:
            inside = gradients_in_crops(network, torch.cat((part, torch.rand_like(part))), [local, local])[0]
        except NetworkError:
            return False
        placed = torch.zeros_like(whole)
        placed[:, crop.rows(), crop.columns()] = inside
        outside = whole.clone()
        outside[:, support.rows(), support.columns()] = 0
        if not close(placed, whole) or bool((outside != 0).any()):
            return False
    return True
