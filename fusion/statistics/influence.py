"""Influence, from Jacobian images: of which modality, from how far, from outside a region, how concentrated."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusion.methods.base import Method
from fusion.pair import Pair
from fusion.saliency.jacobian import jacobians
from fusion.saliency.window import JacobianWindow, Pixel
from fusion.statistics.guidance import NAN, Dominant, dominance_of, ratio_of
from fusion.statistics.regions import Region, grid_sample

DEFAULT_LIMIT = 256
"""Principal pixels of a region that are used at most: seconds for any method that ships."""

PIXELS_AT_ONCE = 64
"""Jacobian images that are computed between two reports of progress."""

GLOBAL_PIXELS_AT_ONCE = 8
"""The same for methods whose Jacobian images are as large as the image."""

_ROUNDING = 1e-12
"""Relative slack of a reached share, so that the order of a summation decides nothing."""


@dataclass(frozen=True)
class ModalityInfluence:
    """The influence of one input.

    Attributes
    ----------
    total : float
        Σ |J| over all input pixels, ≥ 0, dimensionless.
    signed : float
        Σ J: how the fused pixel answers when the whole input becomes brighter, in [−total, total].
    radius_50, radius_90 : float
        The smallest Chebyshev radius around the principal pixel that holds 50 % and 90 % of Σ |J|, pixels; NaN
        without influence.
    outside : float
        Share of Σ |J| that lies outside the region, in [0, 1]; NaN without region or influence.
    gini : float
        Gini index of |J| over the support window, in [0, 1); NaN without influence and for a window of
        one pixel.
    """

    total: float
    signed: float
    radius_50: float
    radius_90: float
    outside: float
    gini: float


@dataclass(frozen=True)
class Influence:
    """The influence on one principal pixel.

    Attributes
    ----------
    pixel : tuple of int
        The principal pixel (row, col).
    region : str or None
        The region that `outside` refers to.
    x1, x2 : ModalityInfluence
        By input.
    outside : float
        Share of Σ |J| of both inputs together that lies outside the region.
    """

    pixel: Pixel
    region: str | None
    x1: ModalityInfluence
    x2: ModalityInfluence
    outside: float


@dataclass(frozen=True)
class RegionInfluence:
    """The influence on the fused pixels of a region.

    Attributes
    ----------
    region : str
        The region's name.
    pixels : int
        Number of its pixels.
    used : int
        Of how many the Jacobian images are in the numbers: of all, or of a regular grid.
    spacing : int
        Spacing of that grid in pixels, 1 where it is all pixels.
    left_out : int
        Number of further pixels of the grid that do not count, since a gradient of theirs is not finite.
    x1, x2 : ModalityInfluence
        `total` and `signed` are means over the principal pixels; radii and `outside` are of the influence on
        all of them together, so that a pixel counts by how much influence it is under; `gini` is the mean
        over those principal pixels that have one.
    outside : float
        Share of Σ |J| of both inputs together that lies outside the region.
    """

    region: str
    pixels: int
    used: int
    spacing: int
    left_out: int
    x1: ModalityInfluence
    x2: ModalityInfluence
    outside: float


def influence(window: JacobianWindow, region: Region | None = None) -> Influence:
    """Describe both Jacobian images of one principal pixel.

    Parameters
    ----------
    window : JacobianWindow
        As `fusion.jacobian` returns it.
    region : Region, optional
        What `outside` refers to, of the whole image's size.

    Returns
    -------
    Influence
        Computed in float64; all NaN where a gradient is not finite. See docs/statistics.md.

    Raises
    ------
    RegionError
        If the region belongs to images of another size.
    """
    if region is not None:
        region.require_shape(window.shape)
    sums = InfluenceSums()
    sums.add(window, region)
    given = region is not None
    return Influence(
        pixel=(window.row, window.col),
        region=None if region is None else region.name,
        x1=sums.modality(0, given),
        x2=sums.modality(1, given),
        outside=sums.outside_of_both(given),
    )


def influence_ratio(found: RegionInfluence) -> float:
    """Return Σ|J| of x1 by Σ|J| of x2, ≥ 0; see `fusion.statistics.guidance.ratio_of`."""
    return ratio_of(found.x1.total, found.x2.total)


def influence_dominant(found: RegionInfluence) -> Dominant:
    """Return which modality dominates by all influence, near and far: the one with 1.25 times the other's Σ|J|."""
    return dominance_of(found.x1.total, found.x2.total)


def response_ratio(found: RegionInfluence) -> float:
    """Return |ΣJ| of x1 by |ΣJ| of x2, of the region's means, ≥ 0; see `fusion.statistics.guidance.ratio_of`."""
    return ratio_of(abs(found.x1.signed), abs(found.x2.signed))


