"""Holds a chain against plain autograd before it is used."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fusion.errors import NetworkError
from fusion.network import apply_network
from fusion.network_copies import converted, copied
from fusion.saliency.chain.chain import Chain
from fusion.saliency.chain.graph import NotUnderstoodError
from fusion.saliency.chain.steps import PixelLattice
from fusion.saliency.crops import Locality
from fusion.saliency.window import Box, Pixel, gradient

logger = logging.getLogger(__name__)

PERIOD = 16
"""Strides: to multiples of up to so many a network may pad images, and is found out."""
TOLERANCE = 1e-9
"""Largest relative error, in float64; a chain that is right stays below 1e-13."""
ROUNDING = 1e-15
"""The same relative to the largest derivative of all pixels, for those at which everything cancels but rounding."""


def checked_chain(
    network: nn.Module,
    dtype: torch.dtype,
    device: torch.device,
    radius: int,
    locality: Locality | None = None,
) -> Chain:
    """Make a chain of a network, and compare it in float64 with autograd on the whole of random images.

    Parameters
    ----------
    network : torch.nn.Module
        y = f(x1, x2), in evaluation mode, of `dtype` and on `device`.
    dtype, device
        Of the chain.
    radius : int
        The network's support radius, pixels.
    locality : Locality, optional
        Of a network that strides.

    Raises
    ------
    NotUnderstoodError
        If no chain can be made of the network.
    WrongChainError
        If one could be made, but differs from autograd.
    """
    chain = Chain(network, dtype, device, locality=locality)
    if not chain.graph.regridded and chain.radius > radius:
        raise NotUnderstoodError(f"its support seems to be {chain.radius} pixels, but {radius} by probing")
    strided = locality is not None and locality.alignment > 1
    exact, exact_chain = network, chain
    # A chain that strides asks whether it holds for a shape, which is found out with one that does not ask.
    if strided or (dtype, device.type) != (torch.float64, "cpu"):
        exact = converted(copied(network), torch.float64, "cpu")
        exact_chain = Chain(exact, torch.float64, torch.device("cpu"), locality=locality)
    check(exact_chain, exact, radius)
    if strided:
        chain.holds_at = partial(_holds_at, exact_chain, exact, radius)
    return chain


def _holds_at(chain: Chain, network: nn.Module, radius: int, shape: tuple[int, int]) -> bool:
    """Compare on images like those of a shape (H, W): a network may pad to multiples of more than its stride.

    They have sides of the same remainder, and are as large as need be to have pixels that no border reaches.
    """
    period = PERIOD * chain.step
    least = period * -(-(2 * radius + 4) // period)
    height, width = (min(side, side % period + least) for side in shape)
    try:
        check(chain, network, radius, [(height, width)])
    except (WrongChainError, NotUnderstoodError) as reason:
        logger.info("Images of %d×%d pixels are differentiated window by window: %s", *shape, reason)
        return False
    return True


class WrongChainError(Exception):
    """A chain's derivatives are not those of autograd."""


def check(
    chain: Chain, network: nn.Module, radius: int, shapes: Iterable[tuple[int, int]] | None = None
) -> None:
    """Compare a float64 chain with autograd on the CPU, on images of some shapes (H, W) or, by default, of two.

    Raises
    ------
    WrongChainError
        If they differ by more than `TOLERANCE`, relative to the largest derivative of the same pixel, and by more than
        `ROUNDING`, relative to the largest of all.
    NotUnderstoodError
        If autograd has nothing to compare with: it fails, has only NaN and infinities, or the network takes none of
        the images.
    """
    compared = list(_errors(chain, network, radius, shapes or _shapes(radius, chain)))
    if not compared:
        raise NotUnderstoodError(
            "there is nothing to compare with: autograd has no finite derivative in random images"
        )
    rounding = ROUNDING * max(scale for _, scale, _ in compared)
    for error, scale, where in compared:
        # Written so that NaN counts as wrong.
        if not error <= max(TOLERANCE * scale, rounding):
            raise WrongChainError(
                f"At {where} it is {error:.1e} from autograd, whose largest value is {scale:.1e}."
            )


