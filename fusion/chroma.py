"""Luma and chroma of colour pictures (ITU-R BT.601): what of them is fused, and what colours the fused image again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Colours = NDArray[Any]
"""(H, W, 3) of uint8, 0 to 255, or of float32, 0 to 1: red, green, blue as the file has them."""

LUMA = (0.2989, 0.5870, 0.1140)
"""The weights of red, green and blue in the gray value of a colour image."""
LUMA_NOTE = "saliency is of the luma"
"""What is said wherever derivatives of a colour pair are shown or written."""

# As luma, but exactly 1 together, so that grays have no chroma at all.
_WEIGHTS = np.array(LUMA) / sum(LUMA)
_BLUE, _RED = 2 * (1 - _WEIGHTS[2]), 2 * (1 - _WEIGHTS[0])
_FULL = (1.0, 255.0, 65535.0)


def kept_colours(samples: NDArray[Any]) -> Colours:
    """Return the colours of a file in the form in which a pair keeps them.

    Parameters
    ----------
    samples : ndarray, shape (H, W, 3 or more)
        Red, green, blue of any real type, none negative; NaN and masked ones become 0. Unsigned numbers of 8 and 16
        bits reach to the largest of their type, all others to the first of 1, 255 and 65535 that none exceeds, else to
        their own largest.

    Returns
    -------
    ndarray, shape (H, W, 3)
        uint8 of uint8, else float32 in [0, 1]; a copy.
    """
    plain = np.ma.filled(samples[..., :3], 0) if isinstance(samples, np.ma.MaskedArray) else samples[..., :3]
    if plain.dtype == np.uint8:
        return np.array(plain, order="C")
    values = np.nan_to_num(plain.astype(np.float64), nan=0.0)
    largest = float(values.max(initial=0))
    whole = (65535.0,) if plain.dtype == np.uint16 else _FULL
    full = next((end for end in whole if largest <= end), largest)
    return np.asarray(values / full, dtype=np.float32)


def unit_colours(colours: Colours) -> NDArray[np.float64]:
    """Return colours (H, W, 3) of uint8 or float32 as numbers from 0 to 1, float64."""
    return colours / 255.0 if colours.dtype == np.uint8 else colours.astype(np.float64)


def chroma(colours: Colours) -> NDArray[np.float64]:
    """Return how far blue and red of a picture are from its luma.

    Parameters
    ----------
    colours : ndarray, shape (H, W, 3)
        uint8, or float32 from 0 to 1.

    Returns
    -------
    ndarray of float64, shape (2, H, W)
        Cb = (B − Y) / 1.772 and Cr = (R − Y) / 1.402, −0.5 to 0.5, 0 for grays.
    """
    rgb = unit_colours(colours)
    luma = rgb @ _WEIGHTS
    return np.stack([(rgb[..., 2] - luma) / _BLUE, (rgb[..., 0] - luma) / _RED])


def coloured(
    fused: NDArray[np.floating], colours: tuple[Colours | None, Colours | None]
) -> NDArray[np.floating]:
    """Colour a fused image with the chroma of its inputs.

    Parameters
    ----------
    fused : ndarray, shape (H, W)
        y, which becomes the luma; dimensionless, nominally 0 to 1.
    colours : tuple of (ndarray or None)
        Those of both inputs, (H, W, 3); ``None`` for a gray one.

    Returns
    -------
    ndarray, shape (3, H, W)
        Red, green, blue in [0, 1], of the type of `fused`: R = y + 1.402·Cr, B = y + 1.772·Cb, and G such that
        the luma is y; what is outside of [0, 1] is cut. Each chroma C, Cb as Cr, is the mean of the inputs' by their
        own magnitudes, as is usual for fused colour pictures (DenseFuse, IFCNN),
        C = (C1·|C1| + C2·|C2|) / (|C1| + |C2|), which is 0 where both are and that of the other where one is gray.
        So of two gray inputs it is y three times.
    """
    luma = np.asarray(fused, dtype=np.float64)
    known = [chroma(picture) for picture in colours if picture is not None]
    total = sum((np.abs(one) for one in known), np.zeros((2, *luma.shape)))
    weighted = sum((one * np.abs(one) for one in known), np.zeros((2, *luma.shape)))
    blueness, redness = np.divide(weighted, total, out=np.zeros_like(total), where=total > 0)
    red, blue = luma + _RED * redness, luma + _BLUE * blueness
    green = (luma - _WEIGHTS[0] * red - _WEIGHTS[2] * blue) / _WEIGHTS[1]
    return np.clip(np.stack([red, green, blue]), 0, 1).astype(fused.dtype)
