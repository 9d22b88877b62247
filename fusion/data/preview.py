"""Previews of images before they are used: a small picture, size and spacing, and how values are spread."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fusion.choices import first_selection
from fusion.intensity import scale_to_unit
from fusion.pair import pixel_aspect
from fusion.reading import read_picture

SIDE = 128
"""The longer side of a small picture, pixels."""
BINS = 32


@dataclass(frozen=True)
class Preview:
    """Facts of one image.

    Attributes
    ----------
    shape : tuple of int
        (H, W), pixels.
    spacing : tuple of float or None
        From row to row and from column to column, mm; ``None`` where the file does not say it.
    ends : tuple of float
        The smallest and the largest value.
    histogram : tuple of int
        How many pixels there are in each of `BINS` equal parts between the ends.
    notes : tuple of str
        What should be known of the values.
    thumbnail : ndarray of uint8, shape (h, w)
        Smallest value black, largest white; of `SIDE` pixels at most.
    """

    shape: tuple[int, int]
    spacing: tuple[float, float] | None
    ends: tuple[float, float]
    histogram: tuple[int, ...]
    notes: tuple[str, ...]
    thumbnail: NDArray[np.uint8]


def preview(path: Path, pixel_limit: int) -> Preview:
    """Look at an image, of a volume at its middle slice.

    Parameters
    ----------
    path : Path
        The file.
    pixel_limit : int
        The most pixels that it may have.

    Raises
    ------
    ImageFileError
        See `fusion.reading.read_image`.
    """
    picture = read_picture(path, pixel_limit, first_selection(path, pixel_limit))
    values = picture.values.astype(np.float64)
    low, high = float(values.min()), float(values.max())
    counts, _ = np.histogram(values, BINS, (low, high if high > low else low + 1))
    grid = picture.grid
    spacing = None
    if grid is not None:
        spacing = grid.spacing
    return Preview(
        shape=(values.shape[0], values.shape[1]),
        spacing=spacing,
        ends=(low, high),
        histogram=tuple(int(count) for count in counts),
        notes=picture.notes,
        thumbnail=small(scale_to_unit(values), aspect=pixel_aspect(spacing)),
    )


def small(image: NDArray[np.floating], side: int = SIDE, aspect: float = 1.0) -> NDArray[np.uint8]:
    """Return a small gray picture.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        In [0, 1].
    side : int
        The most pixels of the longer side.
    aspect : float
        Height of the image's pixels by their width; those of the picture are square.

    Returns
    -------
    ndarray of uint8, shape (h, w)
        0 is black. Means of what falls into one pixel.
    """
    gray = Image.fromarray(np.rint(image * 255).astype(np.uint8))
    # The shorter side of a pixel keeps its number, so that nothing of the image is lost before it has to be.
    wide, high = gray.width * max(1 / aspect, 1), gray.height * max(aspect, 1)
    unit = min(side / max(wide, high), 1)
    size = max(round(wide * unit), 1), max(round(high * unit), 1)
    return np.asarray(gray.resize(size, Image.Resampling.BOX))
