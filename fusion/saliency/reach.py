"""Reach of linearity: how far an input may be changed before the derivative does not tell the fused pixel any more.

A Jacobian image (paper, equation 1) is the exact derivative at the images as they are. Read as "so much more of this
input makes so much more of the fused pixel", it is right for small changes only. The reach says how small, in gray
levels of 255, and which one of two changes is meant: of the pixel itself, or of every pixel that it depends on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fusion.methods.base import Method
from fusion.network import apply_network, images_tensor, torch_dtype
from fusion.pair import Pair
from fusion.saliency.chain.changes import ChangedPixel
from fusion.saliency.chain.windows import chain_of
from fusion.saliency.jacobian import checked_pixel, jacobian
from fusion.saliency.products import fused_core, product_tiles, products
from fusion.saliency.response import Progress, whole_inputs
from fusion.saliency.tiles import Tile
from fusion.saliency.window import Box, Pixel, box_around

STEPS = (1, 2, 4, 8, 16, 32, 64)
"""Sizes of a change that are tried, gray levels."""
LEVEL = 1 / 255
"""One gray level of a scaled input."""
SHARE = 0.1
"""Error of the predicted change that passes, as a share of the true one."""
SLACK = 0.1 * LEVEL
"""Error that passes whatever the true change is: a tenth of a gray level of the fused image."""

_TOGETHER = ((1, 2, 4), (8, 16), (32, 64))
"""Steps that are computed at once: the more, the less each costs, and the more are for nothing after one has failed."""

Answer = Callable[[int, Tensor, bool], Tensor]
"""Called with 0 or 1 for the input, (B,) numbers to add, and whether to the pixel alone: (B,) changes of y(i)."""


@dataclass(frozen=True)
class Reach:
    """The reach of one fused pixel's derivative, gray levels of 255, by input: x1 first.

    Each is the largest of `STEPS` such that for it and all smaller ones, brighter and darker, the predicted change of
    the fused pixel is right (`holds`); 0 where it is not even for one gray level.

    Attributes
    ----------
    own_pixel : tuple of int
        For a change of the input at the fused pixel's own place alone: predicted as dy(i)/dx(i) · step.
    whole_support : tuple of int
        For the same change of every pixel of the input that y(i) depends on: predicted as Σ_j dy(i)/dx(j) · step.
    """

    own_pixel: tuple[int, int]
    whole_support: tuple[int, int]


def reach_of_linearity(method: Method, pair: Pair, pixel: Pixel, dtype: str = "float32") -> Reach:
    """Find how many gray levels the derivative of one fused pixel reaches.

    For each input and both changes of `Reach`, y(x + Δ) − y(x) is computed for Δ of ±1, ±2, ±4 … ±64 gray levels and
    held against J·Δ with the method's own derivative J, which of weighted averaging is the one with its weights held
    constant. Inputs are not clipped: x + Δ may leave [0, 1].

    Parameters
    ----------
    method : Method
        The fusion method. A global one costs up to 56 forward passes of the whole image, another of a part of the
        pixel's support.
    pair : Pair
        The two input images.
    pixel : tuple of int
        The principal pixel (row, col), 0-based.
    dtype : {"float32", "float64"}
        The precision of the whole computation.

    Returns
    -------
    Reach
        Four numbers out of 0, 1, 2, 4, 8, 16, 32 and 64, gray levels.

    Raises
    ------
    PixelOutsideImageError
        If the pixel is not in the image.
    NetworkError
        If the network cannot be run on this image.
    """
    pixel = checked_pixel(pixel, pair.shape)
    window = jacobian(method, pair, pixel, dtype, ahead=False)
    answer = _answer(method, pair, pixel, torch_dtype(dtype))
    sums = window.values.astype(np.float64).sum(axis=(1, 2))
    own, whole = (
        tuple(_reach(answer, index, float(slopes[index]), alone) for index in (0, 1))
        for slopes, alone in ((window.at_principal, True), (sums, False))
    )
    return Reach((own[0], own[1]), (whole[0], whole[1]))


def holds(predicted: NDArray[np.floating], true: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Tell where a predicted change passes for the true one: |predicted − true| ≤ max(10 % of |true|, 0.1 levels).

    Parameters
    ----------
    predicted, true : ndarray
        Changes of fused intensities, of one shape, dimensionless.

    Returns
    -------
    ndarray of bool
        Of the same shape; ``False`` where one of them is NaN.
    """
    return np.abs(predicted - true) <= np.maximum(SHARE * np.abs(true), SLACK)


def reach_places(levels: NDArray[Any]) -> NDArray[np.float32]:
    """Return the places of gray levels among 0 and `STEPS`, 0 to 7: what lies between two steps counts as the lower.

    Parameters
    ----------
    levels : ndarray
        Reaches, gray levels, of any shape; NaN where they are not known, which stays.
    """
    places = np.searchsorted(STEPS, levels, side="right").astype(np.float32)
    return np.where(np.isnan(levels), np.float32(np.nan), places)


