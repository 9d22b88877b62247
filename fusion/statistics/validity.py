"""Errors of the derivative's predictions, for changes of small patches (docs/validity.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusion.methods.base import Method
from fusion.network import images_tensor, torch_dtype
from fusion.pair import Pair
from fusion.saliency.products import fused_core, product_tiles, products
from fusion.saliency.reach import LEVEL
from fusion.saliency.response import PATH_STEPS
from fusion.saliency.tiles import grown
from fusion.saliency.window import Box, Pixel
from fusion.statistics.regions import inside_head

PATCH = 8
"""Pixels along a side of a patch."""
BRIGHTER = 0.02
"""What is added to a patch, of a scaled intensity."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class PatchErrors:
    """‖Δy − prediction‖ / ‖Δy‖ for changes of one input in a patch of 8×8 pixels, 2-norms over the fused image.

    NaN where the change changes nothing, as where a black patch is set to 0.

    Attributes
    ----------
    brighter : float
        Of J·Δ, when 0.02 is added.
    level : float
        Of J·Δ, when one gray level of 255 is added.
    black : float
        Of J·Δ, when the patch is set to 0.
    black_path : float
        The same of the mean of eight Jacobians on the way there, `fusion.saliency.response.Response.path`.
    """

    brighter: float
    level: float
    black: float
    black_path: float


def patch_errors(
    method: Method, pair: Pair, index: int, corner: Pixel, dtype: str = "float64"
) -> PatchErrors:
    """Change one input in a patch and hold what the derivative predicts against what the fused image does.

    Parameters
    ----------
    method : Method
        The fusion method, whose own derivative is taken.
    pair : Pair
        The two input images.
    index : int
        Which input, 0 or 1.
    corner : tuple of int
        (row, column) of the patch's first pixel; what leaves the image is cut off.
    dtype : {"float32", "float64"}
        The precision of the whole computation.

    Returns
    -------
    PatchErrors
    """
    precision = torch_dtype(dtype)
    images, network = images_tensor(pair, precision, method.device), method.network_as(precision)
    patch = Box(*corner, min(corner[0] + PATCH, pair.shape[0]), min(corner[1] + PATCH, pair.shape[1]))
    deltas = images.new_zeros((3, *images.shape))
    deltas[0, index, patch.rows(), patch.columns()] = BRIGHTER
    deltas[1, index, patch.rows(), patch.columns()] = LEVEL
    deltas[2, index, patch.rows(), patch.columns()] = -images[index, patch.rows(), patch.columns()]
    radius = method.locality_at(pair.shape).radius
    within = None if radius is None else grown(patch, radius, pair.shape)
    squares = torch.zeros((4, 2), dtype=torch.float64)
    for tile in product_tiles(method, pair.shape, precision, within):
        with torch.no_grad():
            before = fused_core(network, images[None], tile)[0]
            true = (
                torch.stack([fused_core(network, (images + one)[None], tile)[0] for one in deltas]) - before
            )
        linear = products(network, images, deltas, tile)
        path = torch.zeros_like(before)
        for step in range(PATH_STEPS):
            there = images + (step + 0.5) / PATH_STEPS * deltas[2]
            path += products(network, there, deltas[2:], tile)[0] / PATH_STEPS
        squares += _squares(torch.stack((*linear, path)), torch.stack((*true, true[2])))
    errors = [float(wrong / size) ** 0.5 if size else float("nan") for wrong, size in squares]
    return PatchErrors(*errors)


def _squares(predicted: Tensor, true: Tensor) -> Tensor:
    wrong, size = (image.double().square().sum(dim=(1, 2)).cpu() for image in (true - predicted, true))
    return torch.stack((wrong, size), dim=1)


def drawn_corners(pair: Pair, count: int, seed: int) -> list[Pixel]:
    """Draw places for patches whose middle lies in the head.

    Parameters
    ----------
    pair : Pair
        The two input images.
    count : int
        How many.
    seed : int
        Of the draw.
    """
    inside = np.argwhere(inside_head(pair).mask)
    if not len(inside):
        inside = np.argwhere(np.ones(pair.shape, dtype=bool))
    chosen = inside[np.random.default_rng(seed).integers(len(inside), size=count)] - PATCH // 2
    return [(max(int(row), 0), max(int(column), 0)) for row, column in chosen]


def error_table(
    method: Method, pairs: Sequence[Pair], patches: int, seed: int = 0, progress: Progress | None = None
) -> NDArray[np.float64]:
    """Compute the errors of many patches of some pairs, each input in turn.

    Parameters
    ----------
    method : Method
        The fusion method.
    pairs : sequence of Pair
        The pairs.
    patches : int
        Patches of each pair; both inputs are changed in each.
    seed : int
        Of the places.
    progress : callable, optional
        Called as progress(done, total) after each patch; raise `fusion.errors.Cancelled` in it to stop.

    Returns
    -------
    ndarray
        (4, 2): of `brighter`, `level`, `black` and `black_path` the median and the 90th percentile.
    """
    places = [
        (pair, index, corner)
        for pair in pairs
        for corner in drawn_corners(pair, patches, seed)
        for index in (0, 1)
    ]
    errors = []
    for done, (pair, index, corner) in enumerate(places, start=1):
        found = patch_errors(method, pair, index, corner, "float32")
        errors.append((found.brighter, found.level, found.black, found.black_path))
        if progress is not None:
            progress(done, len(places))
    values: NDArray[np.float64] = np.nanpercentile(np.array(errors), (50, 90), axis=0).T
    return values
