"""Colours of numbers, in one place for all of Python: gradients on three scales, images in gray, guidance RGB.

Figures for the screen, pictures for print and those of the command line all come here; ``assets`` has the same in
JavaScript, and ``tests/golden/colours.json`` holds both to the same colours. Gamma bends what is shown and never the
values, so that colour bars and exported data keep true gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Colour = tuple[int, int, int]

SEQUENTIAL: tuple[Colour, ...] = (
    (68, 1, 84), (72, 40, 120), (62, 73, 137), (49, 104, 142), (38, 130, 142),
    (31, 158, 137), (53, 183, 121), (110, 206, 88), (181, 222, 43), (253, 231, 37),
)  # fmt: skip
"""From 0 to the end of the scale, evenly spaced (viridis)."""
DIVERGING: tuple[Colour, ...] = (
    (5, 48, 97), (33, 102, 172), (67, 147, 195), (146, 197, 222), (209, 229, 240), (247, 247, 247),
    (253, 219, 199), (244, 165, 130), (214, 96, 77), (178, 24, 43), (103, 0, 31),
)  # fmt: skip
"""From the negative end of the scale through 0 to the positive one, evenly spaced (blue, white, red)."""
NOT_FINITE: Colour = (128, 128, 128)
OUTSIDE_SUPPORT: Colour = (178, 182, 189)
"""Of a Jacobian image where the method does not reach; no scale has it, so that it is told from 0."""
NEAR_POLE: Colour = (255, 0, 255)
"""Of pixels of a gray fused image that are marked as near the pole of the fusion rule."""
AIR: tuple[Colour, Colour] = (52, 55, 60), (112, 116, 122)
"""Ground and stripes of what is left out as air; no scale has them."""
HATCH_PERIOD, HATCH_WIDTH = 6, 2
"""Of the stripes, which run from the lower left to the upper right, along a row; pixels of the image."""
ROBUST_PERCENTILE = 99.0


class Scale(StrEnum):
    """The colour scales of gradients.

    ``paper``: v from 0 to the maximum, negative ones as 0. ``signed``: v from minus to plus the largest |v|,
    0 in the middle. ``robust``: like ``paper``, to the 99th percentile of |v|.
    """

    PAPER = "paper"
    SIGNED = "signed"
    ROBUST = "robust"

    @property
    def palette(self) -> tuple[Colour, ...]:
        """Colours from the first to the last position of the scale."""
        return DIVERGING if self is Scale.SIGNED else SEQUENTIAL


class Ranges(StrEnum):
    """The ranges that red and green of guidance RGB are stretched over.

    ``own``: each over its own, as in the paper. ``common``: both over the range of both, so that they can be compared.
    """

    OWN = "own"
    COMMON = "common"


class Grays(StrEnum):
    """Ends of the gray scale of fused images.

    ``unit``: black is 0 and white 1, whatever goes further is cut off, so that images can be compared. ``own``: further
    where an image goes further.
    """

    UNIT = "unit"
    OWN = "own"


@dataclass(frozen=True)
class Limits:
    """The numbers that the ends of the scales are taken from; dimensionless gradients.

    Attributes
    ----------
    maximum : float
        Largest value of all images that share the scale, the paper's end of scale.
    magnitude : float
        Largest absolute value.
    percentile : float
        99th percentile of the absolute values.
    """

    maximum: float = 0.0
    magnitude: float = 0.0
    percentile: float = 0.0

    @classmethod
    def of(cls, gradients: NDArray[Any]) -> Limits:
        """Take the limits of gradients.

        Parameters
        ----------
        gradients : ndarray of any shape
            All images that share a scale. Values that are not finite do not count.

        Returns
        -------
        Limits
            Zeros where no value is finite.
        """
        finite = gradients[np.isfinite(gradients)]
        if not finite.size:
            return cls()
        magnitudes = np.abs(finite)
        percentile = float(np.percentile(magnitudes, ROBUST_PERCENTILE))
        return cls(float(finite.max()), float(magnitudes.max()), percentile)

    def end(self, scale: Scale) -> float:
        """Return the end of a scale, vmax > 0 (1 where no gradient is)."""
        value = {
            Scale.PAPER: self.maximum,
            Scale.SIGNED: self.magnitude,
            Scale.ROBUST: self.percentile,
        }[scale]
        return value if value > 0 else 1.0


def scale_range(scale: Scale, end: float) -> tuple[float, float]:
    """Return the gradients at the first and the last position of a scale that ends at `end`."""
    return (-end, end) if scale is Scale.SIGNED else (0.0, end)


def positions(values: NDArray[Any], scale: Scale, end: float, gamma: float) -> NDArray[np.float64]:
    """Return where gradients lie on a scale (paper, section 3.2.5).

    Parameters
    ----------
    values : ndarray of any shape
        Finite gradients, dimensionless.
    scale : Scale
        Which scale.
    end : float
        vmax > 0, where the scale ends.
    gamma : float
        Exponent > 0, on the pages 0.1 to 2; below 1 small gradients become brighter.

    Returns
    -------
    ndarray of float64, shape of `values`
        0 to 1: min(max(v, 0) / vmax, 1)^gamma, on the signed scale (sign(v)·min(|v| / vmax, 1)^gamma + 1) / 2.
    """
    share = np.asarray(values, dtype=np.float64) / end
    bent = np.minimum(np.abs(share), 1) ** gamma
    return (np.sign(share) * bent + 1) / 2 if scale is Scale.SIGNED else np.where(share > 0, bent, 0.0)


def bent_positions(places: NDArray[np.float64], scale: Scale, gamma: float) -> NDArray[np.float64]:
    """Return which parts of a scale's range are shown at places of its palette: the inverse of `positions`.

    Parameters
    ----------
    places : ndarray of float64
        Places of the palette, 0 to 1.
    scale, gamma
        As for `positions`.

    Returns
    -------
    ndarray of float64, shape of `places`
        0 to 1, from the first to the last gradient of `scale_range`.
    """
    if scale is not Scale.SIGNED:
        return np.asarray(places ** (1 / gamma))
    centred = 2 * places - 1
    return np.asarray((np.sign(centred) * np.abs(centred) ** (1 / gamma) + 1) / 2)


def interpolate(palette: Sequence[Colour], places: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the colours of a palette.

    Parameters
    ----------
    palette : sequence of colours
        Red, green, blue, 0 to 255, evenly spaced.
    places : ndarray of float64, shape (…)
        0 to 1.

    Returns
    -------
    ndarray of uint8, shape (…, 3)
        Between two colours in proportion.
    """
    table = np.asarray(palette, dtype=np.float64)
    at = np.asarray(places) * (len(table) - 1)
    low = np.minimum(np.floor(at), len(table) - 2).astype(int)
    part = (at - low)[..., None]
    return _rounded(table[low] + part * (table[low + 1] - table[low]))


