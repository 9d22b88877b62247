"""Guidance images by region: how large and of which sign, which modality dominates, how both go together.

Undefined numbers are NaN, never an error or a warning. There are no p-values on purpose: they would take the pixels
for independent observations, which neighbours in an image are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusion.statistics.regions import Region

DOMINANCE_RATIO = 1.25
"""A modality dominates where its mean |guidance| is at least this many times the other's."""

MINIMUM_POINTS = 3
"""Through two points there is always a line: any correlation would be 1 or −1."""

ROUNDING = 16.0
"""Values that differ by fewer spacings (machine epsilons of the largest) than this count as constant."""

RANK_TOLERANCE = ROUNDING * 2.0**-23
"""Ranks tell no values apart that differ by no more than this share of the 99th percentile of magnitudes: rounding in
float32, and the same in float64, so that both precisions have one rank correlation."""

SMALLEST_LINE_SHARE = 0.6
"""With less of all variance along it (0.5: a round cloud) a line's slope is not shown: 0.6 is a cloud whose axes are
about as 5 to 6, in which a few other pixels turn the line anywhere."""

NAN = float("nan")


class Dominant(StrEnum):
    """Modality that dominates."""

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
        Of the pixels themselves (divided by n), ≥ 0; NaN of a single pixel.
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
    """Dominance of a modality in a region, by m1 and m2, the means of |guidance|.

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
class Line:
    """The line through points (a, b) by total least squares: the first principal axis of the points.

    Attributes
    ----------
    slope : float
        Change of b by change of a: any number, +inf where the line is vertical, NaN where there is no line.
    share : float
        Variance along the line by all variance, from 0.5 (a round cloud) to 1 (all points on the line).
    """

    slope: float
    share: float


@dataclass(frozen=True)
class GuidanceStatistics:
    """Both guidance images of a method in one region.

    Attributes
    ----------
    region : str
        The region's name.
    pixels : int
        Number of pixels of the region.
    n : int
        Number of them that count: those with two finite guidance values.
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
        Pixels to describe, of images (H, W).

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


def readings_disagree(*readings: Dominant) -> bool:
    """Tell if readings of the same pixels name different modalities, or some name one and others none."""
    return len(set(readings) - {Dominant.UNDEFINED}) > 1


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
        # The 0 of a single pixel would look like a region without any spread.
        standard_deviation=deviation if exact.size > 1 else NAN,
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


def pearson(first: ArrayLike, second: ArrayLike) -> float:
    """Return Pearson's correlation of two series.

    Parameters
    ----------
    first, second : array_like
        Finite real numbers, as many in both; a shape makes no difference.

    Returns
    -------
    float
        In [−1, 1]; NaN for fewer than three points, or where one series is constant (up to rounding in its own
        precision).

    Raises
    ------
    ValueError
        If the numbers of points differ.
    """
    a, b = _both(first, second)
    if a.size < MINIMUM_POINTS or is_constant(a) or is_constant(b):
        return NAN
    return _correlation(a, b)


def spearman(first: ArrayLike, second: ArrayLike) -> float:
    """Return Spearman's rank correlation: Pearson's of the ranks, ties having the mean of their ranks.

    What differs by rounding alone counts as equal: in a background that is constant but for rounding, ranks would
    otherwise be noise, as large as those of everything else. Parameters and result are those of `pearson`; NaN also
    where all values of a series count as equal.
    """
    a, b = _both(first, second)
    if a.size < MINIMUM_POINTS or is_constant(a) or is_constant(b):
        return NAN
    ranks = _ranks_but_for_rounding(a), _ranks_but_for_rounding(b)
    return NAN if any(map(is_constant, ranks)) else _correlation(*ranks)