def _reach(answer: Answer, index: int, slope: float, alone: bool) -> int:
    """Return the largest step for which, and for all smaller ones, the slope tells the change of the fused pixel."""
    reached = 0
    for steps in _TOGETHER:
        added = LEVEL * np.outer((1, -1), steps)
        true = (
            answer(index, torch.from_numpy(added.ravel()), alone).double().cpu().numpy().reshape(added.shape)
        )
        both_signs = holds(slope * added, true)
        for number, step in enumerate(steps):
            if not both_signs[:, number].all():
                return reached
            reached = step
    return reached


def _answer(method: Method, pair: Pair, pixel: Pixel, dtype: torch.dtype) -> Answer:
    """Return how a fused pixel answers to changes: by the method's graph where it has one, else by whole crops."""
    locality = method.locality_at(pair.shape)
    radius = locality.radius
    chain = chain_of(method, dtype) if radius is not None else None
    support = Box(0, 0, *pair.shape) if radius is None else box_around(pixel, radius, pair.shape)
    crop = support if radius is None else locality.crop(support, pair.shape)
    part = torch.tensor(pair.images[:, crop.rows(), crop.columns()], dtype=dtype, device=method.device)
    local = (pixel[0] - crop.top, pixel[1] - crop.left)
    if chain is None or chain.graph.regridded:
        return _by_crops(method, part, local)
    changes = ChangedPixel(chain.graph, part, local)

    def answer(index: int, added: Tensor, alone: bool) -> Tensor:
        return changes.changed(index, added.to(part), alone) - changes.unchanged()

    return answer


def _by_crops(method: Method, crop: Tensor, pixel: Pixel) -> Answer:
    """Return the answer of networks without a graph: one whole crop for every change."""
    network = method.network_as(crop.dtype)

    @torch.no_grad()
    def fused(images: Tensor) -> Tensor:
        return torch.cat([apply_network(network, one[None])[:, *pixel] for one in images])

    before = fused(crop[None])

    def answer(index: int, added: Tensor, alone: bool) -> Tensor:
        images = crop.repeat(len(added), 1, 1, 1)
        row, column = (slice(place, place + 1) for place in pixel) if alone else (slice(None), slice(None))
        images[:, index, row, column] += added.to(crop)[:, None, None]
        return fused(images) - before

    return answer


def reach_map(
    method: Method, pair: Pair, progress: Progress | None = None, dtype: str = "float32"
) -> NDArray[np.int16]:
    """Find how many gray levels the derivative of every fused pixel reaches when a whole input changes.

    That is `Reach.whole_support` of every pixel: y(i) depends on no more of the input than its support. It takes two
    products with the Jacobian and up to 28 forward passes of the whole image.

    Parameters
    ----------
    method : Method
        The fusion method.
    pair : Pair
        The two input images.
    progress : callable, optional
        Called as progress(done, total) after each part of the work; raise `fusion.errors.Cancelled` in it to stop.
    dtype : {"float32", "float64"}
        The precision of the whole computation.

    Returns
    -------
    ndarray of int16
        (2, H, W), gray levels of 255 by input: 0 or one of `STEPS`.

    Raises
    ------
    NetworkError
        If the network cannot be run on this image; `NoDerivativeError` if its derivative cannot be had this way.
    """
    precision = torch_dtype(dtype)
    images, network = images_tensor(pair, precision, method.device), method.network_as(precision)
    found = np.zeros((2, *pair.shape), dtype=np.int16)
    parts = product_tiles(method, pair.shape, precision)
    passes = 1 + 2 * len(STEPS)
    for number, tile in enumerate(parts):
        done = iter(range(number * passes + 1, (number + 1) * passes + 1))

        def tell(done: Iterator[int] = done) -> None:
            if progress is not None:
                progress(next(done), len(parts) * passes)

        found[:, tile.core.rows(), tile.core.columns()] = core_reach(network, images, tile, tell)
    return found


def core_reach(
    network: nn.Module, images: Tensor, tile: Tile, tell: Callable[[], None] = lambda: None
) -> NDArray[np.int16]:
    """Return the reach (2, h, w) of the fused pixels of a tile's core; `tell` is called fifteen times meanwhile.

    Parameters
    ----------
    network, images, tile
        See `fusion.saliency.products.products`.
    tell : callable
        What it raises ends the work.
    """
    slopes = products(network, images, whole_inputs(images), tile).double().cpu().numpy()
    tell()
    return np.stack([_reach_of_input(network, images, index, slopes[index], tile, tell) for index in (0, 1)])


@torch.no_grad()
def _reach_of_input(
    network: nn.Module,
    images: Tensor,
    index: int,
    slopes: NDArray[np.float64],
    tile: Tile,
    tell: Callable[[], None],
) -> NDArray[np.int16]:
    """Return the reach of the fused pixels of a tile's core when one input changes by the same everywhere."""
    reached = np.zeros(slopes.shape, dtype=np.int16)
    holding = np.ones(slopes.shape, dtype=np.bool_)
    direction = whole_inputs(images)[index]
    before = fused_core(network, images[None], tile)
    for step in STEPS:
        if holding.any():
            for added in (step * LEVEL, -step * LEVEL):
                after = fused_core(network, (images + added * direction)[None], tile)
                holding &= holds(slopes * added, (after - before)[0].double().cpu().numpy())
            reached[holding] = step
        tell()
    return reached
