"""Windows: the part of an image that one fused pixel depends on, and the derivatives inside it.

A fused pixel i depends on no input pixel further away (Chebyshev distance) than the support radius r. The
network run on the crop of radius r around i, clipped at the true image border, therefore has the same
derivatives at i as the network run on the whole image. Only pixel i of a crop is exact: its neighbours see
the crop's edge where the whole image goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fusion.errors import NoDerivativeError
from fusion.network import apply_network

Pixel = tuple[int, int]

SUSPICIOUS_GRADIENT = 1e3
"""Magnitude from which a gradient is flagged: intensities span 1, trained networks stay below about 10."""


PATHS = ("", "chain", "window", "whole image", "atlas", "numbers")
"""The ways in which a window can have come about, by the number that stored results and answers to browsers have."""


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels: rows top ≤ row < bottom, columns left ≤ column < right."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.bottom - self.top, self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns as slices."""
        return self.rows(), self.columns()

    def joined(self, other: Box) -> Box:
        """Return the smallest box that has both in it."""
        return Box(
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
        )

    def rows(self) -> slice:
        """Return the rows as a slice."""
        return slice(self.top, self.bottom)

    def columns(self) -> slice:
        """Return the columns as a slice."""
        return slice(self.left, self.right)

    def common(self, other: Box) -> Box | None:
        """Return the pixels that are in another one too; ``None`` where none is."""
        top, left = max(self.top, other.top), max(self.left, other.left)
        bottom, right = min(self.bottom, other.bottom), min(self.right, other.right)
        return Box(top, left, bottom, right) if top < bottom and left < right else None

    def within(self, other: Box) -> tuple[slice, slice]:
        """Return its rows and columns, counted from the first ones of another."""
        return (
            slice(self.top - other.top, self.bottom - other.top),
            slice(self.left - other.left, self.right - other.left),
        )


def box_around(pixel: Pixel, radius: int, shape: tuple[int, int]) -> Box:
    """Return the pixels around a pixel, clipped at the image border.

    Parameters
    ----------
    pixel : tuple of int
        (row, column), 0-based.
    radius : int
        Chebyshev distance, pixels.
    shape : tuple of int
        (H, W) of the image.
    """
    row, column = pixel
    height, width = shape
    return Box(
        max(row - radius, 0),
        max(column - radius, 0),
        min(row + radius + 1, height),
        min(column + radius + 1, width),
    )


@dataclass(frozen=True, eq=False)
class JacobianWindow:
    """The Jacobian images of one principal pixel (paper, equation 1), inside the support.

    Attributes
    ----------
    values : ndarray
        (2, h, w): dy(i)/dx1 and dy(i)/dx2, dimensionless, unbounded, of the dtype that was asked for.
    top, left : int
        Where ``values[:, 0, 0]`` lies in the image. Everything outside the window is exactly 0.
    row, col : int
        The principal pixel, 0-based.
    shape : tuple of int
        (H, W) of the whole image.
    path : str
        How it was computed, one of `PATHS`; empty if that is not known any more.
    """

    values: NDArray[np.floating]
    top: int
    left: int
    row: int
    col: int
    shape: tuple[int, int]
    path: str = ""

    def dense(self) -> NDArray[np.floating]:
        """Return the whole Jacobian images, (2, H, W), zeros outside the window."""
        whole = np.zeros((2, *self.shape), dtype=self.values.dtype)
        height, width = self.values.shape[1:]
        whole[:, self.top : self.top + height, self.left : self.left + width] = self.values
        return whole

    @property
    def box(self) -> Box:
        """Place of the values in the image."""
        height, width = self.values.shape[1:]
        return Box(self.top, self.left, self.top + height, self.left + width)

    @property
    def at_principal(self) -> NDArray[np.floating]:
        """The guidance values of the principal pixel, dy(i)/dx1(i) and dy(i)/dx2(i), shape (2,)."""
        return self.values[:, self.row - self.top, self.col - self.left]

    @cached_property
    def suspicious(self) -> bool:
        """True if any gradient is not finite or larger than `SUSPICIOUS_GRADIENT`."""
        return not bool((np.abs(self.values) <= SUSPICIOUS_GRADIENT).all())

    def strongest_neighbour(self) -> tuple[int, int, int, float] | None:
        """Return (input 0 or 1, row, col, value) of the largest |gradient| but at the principal pixel.

        ``None`` where no neighbour has any influence.
        """
        magnitude = np.nan_to_num(np.abs(self.values), nan=0.0, posinf=np.inf)
        magnitude[:, self.row - self.top, self.col - self.left] = 0
        index, row, col = (int(i) for i in np.unravel_index(int(magnitude.argmax()), magnitude.shape))
        if magnitude[index, row, col] == 0:
            return None
        return index, row + self.top, col + self.left, float(self.values[index, row, col])


def gradients_in_crops(network: nn.Module, crops: Tensor, pixels: Sequence[Pixel]) -> Tensor:
    """Differentiate one fused pixel of each crop with respect to both inputs of its crop.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode, so that no sample of a batch can see another.
    crops : torch.Tensor
        (B, 2, h, w).
    pixels : sequence of (row, column)
        The fused pixel of each crop, in the crop's own coordinates.

    Returns
    -------
    torch.Tensor
        (B, 2, h, w), dy(pixel)/dx, zeros where y does not depend on x.
    """
    leaf = crops.detach().requires_grad_(True)
    with torch.enable_grad():
        fused = apply_network(network, leaf)
        rows = torch.tensor([row for row, _ in pixels], device=crops.device)
        columns = torch.tensor([column for _, column in pixels], device=crops.device)
        chosen = fused[torch.arange(len(pixels), device=crops.device), rows, columns].sum()
        return gradient(chosen, leaf)


def gradient(output: Tensor, leaf: Tensor, keep_graph: bool = False) -> Tensor:
    """Differentiate an output with respect to a leaf of autograd's graph.

    Parameters
    ----------
    output : torch.Tensor
        One number.
    leaf : torch.Tensor
        (…), any shape.
    keep_graph : bool
        Whether more will be differentiated in the same graph.

    Returns
    -------
    torch.Tensor
        d output / d leaf, the leaf's shape; zeros where the output does not depend on the leaf at all.

    Raises
    ------
    NoDerivativeError
        If autograd cannot differentiate what the network did.
    """
    if not output.requires_grad:
        return torch.zeros_like(leaf)
    try:
        (result,) = torch.autograd.grad(output, leaf, retain_graph=keep_graph, allow_unused=True)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise NoDerivativeError(f"The network cannot be differentiated: {error}") from error
    return torch.zeros_like(leaf) if result is None else result