def average_ranks(values: ArrayLike, tolerance: float = 0.0) -> NDArray[np.float64]:
    """Return the ranks of a series, the smallest having rank 1; equal values share the mean of their ranks.

    Parameters
    ----------
    values : array_like
        Real numbers.
    tolerance : float
        Values that are no further apart than this, ≥ 0, count as equal: a rank is 1, and one for each smaller value,
        and one half for each other equal one. No grid rounds the values, on whose lines near values would part.
    """
    series = np.asarray(values).ravel()
    ordered = np.sort(series)
    smaller = np.searchsorted(ordered, series - tolerance, side="left")
    not_larger = np.searchsorted(ordered, series + tolerance, side="right")
    return np.asarray((smaller + not_larger + 1) / 2, dtype=np.float64)


def principal_line(first: ArrayLike, second: ArrayLike) -> Line:
    """Fit a line by total least squares, which treats both series alike.

    Parameters
    ----------
    first, second : array_like
        Coordinates a and b of the points: finite real numbers, as many in both.

    Returns
    -------
    Line
        NaN for fewer than three points, where all points coincide, and where no direction has more variance
        than any other.

    Raises
    ------
    ValueError
        If the numbers of points differ.
    """
    a, b = _both(first, second)
    if a.size < MINIMUM_POINTS:
        return Line(NAN, NAN)
    (da, scale_a), (db, scale_b) = _deviations(a), _deviations(b)
    scale = max(scale_a, scale_b)
    if scale == 0:
        return Line(NAN, NAN)
    # One scale for both: the line must keep its slope.
    da, db = da * (scale_a / scale), db * (scale_b / scale)
    saa, sbb, sab = float(da @ da), float(db @ db), float(da @ db)
    half = (sbb - saa) / 2
    length = float(np.hypot(half, sab))
    if length == 0:
        return Line(NAN, NAN)
    # Two forms of the same quotient, each without the difference of nearly equal numbers.
    if half < 0:
        slope = sab / (length - half)
    else:
        slope = (half + length) / sab if sab != 0 else float("inf")
    return Line(slope, min(1.0, 0.5 + length / (saa + sbb)))


def is_constant(values: NDArray[np.floating]) -> bool:
    """Return True if all values of a series are the same, up to rounding in the precision of its dtype.

    Parameters
    ----------
    values : ndarray
        Finite real numbers of any shape, float32 or float64; a series without any is constant.
    """
    if values.size == 0:
        return True
    low, high = float(values.min()), float(values.max())
    largest = max(abs(low), abs(high))
    # Halved, so that the spread of the largest numbers does not overflow.
    return high / 2 - low / 2 <= ROUNDING / 2 * float(np.finfo(values.dtype).eps) * largest


def _ranks_but_for_rounding(values: NDArray[np.floating]) -> NDArray[np.float64]:
    exact = values.astype(np.float64)
    # A power of two, which rounds nothing: a tolerance added to the largest of all numbers would overflow.
    _, exponent = np.frexp(np.abs(exact).max())
    scaled = np.ldexp(exact, -exponent)
    # Not of the largest: a single gradient near a pole would make everything else equal.
    return average_ranks(scaled, RANK_TOLERANCE * float(np.quantile(np.abs(scaled), 0.99)))


def _both(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    a, b = (_floating(values) for values in (first, second))
    if a.size != b.size:
        raise ValueError(f"Two series have as many numbers each, not {a.size} and {b.size}")
    return a, b


def _floating(values: ArrayLike) -> NDArray[np.floating]:
    series = np.asarray(values).ravel()
    return series if np.issubdtype(series.dtype, np.floating) else series.astype(np.float64)


def _deviations(values: NDArray[np.floating]) -> tuple[NDArray[np.float64], float]:
    """Return deviations from the mean in units of the largest magnitude, and that; zeros for a constant."""
    if is_constant(values):
        return np.zeros(values.size), 0.0
    scale = float(np.abs(values).max())
    scaled = values.astype(np.float64) / scale
    return scaled - scaled.mean(), scale


def _correlation(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    da, db = _deviations(a)[0], _deviations(b)[0]
    # Each to length 1 by itself, since the product of two small squares may vanish.
    da, db = da / np.abs(da).max(), db / np.abs(db).max()
    value = float((da / np.sqrt(da @ da)) @ (db / np.sqrt(db @ db)))
    return max(-1.0, min(1.0, value))
