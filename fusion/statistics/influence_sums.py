"""Influence of each input, summed up over principal pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fusion.saliency.window import JacobianWindow
from fusion.statistics.concentration import effective_radius, gini_index, ring_sums
from fusion.statistics.regions import Region
from fusion.statistics.relation import NAN


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
