"""Guidance images by region: how large and of which sign, which modality dominates, how both go together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusion.statistics.regions import Region
from fusion.statistics.relation import NAN, Line, pearson, principal_line, spearman

DOMINANCE_RATIO = 1.25
"""A modality dominates where its mean |guidance| is at least this many times the other's."""


class Dominant(StrEnum):
    """Which modality dominates."""

    X1 = "x1"
    X2 = "x2"
    NEITHER = "neither"
    UNDEFINED = "undefined"


@dataclass(frozen=True)
class ModalityStatistics:
    """One guidance image in one region. All NaN where no pixel counts.

    Attributes
    ----------
    mean, median : float
        Dimensionless, unbounded.
    standard_deviation : float
        Of the pixels themselves (divided by n), ≥ 0.
    mean_magnitude : float
        Mean |guidance|, ≥ 0.
    positive, negative, zero : float
        Shares of the pixels that are > 0, < 0 and exactly 0; their sum is 1.
    """

    mean: float
    median: float
    standard_deviation: float
    mean_magnitude: float
    positive: float
    negative: float
    zero: float


@dataclass(frozen=True)
class Dominance:
    """Which modality dominates a region, by m1 and m2, the means of |guidance|.

    Attributes
    ----------
    dominant : Dominant
        ``x1`` where m1 ≥ 1.25·m2 and m1 > 0, ``x2`` where m2 ≥ 1.25·m1 and m2 > 0; else ``neither``;
        ``undefined`` where both are 0 or no pixel counts.
    difference : float
        m1 − m2, dimensionless.
    ratio : float
        m1 / m2, ≥ 0; +inf where only m2 is 0, NaN where both are.
    pixels : float
        Share of the pixels with |guidance of x1| > |guidance of x2|, in [0, 1].
    """

    dominant: Dominant
    difference: float
    ratio: float
    pixels: float


@dataclass(frozen=True)
class GuidanceStatistics:
    """Both guidance images of a method in one region.

    Attributes
    ----------
    region : str
        The region's name.
    pixels : int
        How many pixels the region has.
    n : int
        How many of them count: those with two finite guidance values.
    x1, x2 : ModalityStatistics
        Each guidance image by itself.
    dominance : Dominance
        Which modality counts for more.
    pearson, spearman : float
        Correlation between both guidance images over the n pixels, in [−1, 1]; NaN where undefined. The
        pixels are no independent observations, so that there are no p-values.
    line : Line
        Guidance of x2 over guidance of x1 by total least squares.
    """

    region: str
    pixels: int
    n: int
    x1: ModalityStatistics
    x2: ModalityStatistics
    dominance: Dominance
    pearson: float
    spearman: float
    line: Line


def guidance_statistics(guidance: ArrayLike, region: Region) -> GuidanceStatistics:
    """Describe both guidance images in a region: the claims of the paper's sections 6.2 and 6.4 in numbers.

    Parameters
    ----------
    guidance : array_like
        (2, H, W) guidance images of x1 and x2, float32 or float64, dimensionless. Pixels where either is not
        finite do not count.
    region : Region
        Which pixels, (H, W).

    Returns
    -------
    GuidanceStatistics
        Computed in float64. See docs/statistics.md for the equations.

    Raises
    ------
    RegionError
        If the region belongs to images of another size.
    ValueError
        If `guidance` is not (2, H, W).
    """
    both = np.asarray(guidance)
    if both.ndim != 3 or both.shape[0] != 2:
        raise ValueError(f"Guidance is (2, H, W), not {both.shape}")
    if not np.issubdtype(both.dtype, np.floating):
        both = both.astype(np.float64)
    region.require_shape(both.shape[1:])
    inside = both[:, region.mask]
    first, second = inside[:, np.isfinite(inside).all(axis=0)]
    x1, x2 = _modality(first), _modality(second)
    return GuidanceStatistics(
        region=region.name,
        pixels=region.size,
        n=first.size,
        x1=x1,
        x2=x2,
        dominance=_dominance(x1, x2, first, second),
        pearson=pearson(first, second),
        spearman=spearman(first, second),
        line=principal_line(first, second),
    )


def dominance_of(magnitude1: float, magnitude2: float) -> Dominant:
    """Return which of two mean magnitudes dominates: the one at least 1.25 times the other, if any."""
    if not magnitude1 + magnitude2 > 0:
        return Dominant.UNDEFINED
    if magnitude1 >= DOMINANCE_RATIO * magnitude2:
        return Dominant.X1
    return Dominant.X2 if magnitude2 >= DOMINANCE_RATIO * magnitude1 else Dominant.NEITHER


def ratio_of(numerator: float, denominator: float) -> float:
    """Return a quotient of two numbers ≥ 0: +inf for a number by 0, NaN for 0 by 0 or where one is NaN."""
    if denominator > 0:
        return numerator / denominator
    return float("inf") if denominator == 0 and numerator > 0 else NAN


def _modality(values: NDArray[np.floating]) -> ModalityStatistics:
    if not values.size:
        return ModalityStatistics(NAN, NAN, NAN, NAN, NAN, NAN, NAN)
    exact = values.astype(np.float64)
    # Near a pole gradients know no bound: a power of two, which rounds nothing, keeps squares and sums finite.
    _, exponent = np.frexp(np.abs(exact).max())
    scaled = np.ldexp(exact, -exponent)
    mean, median, deviation, magnitude = (
        float(np.ldexp(number, exponent))
        for number in (scaled.mean(), np.median(scaled), scaled.std(), np.abs(scaled).mean())
    )
    return ModalityStatistics(
        mean=mean,
        median=median,
        standard_deviation=deviation,
        mean_magnitude=magnitude,
        positive=float((exact > 0).mean()),
        negative=float((exact < 0).mean()),
        zero=float((exact == 0).mean()),
    )


def _dominance(
    x1: ModalityStatistics,
    x2: ModalityStatistics,
    first: NDArray[np.floating],
    second: NDArray[np.floating],
) -> Dominance:
    if not first.size:
        return Dominance(Dominant.UNDEFINED, NAN, NAN, NAN)
    m1, m2 = x1.mean_magnitude, x2.mean_magnitude
    return Dominance(
        dominant=dominance_of(m1, m2),
        difference=m1 - m2,
        ratio=ratio_of(m1, m2),
        pixels=float((np.abs(first) > np.abs(second)).mean()),
    )