def response_dominant(found: RegionInfluence) -> Dominant:
    """Return which modality dominates by response: the one with 1.25 times the other's |ΣJ|, of the region's means."""
    return dominance_of(abs(found.x1.signed), abs(found.x2.signed))


def region_influence(
    method: Method,
    pair: Pair,
    region: Region,
    limit: int = DEFAULT_LIMIT,
    dtype: str = "float32",
    progress: Callable[[int, int], None] | None = None,
) -> RegionInfluence:
    """Describe the Jacobian images of the pixels of a region, or of a regular grid of them.

    Parameters
    ----------
    method : Method
        The fusion method.
    pair : Pair
        The two input images.
    region : Region
        The principal pixels, and what `outside` refers to.
    limit : int
        The most principal pixels to use, ≥ 1; see `fusion.statistics.regions.grid_sample`.
    dtype : {"float32", "float64"}
        The precision of the Jacobian images.
    progress : callable, optional
        Called with the Jacobian images done and their number. Raise `fusion.errors.Cancelled` in it to stop.

    Returns
    -------
    RegionInfluence
        All NaN where the region is empty.

    Raises
    ------
    RegionError
        If the region belongs to images of another size.
    NetworkError
        If the network cannot be run on these images.
    """
    region.require_shape(pair.shape)
    sample = grid_sample(region, limit)
    sums, done = InfluenceSums(), 0
    for window in _in_batches(method, pair, sample.pixels, dtype):
        sums.add(window, region)
        done += 1
        if progress is not None:
            progress(done, len(sample.pixels))
    return RegionInfluence(
        region=region.name,
        pixels=sample.region_pixels,
        used=sums.count,
        spacing=sample.spacing,
        left_out=done - sums.count,
        x1=sums.modality(0, True),
        x2=sums.modality(1, True),
        outside=sums.outside_of_both(True),
    )


def _in_batches(
    method: Method, pair: Pair, pixels: tuple[Pixel, ...], dtype: str
) -> Iterable[JacobianWindow]:
    size = GLOBAL_PIXELS_AT_ONCE if method.locality_at(pair.shape).radius is None else PIXELS_AT_ONCE
    for start in range(0, len(pixels), size):
        yield from jacobians(method, pair, pixels[start : start + size], dtype, ahead=False)


class InfluenceSums:
    """Running sums of influence over principal pixels.

    Attributes
    ----------
    count : int
        Principal pixels added so far, without those whose gradients are not all finite.
    """

    def __init__(self) -> None:
        self.count = 0
        self._signed = np.zeros(2)
        self._outside = np.zeros(2)
        self._rings = np.zeros((2, 1))
        self._gini: tuple[list[float], list[float]] = ([], [])

    def add(self, window: JacobianWindow, region: Region | None) -> None:
        """Add the Jacobian images of a principal pixel, unless a gradient of theirs is not finite."""
        values = window.values.astype(np.float64)
        if not np.isfinite(values).all():
            return
        self.count += 1
        self._signed += values.sum(axis=(1, 2))
        rings = ring_sums(window)
        more = max(0, rings.shape[1] - self._rings.shape[1])
        self._rings = np.pad(self._rings, ((0, 0), (0, more)))
        self._rings[:, : rings.shape[1]] += rings
        if region is not None:
            height, width = values.shape[1:]
            inside = region.mask[window.top : window.top + height, window.left : window.left + width]
            self._outside += np.abs(values[:, ~inside]).sum(axis=1)
        for image, found in zip(values, self._gini, strict=True):
            if not np.isnan(index := gini_index(image)):
                found.append(index)

    def modality(self, number: int, has_region: bool) -> ModalityInfluence:
        """Return the influence of x1 (number 0) or x2 (1) so far; NaN where there is none."""
        if self.count == 0:
            return ModalityInfluence(NAN, NAN, NAN, NAN, NAN, NAN)
        rings, gini = self._rings[number], self._gini[number]
        total = float(rings.sum())
        return ModalityInfluence(
            total=total / self.count,
            signed=float(self._signed[number]) / self.count,
            radius_50=effective_radius(rings, 0.5),
            radius_90=effective_radius(rings, 0.9),
            outside=_share(float(self._outside[number]), total) if has_region else NAN,
            gini=float(np.mean(gini)) if gini else NAN,
        )

    def outside_of_both(self, has_region: bool) -> float:
        """Return the share of both inputs' influence that lies outside the region."""
        if not has_region or self.count == 0:
            return NAN
        return _share(float(self._outside.sum()), float(self._rings.sum()))


def _share(part: float, whole: float) -> float:
    return min(1.0, part / whole) if whole > 0 else NAN


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

    Parameters
    ----------
    window : JacobianWindow
        Its values (2, h, w) are finite; outside of it |J| is 0.

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