def _errors(
    chain: Chain, network: nn.Module, radius: int, shapes: Iterable[tuple[int, int]]
) -> Iterator[tuple[float, float, str]]:
    """Yield the largest error at each pixel that is compared, the largest derivative there, and which pixel it is."""
    generator = np.random.default_rng(0)
    for shape in shapes:
        images = generator.random((2, *shape), dtype=np.float32)
        # A background as black as a slice's, where rectifiers and rules meet their kinks.
        images[:, : shape[0] // 3, : shape[1] // 3] = 0
        leaf = torch.tensor(images[None], dtype=torch.float64, requires_grad=True)
        try:
            with torch.enable_grad():
                fused = apply_network(network, leaf)[0]
        except NetworkError:
            continue  # it may not take images as small as these
        by_autograd = {}
        for pixel in _pixels(shape, generator):
            if not chain.covers(pixel, radius, shape):
                continue
            try:
                values = gradient(fused[pixel], leaf, keep_graph=True)[0].numpy()
            except (RuntimeError, NetworkError) as reason:
                raise NotUnderstoodError(f"autograd fails: {reason}") from reason
            if np.isfinite(values).all():  # others take the window's path, see `fusion.saliency.jacobian`
                by_autograd[pixel] = values
        by_chain = _whole(chain, images, list(by_autograd), radius)
        for (pixel, expected), found in zip(by_autograd.items(), by_chain, strict=True):
            diagonal = _diagonal(chain, images, pixel)
            error = max(np.abs(found - expected).max(), np.abs(diagonal - expected[:, *pixel]).max())
            where = f"pixel {pixel} of {shape[0]}×{shape[1]}"
            yield float(error), float(np.abs(expected).max()), where


def _shapes(radius: int, chain: Chain) -> Iterator[tuple[int, int]]:
    """One image smaller than the support, and one not square with pixels that no border reaches."""
    for sides in ((max(radius - 1, 1), radius + 2), (2 * radius + 4, 2 * radius + 3)):
        height, width = (max(side, chain.least) for side in sides)
        yield height + -height % chain.step, width + -width % chain.step


def _pixels(shape: tuple[int, int], generator: np.random.Generator) -> list[Pixel]:
    """Return the middle, a border, a corner and any other pixel."""
    height, width = shape
    anywhere = (int(generator.integers(height)), int(generator.integers(width)))
    return [(height // 2, width // 2), (0, width // 3), (height - 1, width - 1), anywhere]


def _whole(
    chain: Chain, images: NDArray[np.float32], pixels: list[Pixel], radius: int
) -> NDArray[np.floating]:
    """Return the Jacobian images of some pixels by a chain, (pixels, 2, H, W)."""
    height, width = images.shape[1:]
    derivatives = chain.derivatives(images, Box(0, 0, *chain.known((height, width))))
    derivatives.ensure(pixels)
    places = [derivatives.pixel(pixel) for pixel in pixels]
    # One alone and the others together: hovers are computed in both ways.
    windows = [chain.jacobians(part, radius) for part in (places[:1], places[1:]) if part]
    around = np.zeros((len(pixels), 2, height + 2 * radius, width + 2 * radius))
    side = 2 * radius + 1
    for image, pixel, values in zip(around, pixels, itertools.chain(*windows), strict=True):
        image[:, pixel[0] : pixel[0] + side, pixel[1] : pixel[1] + side] = values
    return around[..., radius : radius + height, radius : radius + width]


def _diagonal(chain: Chain, images: NDArray[np.float32], pixel: Pixel) -> NDArray[np.floating]:
    stride = chain.diagonal.stride
    row, column = (place % stride for place in pixel)
    top, left = pixel[0] - row, pixel[1] - column
    derivatives = chain.derivatives(images, Box(top, left, top + stride, left + stride), diagonal=True)
    derivatives.ensure([pixel])
    lattice = PixelLattice(derivatives.tensors, row, column, stride, stride, (1, 1), stride)
    return chain.diagonals(lattice)[:, 0, 0]
