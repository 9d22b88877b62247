"""Colours of numbers: gradients, guidance RGB (paper, section 3.2.3), and intensities in gray.

The colours and the scales of gradients are those of the page (a test holds both together), which draws its own.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

VIRIDIS = (
    (68, 1, 84), (72, 40, 120), (62, 73, 137), (49, 104, 142), (38, 130, 142),
    (31, 158, 137), (53, 183, 121), (110, 206, 88), (181, 222, 43), (253, 231, 37),
)  # fmt: skip
"""From 0 to the end of the scale, evenly spaced."""

BLUE_WHITE_RED = (
    (5, 48, 97), (33, 102, 172), (67, 147, 195), (146, 197, 222), (209, 229, 240), (247, 247, 247),
    (253, 219, 199), (244, 165, 130), (214, 96, 77), (178, 24, 43), (103, 0, 31),
)  # fmt: skip
"""From the negative end of the scale through 0 to the positive one, evenly spaced."""

NOT_FINITE = (128, 128, 128)
ROBUST_PERCENTILE = 99.0


class PictureScale(StrEnum):
    """The scales by which gradients become colours.

    ``paper``: v from 0 to the maximum, negative ones as 0. ``signed``: v from minus to plus the largest |v|,
    0 in the middle. ``robust``: like ``paper``, to the 99th percentile of |v|.
    """

    PAPER = "paper"
    SIGNED = "signed"
    ROBUST = "robust"


def scale_end(gradients: NDArray[Any], scale: PictureScale) -> float:
    """Return where the colour scale of several gradient images ends, vmax > 0; 1 where there is no gradient.

    Parameters
    ----------
    gradients : ndarray
        All images that share the scale. Values that are not finite do not count.
    scale : PictureScale
        Which scale.
    """
    finite = gradients[np.isfinite(gradients)]
    if not finite.size:
        return 1.0
    ends = {
        PictureScale.PAPER: finite.max(),
        PictureScale.SIGNED: np.abs(finite).max(),
        PictureScale.ROBUST: np.percentile(np.abs(finite), ROBUST_PERCENTILE),
    }
    return float(ends[scale]) if ends[scale] > 0 else 1.0


def gradient_picture(image: NDArray[Any], scale: PictureScale, end: float, gamma: float) -> NDArray[np.uint8]:
    """Colour a gradient image.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        Gradients, dimensionless. Not finite ones become gray.
    scale : PictureScale
        Which scale.
    end : float
        vmax > 0, where the scale ends.
    gamma : float
        Exponent > 0: shown is min(v / vmax, 1)^gamma, on the signed scale sign(v)·min(|v| / vmax, 1)^gamma.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        Red, green, blue.
    """
    values = np.asarray(image, dtype=np.float64)
    finite = np.isfinite(values)
    share = np.where(finite, values, 0.0) / end
    if scale is PictureScale.SIGNED:
        shown = (np.sign(share) * np.minimum(np.abs(share), 1) ** gamma + 1) / 2
        palette = np.array(BLUE_WHITE_RED)
    else:
        shown = np.clip(share, 0, 1) ** gamma
        palette = np.array(VIRIDIS)
    knots = np.linspace(0, 1, len(palette))
    colours = np.stack([np.interp(shown, knots, palette[:, band]) for band in range(3)], axis=-1)
    colours[~finite] = NOT_FINITE
    return np.rint(colours).astype(np.uint8)


def gray_picture(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Show an image in grays: black to white is 0 to 1, or further where the image goes further.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        Intensities, finite.

    Returns
    -------
    ndarray of uint8, shape (H, W)
    """
    low, high = min(0.0, float(image.min())), max(1.0, float(image.max()))
    return np.rint((np.asarray(image, dtype=np.float64) - low) / (high - low) * 255).astype(np.uint8)


def colour_picture(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Write a colour picture as bytes.

    Parameters
    ----------
    image : ndarray, shape (H, W, 3)
        Red, green, blue in [0, 1].

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
    """
    return np.rint(np.asarray(image, dtype=np.float64) * 255).astype(np.uint8)


def guidance_rgb(guidance: ArrayLike, fused: ArrayLike) -> NDArray[np.floating]:
    """Combine two guidance images and the fused image.

    Parameters
    ----------
    guidance : array_like
        (2, H, W) guidance images, any range. NaN where not known.
    fused : array_like
        (H, W) fused image, any range.

    Returns
    -------
    ndarray
        (H, W, 3) in [0, 1], float64 for float64 guidance, else float32: red is the min–max scaled
        guidance of x1, green that of x2, blue the min–max scaled fused image. A constant image
        gives 0 throughout; values that are not finite give 0 and do not count for minimum and maximum.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    both, combined = np.asarray(guidance), np.asarray(fused)
    if both.ndim != 3 or both.shape[0] != 2 or combined.shape != both.shape[1:]:
        raise ValueError(f"guidance is (2, H, W) and fused (H, W), not {both.shape} and {combined.shape}")
    dtype = np.float64 if both.dtype == np.float64 else np.float32
    return np.stack([min_max_scaled(image) for image in (both[0], both[1], combined)], axis=-1).astype(dtype)


def min_max_scaled(image: NDArray[np.floating]) -> NDArray[np.float64]:
    """Scale an image to [0, 1] by its finite minimum and maximum.

    Parameters
    ----------
    image : ndarray
        Any shape and range.

    Returns
    -------
    ndarray of float64
        The same shape; 0 where the image is constant or not finite.
    """
    values = np.asarray(image, dtype=np.float64)
    finite = np.isfinite(values)
    result = np.zeros(values.shape)
    if finite.any():
        low, high = values[finite].min(), values[finite].max()
        if high > low:
            np.divide(values - low, high - low, out=result, where=finite)
    return result
