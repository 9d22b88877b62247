"""Estimates of guidance images with their standard errors, for networks of which each exact pixel takes a whole pass.

With signs z(j) = ±1 drawn at random for the fused pixels j of a lattice, one pass gives for each of its pixels i

z(i) · Σ_j z(j) · ∂y(j)/∂x(i) = ∂y(i)/∂x(i) + Σ over j ≠ i of z(i)·z(j) · ∂y(j)/∂x(i),

of which the mean over all signs is the exact diagonal (equation 2): the products of two signs have the mean 0. What
remains is noise of the variance Σ over j ≠ i of (∂y(j)/∂x(i))², and the farther the pixels of a lattice are apart, the
less of a network's influence on its surroundings is in it. All lattices of one spacing are a round, which has one
value for every pixel; rounds differ by their signs alone, so that their scatter is the error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from fusion.methods.base import Method
from fusion.network import apply_network, images_tensor, torch_dtype
from fusion.pair import Pair
from fusion.saliency.guidance import colour_order
from fusion.saliency.window import gradient

ROUNDS = 8
SPACING = 8
LEAST_ROUNDS = 2
"""Of one alone there is no scatter."""

Progress = Callable[[int, int], None]
"""Called as progress(done, total) after each pass; may raise `fusion.errors.Cancelled`."""


@dataclass(frozen=True, eq=False)
class GuidanceEstimate:
    """Both guidance images of a pair, estimated.

    Attributes
    ----------
    values : ndarray
        (2, H, W), unbiased estimates of dy(i)/dx1(i) and dy(i)/dx2(i), dimensionless.
    standard_error : ndarray
        (2, H, W), ≥ 0: the standard deviation of `values`, itself estimated from `rounds` rounds.
    rounds : int
        How many independent estimates of each pixel were averaged.
    passes : int
        Passes through the whole image that this took.
    """

    values: NDArray[np.floating]
    standard_error: NDArray[np.floating]
    rounds: int
    passes: int


def estimated_guidance(
    method: Method,
    pair: Pair,
    rounds: int = ROUNDS,
    spacing: int = SPACING,
    seed: int = 0,
    progress: Progress | None = None,
    dtype: str = "float32",
) -> GuidanceEstimate:
    """Estimate both guidance images (paper, equation 2) from few passes, each pixel with a standard error.

    `fusion.guidance` is exact. This is for networks that see the whole image otherwise than through a few numbers, as
    by attention between all pixels: of them it takes a pass a pixel, and this `rounds` · `spacing`² passes in all.

    Parameters
    ----------
    method : Method
        The fusion method. Of a local one the estimate is exact, its error 0, where `spacing` is above its support
        radius; one forward pass of the whole image is kept in memory.
    pair : Pair
        The two input images.
    rounds : int
        Independent estimates of each pixel, ≥ 2. Four times as many halve the error.
    spacing : int
        Pixels from one of a lattice to the next, ≥ 1. Twice as many take four times the passes, and leave the influence
        of nearer pixels out.
    seed : int
        Of the random signs.
    progress : callable, optional
        Called after each pass; raise `fusion.errors.Cancelled` in it to stop.
    dtype : {"float32", "float64"}
        The precision of the whole computation.

    Returns
    -------
    GuidanceEstimate

    Raises
    ------
    ValueError
        If there are too few rounds, or the spacing is not at least 1.
    NetworkError
        If the network cannot be run on this image.
    """
    if rounds < LEAST_ROUNDS or spacing < 1:
        raise ValueError(
            f"An estimate takes at least {LEAST_ROUNDS} rounds, of pixels at least 1 apart; "
            f"got {rounds} rounds and {spacing}."
        )
    if method.elsewhere is not None:
        found = method.elsewhere.estimated_guidance(pair, rounds, spacing, seed, progress, dtype)
        return GuidanceEstimate(*found)
    cell = min(spacing, pair.shape[0]), min(spacing, pair.shape[1])
    total = rounds * cell[0] * cell[1]
    mean, squares = (np.zeros((2, *pair.shape), dtype=np.float64) for _ in range(2))
    passes = _passes(method, pair, rounds, cell, seed, torch_dtype(dtype))
    for done, (count, rows, columns, values) in enumerate(passes, start=1):
        before = values - mean[:, rows, columns]
        mean[:, rows, columns] += before / count
        squares[:, rows, columns] += before * (values - mean[:, rows, columns])
        if progress is not None:
            progress(done, total)
    error = np.sqrt(squares / (rounds - 1) / rounds)
    return GuidanceEstimate(mean.astype(dtype), error.astype(dtype), rounds, total)


def _passes(
    method: Method, pair: Pair, rounds: int, cell: tuple[int, int], seed: int, dtype: torch.dtype
) -> Iterator[tuple[int, slice, slice, NDArray[np.floating]]]:
    """Yield of each pass its round, from 1, the rows and columns of its lattice, and (2, h, w) estimates there."""
    generator = torch.Generator().manual_seed(seed)
    leaf = images_tensor(pair, dtype, method.device)[None].detach().requires_grad_(True)
    with torch.enable_grad():
        fused = apply_network(method.network_as(dtype), leaf)[0]
    for count in range(1, rounds + 1):
        signs = torch.randint(0, 2, pair.shape, generator=generator).mul_(2).sub_(1).to(fused)
        for row, column in colour_order(*cell):
            rows, columns = slice(row, None, cell[0]), slice(column, None, cell[1])
            chosen = signs[rows, columns]
            with torch.enable_grad():
                found = gradient((fused[rows, columns] * chosen).sum(), leaf, keep_graph=True)[0]
            yield count, rows, columns, (found[:, rows, columns] * chosen).cpu().numpy()
