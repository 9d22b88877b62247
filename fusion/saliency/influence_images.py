"""Influence images: all that acts on each fused pixel, of each input, whatever its place.

A guidance image (paper, equation 2) has what the input pixel at the fused pixel's own place does. What comes from
around it is often more. Summed over each Jacobian image (equation 1), it is a number for each fused pixel and input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from fusion.methods.base import Method
from fusion.pair import Pair
from fusion.saliency.atlas import WINDOWS_AT_ONCE, whole_windows
from fusion.saliency.jacobian import jacobians
from fusion.saliency.response import Progress
from fusion.saliency.window import Box, Pixel

SIDE = 32
"""Pixels a side of the squares of fused pixels that are computed one by one: what neighbours have in common is kept."""
GLOBAL_AT_ONCE = 8
"""Pixels of a method that sees the whole image: each has Jacobian images as large as the image."""


@dataclass(frozen=True, eq=False)
class InfluenceImages:
    """The influence on every fused pixel i of a pair, x1 first.

    Both are (2, H, W), dimensionless, of the dtype that was asked for; NaN where a gradient is not finite.

    Attributes
    ----------
    total : ndarray
        Σ_j |dy(i)/dx(j)| over all pixels j of an input: all influence, ≥ 0.
    signed : ndarray
        Σ_j dy(i)/dx(j): the answer to an input that becomes brighter everywhere, as `fusion.response_map` has it.
    """

    total: NDArray[np.floating]
    signed: NDArray[np.floating]


def influence_images(
    method: Method, pair: Pair, progress: Progress | None = None, dtype: str = "float32"
) -> InfluenceImages:
    """Add up both Jacobian images (paper, equation 1) of every fused pixel.

    It takes about as long as an atlas, and stores nothing. Of a method that sees the whole image it takes a backward
    pass of the image for every pixel.

    Parameters
    ----------
    method : Method
        The fusion method.
    pair : Pair
        The two input images.
    progress : callable, optional
        Called as progress(done, total) after each square of pixels; raise `fusion.errors.Cancelled` in it to stop.
    dtype : {"float32", "float64"}
        The precision of the whole computation; sums are float64.

    Returns
    -------
    InfluenceImages

    Raises
    ------
    NetworkError
        If the network cannot be run on this image.
    """
    found = np.empty((4, *pair.shape), dtype=dtype)
    parts = squares(pair.shape)
    for done, box in enumerate(parts, start=1):
        found[:, box.rows(), box.columns()] = influence_of(method, pair, box, dtype)
        if progress is not None:
            progress(done, len(parts))
    return InfluenceImages(found[:2], found[2:])


def squares(shape: tuple[int, int]) -> list[Box]:
    """Cut an image (H, W) into squares of `SIDE`, smaller at its lower and right border."""
    height, width = shape
    return [
        Box(top, left, min(top + SIDE, height), min(left + SIDE, width))
        for top in range(0, height, SIDE)
        for left in range(0, width, SIDE)
    ]


def influence_of(
    method: Method, pair: Pair, box: Box, dtype: str = "float32", go_on: Callable[[], None] = lambda: None
) -> NDArray[np.floating]:
    """Add up the Jacobian images of the fused pixels in a box.

    Parameters
    ----------
    method, pair, dtype
        See `influence_images`.
    box : Box
        The pixels.
    go_on : callable
        Called now and then; what it raises ends the work.

    Returns
    -------
    ndarray
        (4, h, w): Σ|J1|, Σ|J2|, ΣJ1 and ΣJ2.
    """
    pixels = [(row, column) for row in range(box.top, box.bottom) for column in range(box.left, box.right)]
    sums = np.empty((len(pixels), 4), dtype=dtype)
    local = method.locality_at(pair.shape).radius is not None
    at_once = WINDOWS_AT_ONCE[method.device.type] if local else GLOBAL_AT_ONCE
    for start in range(0, len(pixels), at_once):
        go_on()
        part = slice(start, start + at_once)
        by_pixel = _local_sums if local else _global_sums
        for numbers, found in by_pixel(method, pair, pixels[part], dtype):
            sums[part][numbers] = found
    return np.ascontiguousarray(sums.T).reshape(4, *box.shape)


def _local_sums(
    method: Method, pair: Pair, pixels: list[Pixel], dtype: str
) -> Iterator[tuple[list[int], NDArray[np.float64]]]:
    for numbers, gradients in whole_windows(method, pair, pixels, dtype):
        with torch.inference_mode():
            parts = gradients.double()
            both = torch.cat((parts.abs().sum((2, 3)), parts.sum((2, 3))), dim=1)
            finite = gradients.isfinite().flatten(1).all(dim=1)
            yield numbers, torch.where(finite[:, None], both, torch.nan).cpu().numpy()


def _global_sums(
    method: Method, pair: Pair, pixels: list[Pixel], dtype: str
) -> Iterator[tuple[list[int], NDArray[np.float64]]]:
    values = np.stack([window.values for window in jacobians(method, pair, pixels, dtype, ahead=False)])
    parts = np.where(np.isfinite(values).all(axis=(1, 2, 3), keepdims=True), values, np.nan).astype(
        np.float64
    )
    yield list(range(len(pixels))), np.concatenate((np.abs(parts).sum((2, 3)), parts.sum((2, 3))), axis=1)
