"""How two series of numbers go together: Pearson and Spearman correlation, and a line through the points.

Undefined numbers are NaN, never an error or a warning. There are no p-values on purpose: they would take the
pixels for independent observations, which neighbours in an image are not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
    """Return whether all values of a series are the same, up to rounding in the precision of its dtype."""
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
