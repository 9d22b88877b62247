"""How concentrated influence is: radii that hold a share of it, and the Gini index."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusion.saliency.window import JacobianWindow
from fusion.statistics.relation import NAN

_ROUNDING = 1e-12
"""Relative slack of a reached share, so that the order of a summation decides nothing."""


def gini_index(values: ArrayLike) -> float:
    """Return the Gini index of magnitudes: G = 1 − 2·Σ_k (v_(k) / Σ v)·(N − k + ½) / N.

    v_(1) ≤ … ≤ v_(N) are the magnitudes in order, zeros among them.

    Parameters
    ----------
    values : array_like
        Real numbers; their signs make no difference.

    Returns
    -------
    float
        From 0, all magnitudes equal, to 1 − 1/N, one alone is not 0; NaN where all are 0, where one is not
        finite and for fewer than two: one number is evenly spread and all in one place, both.
    """
    magnitudes = np.sort(np.abs(np.asarray(values, dtype=np.float64)).ravel())
    count = magnitudes.size
    if count < 2 or not np.isfinite(magnitudes[-1]) or magnitudes[-1] == 0:
        return NAN
    shares = magnitudes / magnitudes[-1]
    weights = (count - np.arange(1, count + 1) + 0.5) / count
    return max(0.0, 1 - 2 * float(shares @ weights) / float(shares.sum()))


def ring_sums(window: JacobianWindow) -> NDArray[np.float64]:
    """Sum |J| over the rings around the principal pixel.

    Returns
    -------
    ndarray
        (2, K): for x1 and x2, the sum over all pixels at Chebyshev distance 0, 1 … K − 1, where K − 1 is the
        distance of the window's furthest pixel.
    """
    height, width = window.values.shape[1:]
    rows = np.abs(np.arange(height) + window.top - window.row)
    columns = np.abs(np.arange(width) + window.left - window.col)
    distance = np.maximum(rows[:, None], columns[None, :]).ravel()
    return np.stack(
        [np.bincount(distance, weights=np.abs(image.astype(np.float64)).ravel()) for image in window.values]
    )


def effective_radius(rings: ArrayLike, share: float) -> float:
    """Return the smallest Chebyshev radius that holds at least a share of all influence.

    Parameters
    ----------
    rings : array_like
        Sums of |J| at distance 0, 1, 2 …, ≥ 0.
    share : float
        In (0, 1], as 0.5 or 0.9.

    Returns
    -------
    float
        A whole number of pixels, ≥ 0; NaN where there is no influence, or where it is not finite.
    """
    held = np.cumsum(np.asarray(rings, dtype=np.float64))
    if held.size == 0 or not np.isfinite(held[-1]) or held[-1] == 0:
        return NAN
    return float(np.argmax(held >= share * held[-1] * (1 - _ROUNDING)))
