"""A pair of co-registered images, as every method takes it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusion.errors import DifferentSizesError, UnsupportedImageError
from fusion.reading import DEFAULT_PIXEL_LIMIT, read_image, require_gray

__all__ = ["DEFAULT_PIXEL_LIMIT", "Pair", "load_pair", "scale_to_unit"]


@dataclass(frozen=True)
class Pair:
    """Two co-registered gray images x1 (MRI) and x2 (PET). Two pairs are equal if their images are.

    Parameters
    ----------
    images : ndarray of float32, shape (2, H, W)
        x1 and x2, each in [0, 1]. Copied; the pair's own array cannot be written to.

    Attributes
    ----------
    id : str
        Content id: sha256 (64 hexadecimal digits) of the shape and both arrays.

    Raises
    ------
    ValueError
        If `images` is not what is described above. Use `Pair.from_arrays` for anything else.
    """

    images: NDArray[np.float32] = field(compare=False)
    id: str = field(init=False)

    def __post_init__(self) -> None:
        images = np.array(self.images, order="C", copy=True)
        if images.dtype != np.float32 or images.ndim != 3 or images.shape[0] != 2 or images.size == 0:
            raise ValueError(f"A pair is float32 (2, H, W), not {images.dtype} {images.shape}")
        if not (images.min() >= 0 and images.max() <= 1):
            raise ValueError("The images of a pair lie in [0, 1]")
        images.setflags(write=False)
        object.__setattr__(self, "images", images)
        object.__setattr__(self, "id", _content_id(images))

    def __repr__(self) -> str:
        height, width = self.shape
        return f"Pair({height}×{width}, id={self.id[:12]})"

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.images.shape[1], self.images.shape[2]

    @classmethod
    def from_arrays(cls, x1: ArrayLike, x2: ArrayLike, names: tuple[str, str] = ("x1", "x2")) -> Pair:
        """Make a pair of two arrays; each is min–max scaled to [0, 1] by itself, a constant one to zeros.

        Parameters
        ----------
        x1, x2 : array_like, shape (H, W)
            Real numbers of any type and range.
        names : tuple of str
            What error messages call them.

        Raises
        ------
        DifferentSizesError
            If the two have different shapes.
        NonFiniteImageError
            If one has NaN or infinite values.
        EmptyFileError
            If one has no pixels.
        UnsupportedImageError
            If one is not two-dimensional, or not of real numbers.
        """
        first, second = (_as_gray(array, name) for array, name in zip((x1, x2), names, strict=True))
        if first.shape != second.shape:
            raise DifferentSizesError(
                f"{names[0]} has {_size(first)} pixels, {names[1]} has {_size(second)} (height × width). "
                "Register the two images and resample one onto the other's grid."
            )
        return cls(np.stack([scale_to_unit(first), scale_to_unit(second)]))


def load_pair(path1: Path | str, path2: Path | str, pixel_limit: int = DEFAULT_PIXEL_LIMIT) -> Pair:
    """Read two image files as a pair; see `fusion.reading.read_image` for the formats.

    Parameters
    ----------
    path1, path2 : Path or str
        The files of x1 (MRI) and x2 (PET).
    pixel_limit : int
        The most pixels that each may have.

    Raises
    ------
    ImageFileError
        One of its kinds (see `fusion.errors`), naming the file and what to do.
    DifferentSizesError
        If the two images have different sizes.
    """
    return Pair.from_arrays(
        read_image(path1, pixel_limit), read_image(path2, pixel_limit), names=(str(path1), str(path2))
    )


def scale_to_unit(image: NDArray[Any]) -> NDArray[np.float32]:
    """Min–max scale an image: (x − min) / (max − min), or zeros where max = min.

    Parameters
    ----------
    image : ndarray
        Integers or finite floating-point numbers, not empty. No range is too large or too small: nothing
        overflows, and 64-bit integers keep all their digits until the division.

    Returns
    -------
    ndarray of float32
        In [0, 1], same shape.
    """
    if image.dtype.kind in "iu":
        # Differences of 64-bit integers fit unsigned ones, and wrap around to the right value.
        offset = (image.astype(np.uint64) - image.min().astype(np.uint64)).astype(np.float64)
    else:
        value = image.astype(np.result_type(image.dtype, np.float64))
        # A power of two brings the values to [-1, 1] without rounding, so that max − min is finite
        # and neither it nor the quotient loses digits to the smallest numbers.
        _, exponent = np.frexp(np.abs(value).max())
        value = np.ldexp(value, -exponent)
        offset = value - value.min()
    largest = offset.max()
    if largest == 0:
        return np.zeros(image.shape, dtype=np.float32)
    return np.asarray(offset / largest, dtype=np.float32)


def _as_gray(array: ArrayLike, name: str) -> NDArray[Any]:
    try:
        values = np.asarray(array)
    except ValueError as error:
        raise UnsupportedImageError(name, f"this is not an array of numbers ({error}).") from error
    return require_gray(values, name)


def _size(image: NDArray[Any]) -> str:
    return "×".join(str(side) for side in image.shape)


def _content_id(images: NDArray[np.float32]) -> str:
    digest = hashlib.sha256(f"{images.shape}".encode())
    digest.update(images.astype("<f4", copy=False).tobytes())
    return digest.hexdigest()
