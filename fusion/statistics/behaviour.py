"""Numbers and curves that say what a network does with its inputs (docs/validity.md, "Behaviour").

A fused image can score well and teach the wrong lesson: a network that multiplies its inputs shows nothing where one of
them is dark. These numbers find that, from fused images alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from fusion.methods.base import Method
from fusion.network import images_tensor
from fusion.pair import Pair
from fusion.statistics.regions import inside_head
from fusion.training.loss import LossBalance, fusion_loss

BRIGHTER = 0.02
"""What is added to x2, a scaled intensity, to see whether the fused image falls."""
FIRST_ALONE = (0.05, 0.3)
"""Where x2 is below the first and x1 above the second, the first input alone has something to show."""
SECOND_ALONE = (0.1, 0.15)
"""The reverse: x1 below the first, x2 above the second."""
LEVELS = (0.1, 0.3, 0.5, 0.7)
"""Intensities at which the other input is held for a response curve."""
LEVEL_WIDTH = 0.05
"""How far an intensity may be from a level and count for it."""
BINS = 10
FEWEST_PIXELS = 20
"""Of a bin; below, it has no mean."""


@dataclass(frozen=True)
class Behaviour:
    """Numbers of one method, on one pair or averaged over several; NaN where one is not defined.

    Attributes
    ----------
    dissimilarity : float
        1 − SSIM, mean of both inputs, 0 (equal) to 2.
    squared_error : float
        Mean (y − x)², mean of both inputs.
    first_kept : float
        The AND gate: mean y / mean x1 where x2 < 0.05 and x1 > 0.3; 0 where the first image vanishes there.
    second_kept : float
        The reverse: mean y / mean x2 where x1 < 0.1 and x2 > 0.15.
    reversal : float
        Share of the head's pixels, 0 to 1, whose fused intensity falls when x2 rises by 0.02 everywhere.
    """

    dissimilarity: float
    squared_error: float
    first_kept: float
    second_kept: float
    reversal: float


@dataclass(frozen=True, eq=False)
class ResponseCurve:
    """Mean fused intensity against one input while the other is about constant.

    Attributes
    ----------
    varied : int
        The input on the axis, 0 or 1.
    level : float
        Intensity of the other input, within `LEVEL_WIDTH`.
    intensities : ndarray
        (N,) float64, middles of the bins of the varied input.
    means : ndarray
        (N,) float64, mean y in each bin; NaN with fewer than `FEWEST_PIXELS` pixels.
    """

    varied: int
    level: float
    intensities: NDArray[np.float64]
    means: NDArray[np.float64]


def and_gate(images: ArrayLike, fused: ArrayLike) -> tuple[float, float]:
    """Return how much of each input is left where the other is dark.

    Parameters
    ----------
    images : array
        (2, H, W), scaled intensities in [0, 1].
    fused : array
        (H, W), fused intensities.

    Returns
    -------
    tuple of float
        Mean y / mean x1 where x2 < 0.05 and x1 > 0.3, and mean y / mean x2 where x1 < 0.1 and x2 > 0.15; dimensionless,
        NaN where there is no such pixel.
    """
    (first, second), y = np.asarray(images, dtype=np.float64), np.asarray(fused, dtype=np.float64)
    first_alone = (second < FIRST_ALONE[0]) & (first > FIRST_ALONE[1])
    second_alone = (first < SECOND_ALONE[0]) & (second > SECOND_ALONE[1])
    return _ratio(y, first, first_alone), _ratio(y, second, second_alone)


def _ratio(y: NDArray[np.float64], x: NDArray[np.float64], mask: NDArray[np.bool_]) -> float:
    return float(y[mask].mean() / x[mask].mean()) if mask.any() else float("nan")


def reversal(fused: ArrayLike, brighter: ArrayLike, head: ArrayLike) -> float:
    """Return the share of the head's pixels whose fused intensity falls when an input rises.

    Parameters
    ----------
    fused, brighter : array
        (H, W), fused intensities before and after the rise.
    head : array
        (H, W), bool.

    Returns
    -------
    float
        0 to 1; NaN without any head.
    """
    inside = np.asarray(head, dtype=bool)
    falls = np.asarray(brighter)[inside] < np.asarray(fused)[inside]
    return float(falls.mean()) if falls.size else float("nan")


def response_curve(
    images: ArrayLike, fused: ArrayLike, head: ArrayLike, varied: int, level: float
) -> ResponseCurve:
    """Average the fused intensity inside the head over bins of one input, where the other is about constant.

    Parameters
    ----------
    images : array
        (2, H, W), or (2, N) of several pairs; scaled intensities in [0, 1].
    fused, head : array
        As the second axis and on of `images`: fused intensities, and bool.
    varied : int
        The input on the axis, 0 or 1.
    level : float
        Intensity of the other one.

    Returns
    -------
    ResponseCurve
    """
    inputs, y = np.asarray(images, dtype=np.float64), np.asarray(fused, dtype=np.float64)
    chosen = np.asarray(head, dtype=bool) & (np.abs(inputs[1 - varied] - level) <= LEVEL_WIDTH)
    bins = np.minimum((inputs[varied][chosen] * BINS).astype(int), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    sums = np.bincount(bins, y[chosen], minlength=BINS)
    means = np.full(BINS, np.nan)
    enough = counts >= FEWEST_PIXELS
    means[enough] = sums[enough] / counts[enough]
    return ResponseCurve(varied, level, (np.arange(BINS) + 0.5) / BINS, means)


Progress = Callable[[int, int], None]


def measure(
    method: Method, pairs: Sequence[Pair], progress: Progress = lambda done, total: None
) -> tuple[Behaviour, tuple[ResponseCurve, ...]]:
    """Measure a method's behaviour on some pairs, in float64.

    Parameters
    ----------
    method : Method
        One that runs in this process.
    pairs : sequence of Pair
        At least one, each side at least 11 pixels.
    progress : callable
        Called as progress(done, total) after each pair.

    Returns
    -------
    Behaviour
        Each number averaged over the pairs for which it is defined.
    tuple of ResponseCurve
        Of all pairs together: for each input in turn, y against it with the other at each of `LEVELS`.
    """
    found, seen = [], []
    for done, pair in enumerate(pairs, start=1):
        fused, brighter = _fused(method, pair)
        head = inside_head(pair).mask
        found.append(_of_pair(pair, fused, brighter, head))
        seen.append((pair.images[:, head], fused[head]))
        progress(done, len(pairs))
    images = np.concatenate([inputs for inputs, _ in seen], axis=1)
    y = np.concatenate([values for _, values in seen])
    everywhere = np.ones(len(y), dtype=bool)
    curves = tuple(
        response_curve(images, y, everywhere, varied, level) for varied in (1, 0) for level in LEVELS
    )
    means = {field.name: _mean([getattr(one, field.name) for one in found]) for field in fields(Behaviour)}
    return Behaviour(**means), curves


def _of_pair(
    pair: Pair, fused: NDArray[np.float64], brighter: NDArray[np.float64], head: NDArray[np.bool_]
) -> Behaviour:
    inputs = torch.from_numpy(np.array(pair.images))[None].double()
    losses = fusion_loss(inputs, torch.from_numpy(fused)[None, None], LossBalance()).values()
    first, second = and_gate(pair.images, fused)
    return Behaviour(
        (losses["ssim_mri"] + losses["ssim_pet"]) / 2,
        (losses["l2_mri"] + losses["l2_pet"]) / 2,
        first,
        second,
        reversal(fused, brighter, head),
    )


@torch.no_grad()
def _fused(method: Method, pair: Pair) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fuse a pair as it is, and with x2 raised by `BRIGHTER` everywhere; nothing is clipped."""
    images, network = images_tensor(pair, torch.float64, method.device), method.network_as(torch.float64)
    raised = images + images.new_tensor([0, BRIGHTER])[:, None, None]
    before, after = (network(one[None, :1], one[None, 1:])[0, 0].cpu().numpy() for one in (images, raised))
    return before, after


def _mean(values: Sequence[float]) -> float:
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else float("nan")
