"""Products with the Jacobian, J·v and Jᵀ·u, exact and tile by tile: neither needs a single Jacobian image.

The Jacobian J of a fused image has a row for every fused pixel and a column for every input pixel (paper, equation 1).
Jᵀ·u, the derivative of Σ u(i)·y(i), is one backward pass. J·v, the change of every fused pixel with inputs that move
along v, is the derivative of that backward pass, which is linear in u, with respect to u: so kinks, ties and weights
held constant have the derivative that the Jacobian images have. (Forward-mode derivatives need rules of their own.)
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from fusion.errors import NoDerivativeError
from fusion.methods.base import Method
from fusion.network import apply_network
from fusion.saliency.guidance import pixels_a_tile
from fusion.saliency.tiles import Tile, grown, tiles
from fusion.saliency.window import Box, gradient

PASSES = 3
"""A backward pass that is differentiated itself is kept too: so many times what one forward pass takes."""
UNMEASURED = 96 * 96
"""Pixels of a crop that fits whatever the network, so that memory need not be measured."""

UNEQUAL = 1e-3
"""How far two sums that are equal but for rounding may be apart, relative to what is added up."""
_NO_PRODUCT = "The derivative of the network cannot be multiplied by a change of its inputs"


def product_tiles(
    method: Method, shape: tuple[int, int], dtype: torch.dtype, within: Box | None = None
) -> list[Tile]:
    """Cut an image, or a part of it, into tiles for products.

    Parameters
    ----------
    method : Method
        The fusion method; a global one has one tile, the whole image.
    shape : tuple of int
        (H, W) of the image.
    dtype : torch.dtype
        float32 or float64.
    within : Box, optional
        The part whose fused pixels are wanted; the whole image unless given.
    """
    locality = method.locality_at(shape)
    radius = locality.radius
    if radius is None:
        return tiles(shape, locality, 0)
    area = within or Box(0, 0, *shape)
    small = math.prod(grown(area, radius, shape).shape) <= UNMEASURED
    pixels = UNMEASURED if small else pixels_a_tile(method, dtype, locality, shape) // PASSES
    return tiles(shape, locality, pixels, area)


def fused_core(network: nn.Module, images: Tensor, tile: Tile) -> Tensor:
    """Fuse the core of a tile of some pairs.

    Parameters
    ----------
    network : torch.nn.Module
        Of the images' precision and device.
    images : torch.Tensor
        (B, 2, H, W), whole images; any numbers, not only from 0 to 1.
    tile : Tile
        The part.

    Returns
    -------
    torch.Tensor
        (B, h, w), y of the core.
    """
    return apply_network(network, _crop(images, tile))[:, *tile.inner]


def products(network: nn.Module, images: Tensor, directions: Tensor, tile: Tile) -> Tensor:
    """Compute J·v in the core of a tile, with the Jacobian J at these images.

    Parameters
    ----------
    network, tile
        See `fused_core`.
    images : torch.Tensor
        (2, H, W), whole images.
    directions : torch.Tensor
        (N, 2, H, W), the vectors v.

    Returns
    -------
    torch.Tensor
        (N, h, w): Σ over both inputs and all pixels j of dy(i)/dx(j) · v(j), for the pixels i of the core.

    Raises
    ------
    NoDerivativeError
        If autograd cannot differentiate the network, or its backward pass.
    """
    leaf = _crop(images[None], tile).detach().clone().requires_grad_(True)
    with torch.enable_grad():
        fused = apply_network(network, leaf)[0][tile.inner]
        if not fused.requires_grad:
            return fused.new_zeros((len(directions), *fused.shape))
        weights = _some_weights(fused).requires_grad_(True)
        try:
            (back,) = torch.autograd.grad((fused * weights).sum(), leaf, create_graph=True)
            parts = [back[0] * direction for direction in _crop(directions, tile)]
            found = [torch.autograd.grad(part.sum(), weights, retain_graph=True)[0] for part in parts]
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            raise NoDerivativeError(f"{_NO_PRODUCT}: {error}") from error
    for part, one in zip(parts, found, strict=True):
        _check_linear(weights.detach() * one, part.detach())
    return torch.stack(found)


def _some_weights(fused: Tensor) -> Tensor:
    """Return weights u of fused pixels, the same each time: J·v does not depend on them, but `_check_linear` does."""
    generator = torch.Generator().manual_seed(0)
    return torch.rand(fused.shape, generator=generator, dtype=fused.dtype).to(fused.device)


def _check_linear(weighted: Tensor, parts: Tensor) -> None:
    """Hold the sum of u·(J·v) against that of (Jᵀ·u)·v.

    Autograd says nothing where an operation of a user's own cannot be differentiated twice, and leaves out its part.
    """
    difference = (weighted.double().sum() - parts.double().sum()).abs()
    if difference > UNEQUAL * (weighted.abs().double().sum() + parts.abs().double().sum()):
        raise NoDerivativeError(f"{_NO_PRODUCT}: an operation of its own can be differentiated once only.")


def transposed_product(network: nn.Module, images: Tensor, weights: Tensor, tile: Tile) -> Tensor:
    """Compute Jᵀ·u for weights u of the fused pixels in the core of a tile.

    Parameters
    ----------
    network, images, tile
        See `products`.
    weights : torch.Tensor
        (H, W), the weights u; those outside the core are left out.

    Returns
    -------
    torch.Tensor
        (2, h, w): Σ over pixels i of the core of u(i) · dy(i)/dx(j), for the pixels j of the crop; 0 elsewhere.

    Raises
    ------
    NoDerivativeError
        If autograd cannot differentiate the network.
    """
    leaf = _crop(images[None], tile).detach().clone().requires_grad_(True)
    with torch.enable_grad():
        fused = apply_network(network, leaf)[0][tile.inner]
        return gradient((fused * weights[tile.core.rows(), tile.core.columns()]).sum(), leaf)[0]


def _crop(images: Tensor, tile: Tile) -> Tensor:
    return images[:, :, tile.crop.rows(), tile.crop.columns()]
