"""Noise, blur and scaling of images."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from fusion.data.tissue import FloatArray


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], cells: int) -> FloatArray:
    """Return Gaussian noise of about unit variance that varies over about 1/`cells` of the image, (H, W)."""
    coarse = torch.from_numpy(rng.standard_normal((1, 1, cells + 1, cells + 1)).astype(np.float32))
    fine = functional.interpolate(coarse, size=shape, mode="bicubic", align_corners=True)
    return np.asarray(fine[0, 0].numpy() * 1.2)


def blur(image: FloatArray, sigma: float) -> FloatArray:
    """Convolve an image (H, W) with a Gaussian of standard deviation `sigma` pixels; outside it is 0."""
    if sigma < 0.2:
        return image
    radius = int(np.ceil(3.5 * sigma))
    taps = torch.exp(-(torch.arange(-radius, radius + 1, dtype=torch.float32) ** 2) / (2 * sigma**2))
    taps = taps / taps.sum()
    result = torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32))[None, None]
    result = functional.conv2d(result, taps[None, None, :, None], padding=(radius, 0))
    result = functional.conv2d(result, taps[None, None, None, :], padding=(0, radius))
    return np.asarray(result[0, 0].numpy())


def scale_to_unit(image: FloatArray) -> FloatArray:
    """Min–max scale to [0, 1]; a constant image becomes zeros."""
    low, high = float(image.min()), float(image.max())
    if high <= low:
        return np.zeros_like(image)
    return np.asarray((image - low) / (high - low), dtype=np.float32)