def gradient_colours(
    image: NDArray[Any],
    scale: Scale,
    end: float,
    gamma: float,
    inside: tuple[slice, slice] | None = None,
) -> NDArray[np.uint8]:
    """Colour gradients.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        Gradients, dimensionless. Not finite ones become gray.
    scale, end, gamma
        As for `positions`.
    inside : tuple of slice, optional
        Rows and columns of a Jacobian image's window, outside of which it gets `OUTSIDE_SUPPORT`.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        Red, green, blue.
    """
    finite = np.isfinite(image)
    colours = interpolate(scale.palette, positions(np.where(finite, image, 0), scale, end, gamma))
    colours[~finite] = NOT_FINITE
    if inside is None:
        return colours
    whole = np.full_like(colours, OUTSIDE_SUPPORT)
    whole[inside] = colours[inside]
    return whole


def hatch(shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Return an image of `shape` (H, W) that is hatched all over, (H, W, 3) of uint8: red, green, blue."""
    row, col = np.indices(shape)
    return np.array(AIR, dtype=np.uint8)[((row + col) % HATCH_PERIOD < HATCH_WIDTH).astype(int)]


def hatched(colours: NDArray[np.uint8], air: NDArray[np.bool_] | None) -> NDArray[np.uint8]:
    """Hatch what is left out of a picture.

    Parameters
    ----------
    colours : ndarray of uint8, shape (H, W, 3)
        Red, green, blue.
    air : ndarray of bool, shape (H, W), or None
        Where; ``None``: nowhere.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        Another array, or the same where nothing is left out.
    """
    return colours if air is None else np.where(air[..., None], hatch(air.shape), colours)


def counted(guidance: NDArray[np.floating], air: NDArray[np.bool_] | None) -> NDArray[np.floating]:
    """Return guidance images (2, H, W) with NaN in the air (H, W), so that scales and points leave it out."""
    return guidance if air is None else np.where(air, np.asarray(np.nan, dtype=guidance.dtype), guidance)


def gray_range(image: NDArray[Any], grays: Grays = Grays.OWN) -> tuple[float, float]:
    """Return what is black and what is white: 0 and 1, with `Grays.OWN` further where the finite values go further."""
    if grays is Grays.UNIT:
        return 0.0, 1.0
    finite = image[np.isfinite(image)]
    return (min(0.0, float(finite.min())), max(1.0, float(finite.max()))) if finite.size else (0.0, 1.0)


def grays(image: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Show an image in grays.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        Intensities; NaN is black.
    low, high : float
        What is black and what is white, low < high.

    Returns
    -------
    ndarray of uint8, shape (H, W)
        0 to 255.
    """
    values = np.nan_to_num(np.asarray(image, dtype=np.float64), nan=low, posinf=high, neginf=low)
    return rgb_bytes((values - low) / (high - low))


def rgb_bytes(rgb: NDArray[Any]) -> NDArray[np.uint8]:
    """Return parts of colours, 0 to 1 (others are cut off), as bytes of the same shape, 0 to 255."""
    return _rounded(np.clip(np.asarray(rgb, dtype=np.float64), 0, 1) * 255)


def _rounded(parts: NDArray[np.float64]) -> NDArray[np.uint8]:
    # Halves go up, as in JavaScript; numpy would round them to even.
    return np.floor(parts + 0.5).astype(np.uint8)


def guidance_rgb(
    guidance: ArrayLike, fused: ArrayLike, ranges: Ranges | str = Ranges.OWN
) -> NDArray[np.floating]:
    """Combine two guidance images and the fused image in one colour picture (paper, section 3.2.3).

    Parameters
    ----------
    guidance : array_like
        (2, H, W) guidance images, any range. NaN where not known.
    fused : array_like
        (H, W) fused image, any range.
    ranges : Ranges or str
        ``"own"`` (paper) or ``"common"``, of red and green.

    Returns
    -------
    ndarray
        (H, W, 3) in [0, 1], float64 for float64 guidance, else float32: red is the min–max scaled
        guidance of x1, green that of x2, blue the min–max scaled fused image. A constant range
        gives 0 throughout; values that are not finite give 0 and do not count for minimum and maximum.

    Raises
    ------
    ValueError
        If the shapes do not fit, or there are no such ranges.
    """
    both, combined = np.asarray(guidance), np.asarray(fused)
    if both.ndim != 3 or both.shape[0] != 2 or combined.shape != both.shape[1:]:
        raise ValueError(f"guidance is (2, H, W) and fused (H, W), not {both.shape} and {combined.shape}")
    dtype = np.float64 if both.dtype == np.float64 else np.float32
    if Ranges(ranges) is Ranges.COMMON:
        red, green = min_max_scaled(both)
    else:
        red, green = map(min_max_scaled, both)
    return np.stack([red, green, min_max_scaled(combined)], axis=-1).astype(dtype)


def min_max(image: NDArray[np.floating]) -> tuple[float, float]:
    """Return the smallest and the largest finite value of an image; 0 and 0 where there is none."""
    finite = image[np.isfinite(image)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def min_max_scaled(image: NDArray[np.floating]) -> NDArray[np.float64]:
    """Scale an image, or several together, to [0, 1] by the finite minimum and maximum; zeros for a constant or NaN."""
    values = np.asarray(image, dtype=np.float64)
    low, high = min_max(values)
    result = np.zeros(values.shape)
    if high > low:
        np.divide(values - low, high - low, out=result, where=np.isfinite(values))
    return result
