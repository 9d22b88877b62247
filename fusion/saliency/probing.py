"""Probing a network: images to run it on, and how far a change of one pixel spreads.

A NaN in one input pixel spreads through the forward pass to exactly those fused pixels that the input pixel
can reach, dead rectifiers or not. (Backward it does not: rectifiers and maxima turn a NaN cotangent into 0.)
Comparisons and what replaces NaNs let none through; a very large number is noticed there, though where it is
depends on the values.
"""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn

from fusion.network import apply_network

HUGE = 1e30
DARK = 1e-6
"""Brightness of a background. Not 0: where all is equal, which of two is the larger one is a matter of rounding."""


def double_copy(network: nn.Module) -> nn.Module:
    """Copy a network to the CPU in float64, frozen."""
    return copy.deepcopy(network).cpu().double().eval().requires_grad_(False)


def sample(shape: tuple[int, int], seed: int) -> Tensor:
    """Make a pair of images, (1, 2, H, W) float64 in [0, 1]: noise, dark and bright parts as slices have them.

    Noise alone would leave branches asleep that a black background wakes.
    """
    height, width = shape
    generator = torch.Generator().manual_seed(seed)
    noise = torch.rand(1, 2, height, width, dtype=torch.float64, generator=generator)
    upper, left = height // 3, width // 3
    noise[:, :, :upper, :left] *= DARK
    noise[:, :, upper : 2 * upper, :left] *= 0.05
    noise[:, 0, :upper, -left:] *= DARK
    noise[:, 1, -upper:, :left] *= DARK
    noise[:, :, -upper:, -left:] = 1 - DARK * noise[:, :, -upper:, -left:]
    return noise


@torch.no_grad()
def touched(
    network: nn.Module, inputs: Tensor, change: Tensor, value: float, fused: Tensor | None = None
) -> Tensor:
    """Return which fused pixels notice another value in some input pixels.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode, float64, on the CPU.
    inputs : torch.Tensor
        (1, 2, H, W); not changed.
    change : torch.Tensor
        (1, 2, H, W) bool, the input pixels that get the value.
    value : float
        NaN, or any other.
    fused : torch.Tensor, optional
        (H, W), the fused image of `inputs`, for values other than NaN.

    Returns
    -------
    torch.Tensor
        (H, W) bool.
    """
    found = apply_network(network, inputs.masked_fill(change, value))[0]
    return found.isnan() if fused is None or math.isnan(value) else found != fused


def pixel_of(inputs: Tensor, index: int, row: int, column: int) -> Tensor:
    """Return a mask of `inputs`' shape with one pixel of one image."""
    mask = torch.zeros_like(inputs, dtype=torch.bool)
    mask[0, index, row, column] = True
    return mask


def line_of(inputs: Tensor, index: int, axis: int, line: int) -> Tensor:
    """Return a mask with one row (axis 0) or column (axis 1) of one image."""
    mask = torch.zeros_like(inputs, dtype=torch.bool)
    mask[0, index].select(axis, line).fill_(True)
    return mask


def farthest(found: Tensor, start: tuple[int, int]) -> int:
    """Return the Chebyshev distance of the farthest pixel of a (H, W) mask from a pixel; 0 where there is none."""
    places = found.nonzero()
    return int((places - torch.tensor(start)).abs().max()) if len(places) else 0
