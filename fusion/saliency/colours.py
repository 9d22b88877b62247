"""Guidance RGB (paper, section 3.2.3): both guidance images and the fused image in one colour picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


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
    """Scale an image to [0, 1] by its finite minimum and maximum; zeros where it is constant or not finite."""
    values = np.asarray(image, dtype=np.float64)
    finite = np.isfinite(values)
    result = np.zeros(values.shape)
    if finite.any():
        low, high = values[finite].min(), values[finite].max()
        if high > low:
            np.divide(values - low, high - low, out=result, where=finite)
    return result
