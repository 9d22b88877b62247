"""Small pairs whose colours under weighted averaging anybody can work out by hand.

Every pixel has a number k from 0 to 9, x1 = (k / 9)² and x2 = 1 − x1. So weighted averaging, whose guidance is
x1 / (x1 + x2) and x2 / (x1 + x2), has exactly x1 and x2 as its guidance images, and x1² + x2² as its fused image. With
gamma 0.5 guidance of x1 = (k / 9)² lies at k / 9 of the scale: at the colour number k of Viridis' ten.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SHAPE = (6, 8)
STEPS = 9
ADDRESSES = ("drawn", "redrawn")

# As matplotlib and Plotly document them.
VIRIDIS = [
    (0x44, 0x01, 0x54), (0x48, 0x28, 0x78), (0x3E, 0x49, 0x89), (0x31, 0x68, 0x8E), (0x26, 0x82, 0x8E),
    (0x1F, 0x9E, 0x89), (0x35, 0xB7, 0x79), (0x6E, 0xCE, 0x58), (0xB5, 0xDE, 0x2B), (0xFD, 0xE7, 0x25),
]  # fmt: skip
# ColorBrewer's RdBu from blue, negative, to red.
BLUE_TO_RED = [
    (5, 48, 97), (33, 102, 172), (67, 147, 195), (146, 197, 222), (209, 229, 240), (247, 247, 247),
    (253, 219, 199), (244, 165, 130), (214, 96, 77), (178, 24, 43), (103, 0, 31),
]  # fmt: skip


OUTSIDE = (178, 182, 189)
"""Of Jacobian images where a method does not reach."""


def numbers(address: str) -> NDArray[np.int64]:
    """Return k of every pixel; no two neighbours, and no pixel of both pairs, have the same."""
    rows, columns = np.indices(SHAPE)
    first = (3 * rows + 4 * columns) % (STEPS + 1)
    return first if address == ADDRESSES[0] else (first + 5) % (STEPS + 1)


def images(address: str) -> NDArray[np.float64]:
    """Return x1 and x2, (2, H, W)."""
    first = (numbers(address) / STEPS) ** 2
    return np.stack([first, 1 - first])


def write_drawn_pairs(folder: Path) -> Path:
    """Write both pairs into a new folder, and a third whose PET is a picture in colour, and return it."""
    folder.mkdir()
    for address in ADDRESSES:
        for name, image in zip(("mri", "pet"), images(address), strict=True):
            np.save(folder / f"{name}_{address}.npy", image)
    np.save(folder / "mri_tinted.npy", images(ADDRESSES[0])[0])
    np.save(folder / "pet_tinted.npy", tinted())
    return folder


def tinted() -> NDArray[np.float64]:
    """Return a PET in colour, (H, W, 3) from 0 to 1: black, white, red and blue."""
    palette = np.array([(0, 0, 0), (1, 1, 1), (1, 0, 0), (0, 0, 1)], dtype=np.float64)
    return palette[np.arange(SHAPE[0] * SHAPE[1]).reshape(SHAPE) % len(palette)]


def colours(share: NDArray[np.float64], palette: list[tuple[int, int, int]]) -> NDArray[np.float64]:
    """Return the colours, (…, 3), at parts from 0 to 1 of a palette whose colours are evenly spaced."""
    places = np.linspace(0, 1, len(palette))
    return np.stack([np.interp(share, places, band) for band in zip(*palette, strict=True)], axis=-1)


def gradient_colours(values: NDArray[np.float64], gamma: float, signed: bool = False) -> NDArray[np.float64]:
    """Return the colours of gradients in [0, 1] where the scale ends at 1: share = value^gamma."""
    share = values**gamma
    return colours((1 + share) / 2, BLUE_TO_RED) if signed else colours(share, VIRIDIS)


def gray(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the grays of an image in [0, 1]."""
    return np.repeat(255 * image[..., None], 3, axis=-1)


def fused(address: str) -> NDArray[np.float64]:
    """Return y = x1·x1 + x2·x2."""
    return np.sum(images(address) ** 2, axis=0)


def guidance_rgb(address: str) -> NDArray[np.float64]:
    """Return guidance RGB: x1 and x2 are their own guidance and reach from 0 to 1, y is stretched to do so."""
    y = fused(address)
    red, green = images(address)
    return 255 * np.stack([red, green, (y - y.min()) / (y.max() - y.min())], axis=-1)


def jacobian(address: str, index: int, pixel: tuple[int, int]) -> NDArray[np.float64]:
    """Return the Jacobian image of x1 (0) or x2 (1): the guidance at the pixel itself, 0 elsewhere."""
    image = np.zeros(SHAPE)
    image[pixel] = images(address)[index][pixel]
    return image


def jacobian_colours(
    address: str, index: int, pixel: tuple[int, int], gamma: float, signed: bool = False
) -> NDArray[np.float64]:
    """Return the colours of a Jacobian image: weighted averaging reaches the pixel alone, all others are gray."""
    found = np.full((*SHAPE, 3), OUTSIDE, dtype=np.float64)
    found[pixel] = gradient_colours(jacobian(address, index, pixel), gamma, signed)[pixel]
    return found


def cut(picture: NDArray[np.float64], pixel: tuple[int, int], half: int) -> NDArray[np.float64]:
    """Return the zoom of a picture (H, W, 3): 2·half + 1 pixels a side, NaN outside of the image."""
    row, col = pixel
    padded = np.pad(picture, ((half, half), (half, half), (0, 0)), constant_values=np.nan)
    return padded[row : row + 2 * half + 1, col : col + 2 * half + 1]
