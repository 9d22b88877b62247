"""Influence, from Jacobian images: of which modality, from how far, from outside a region, how concentrated."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fusion.methods.base import Method
from fusion.pair import Pair
from fusion.saliency.jacobian import jacobians
from fusion.saliency.window import JacobianWindow, Pixel
from fusion.statistics.influence_sums import InfluenceSums, ModalityInfluence
from fusion.statistics.regions import Region
from fusion.statistics.sampling import grid_sample

DEFAULT_LIMIT = 256
"""Principal pixels of a region that are used at most: seconds for any method that ships."""

PIXELS_AT_ONCE = 64
"""Jacobian images that are computed between two reports of progress."""

GLOBAL_PIXELS_AT_ONCE = 8
"""The same for methods whose Jacobian images are as large as the image."""


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
        How many pixels it has.
    used : int
        Of how many the Jacobian images are in the numbers: of all, or of a regular grid.
    spacing : int
        Spacing of that grid in pixels, 1 where it is all pixels.
    left_out : int
        How many more pixels of the grid do not count, since a gradient of theirs is not finite.
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
        The most principal pixels to use, ≥ 1; see `fusion.statistics.sampling.grid_sample`.
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
