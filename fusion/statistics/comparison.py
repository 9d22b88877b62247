"""All numbers of one method on one pair: by region, by principal pixel, and the checklist."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.methods.base import Method
from fusion.pair import Pair
from fusion.saliency.jacobian import jacobian
from fusion.saliency.window import SUSPICIOUS_GRADIENT, JacobianWindow, Pixel
from fusion.statistics.dim_core import core_response
from fusion.statistics.guidance import GuidanceStatistics, guidance_statistics
from fusion.statistics.influence import (
    DEFAULT_LIMIT,
    Influence,
    RegionInfluence,
    influence,
    region_influence,
)
from fusion.statistics.regions import HEAD, WHOLE, Region, grid_sample
from fusion.statistics.requirements import CORE, Requirement, checklist
from fusion.statistics.wording import percent


@dataclass(frozen=True)
class MethodComparison:
    """All numbers of one method.

    Attributes
    ----------
    method_id, title, weights_id : str
        The method and the sha256 of its weights.
    guidance : tuple of GuidanceStatistics
        One a region, in the order of the regions.
    region_influence : tuple of RegionInfluence
        One a region.
    pixel_influence : tuple of Influence
        For each principal pixel one for each region that contains it, or one without a region where none does.
    requirements : tuple of Requirement
        The paper's four.
    suspicious : int
        Pixels at which a guidance value is not finite or larger than `SUSPICIOUS_GRADIENT`.
    """

    method_id: str
    title: str
    weights_id: str
    guidance: tuple[GuidanceStatistics, ...]
    region_influence: tuple[RegionInfluence, ...]
    pixel_influence: tuple[Influence, ...]
    requirements: tuple[Requirement, ...]
    suspicious: int


def compare_method(
    method: Method,
    pair: Pair,
    fused: NDArray[np.floating],
    guidance: NDArray[np.floating],
    regions: Sequence[Region],
    pixels: Sequence[Pixel] = (),
    limit: int = DEFAULT_LIMIT,
    dtype: str = "float32",
    modalities: tuple[str, str] = ("MRI", "PET"),
    progress: Callable[[int, int], None] | None = None,
) -> MethodComparison:
    """Compute all numbers of a method.

    Parameters
    ----------
    method : Method
        The fusion method.
    pair : Pair
        The two input images.
    fused : ndarray
        (H, W), as `fusion.fuse` returns it.
    guidance : ndarray
        (2, H, W), as `fusion.guidance` returns it.
    regions : sequence of Region
        Each with a name of its own; ``core``, ``rim`` and ``healthy`` make the checklist decidable.
    pixels : sequence of (row, col)
        Principal pixels.
    limit : int
        The most principal pixels of a region.
    dtype : {"float32", "float64"}
        The precision of the Jacobian images.
    modalities : tuple of str
        What sentences call x1 and x2.
    progress : callable, optional
        Called with the Jacobian images done and their number.

    Raises
    ------
    RegionError, PixelOutsideImageError, NetworkError
        See the functions of each number.
    """
    counts = [len(grid_sample(region, limit).pixels) for region in regions]
    influences = []
    for number, region in enumerate(regions):
        before = sum(counts[:number])

        def show(done: int, total: int, before: int = before) -> None:
            if progress is not None:
                progress(before + done, sum(counts))

        influences.append(region_influence(method, pair, region, limit, dtype, show))
    by_name = {found.region: found for found in influences}
    return MethodComparison(
        method_id=method.id,
        title=method.title,
        weights_id=method.weights_id,
        guidance=tuple(guidance_statistics(guidance, region) for region in regions),
        region_influence=tuple(influences),
        pixel_influence=tuple(
            found
            for pixel in pixels
            for found in pixel_influence(jacobian(method, pair, pixel, dtype), regions)
        ),
        requirements=checklist(
            pair,
            fused,
            guidance,
            regions,
            by_name.get(CORE),
            modalities,
            core_response(method, pair, regions, dtype),
        ),
        suspicious=suspicious_pixels(guidance),
    )


def pixel_influence(window: JacobianWindow, regions: Sequence[Region]) -> list[Influence]:
    """Describe the influence on a principal pixel once for each region that contains it, but not the whole image.

    Without such a region there is one description that refers to none.
    """
    pixel = window.row, window.col
    around = [region for region in regions if region.contains(pixel) and region.size < region.mask.size]
    return [influence(window, region) for region in around] or [influence(window)]


def suspicious_pixels(guidance: NDArray[np.floating]) -> int:
    """Count the pixels with a value that is not finite or whose magnitude exceeds `SUSPICIOUS_GRADIENT`.

    Parameters
    ----------
    guidance : ndarray
        (2, H, W), guidance images of x1 and x2, dimensionless.
    """
    return int(np.count_nonzero(~(np.abs(guidance) <= SUSPICIOUS_GRADIENT).all(axis=0)))


MOSTLY_AIR = 0.5
"""With a larger share of air, correlations over the whole image are mostly those of the air."""


def cautions(comparison: MethodComparison) -> list[str]:
    """Return a sentence for each reason to be careful with a method's numbers; last, what is true of the pair."""
    return [*_of_gradients(comparison), *_of_air(comparison)]


def _of_air(comparison: MethodComparison) -> list[str]:
    sizes = {found.region: found.pixels for found in comparison.guidance}
    air = 1 - sizes[HEAD] / sizes[WHOLE] if {HEAD, WHOLE} <= sizes.keys() else 0.0
    if air <= MOSTLY_AIR:
        return []
    return [
        f"{percent(air, 0, (MOSTLY_AIR,))} of the {WHOLE} is air, where gradients say little: its correlations and "
        f"slopes are mostly those of the air. Read those of the region {HEAD}."
    ]


def _of_gradients(comparison: MethodComparison) -> list[str]:
    found = []
    if pixels := comparison.suspicious:
        several = f"{pixels} pixels with guidance values that are"
        what = "1 pixel with a guidance value that is" if pixels == 1 else several
        found.append(
            f"{comparison.title} has {what} not finite or larger than {SUSPICIOUS_GRADIENT:,.0f}: those that are not "
            "finite are in no number, the others are."
        )
    for one in comparison.region_influence:
        if one.left_out:
            some = f"{one.left_out} of {one.used + one.left_out} principal pixels"
            found.append(
                f"{comparison.title}, {one.region}: {some} are not in the influence, since gradients of theirs are not "
                "finite."
            )
    return found
