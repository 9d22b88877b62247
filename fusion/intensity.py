"""From the numbers of an image to [0, 1]: min–max, or a window of intensities, by numbers or by percentiles."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NARROW = 0.1
"""A share of the range in which the middle 98 % of an image's values should not lie."""


@dataclass(frozen=True)
class IntensityWindow:
    """The intensities that become 0 and 1; what is below or above becomes 0 or 1, too.

    Parameters
    ----------
    low, high : float
        In the image's own numbers, such as Hounsfield units, or percentiles, 0 to 100.
    percent : bool
        Whether they are percentiles.

    Raises
    ------
    ValueError
        If low is not below high, or a percentile is no such.
    """

    low: float
    high: float
    percent: bool = False

    def __post_init__(self) -> None:
        if not (np.isfinite([self.low, self.high]).all() and self.low < self.high):
            raise ValueError("the lower end of a window is below the upper one")
        if self.percent and not (self.low >= 0 and self.high <= 100):
            raise ValueError("percentiles lie between 0 and 100")

    @classmethod
    def parse(cls, text: str) -> IntensityWindow:
        """Return the window of a text such as ``-160:240`` or ``1%:99%``.

        Raises
        ------
        ValueError
            If it is another.
        """
        found = re.fullmatch(r"\s*([^:%\s]+)(%?)\s*:\s*([^:%\s]+)(%?)\s*", text.replace("−", "-"))
        if found is None or found[2] != found[4]:
            raise ValueError("a window is LOW:HIGH, as -160:240 or 1%:99%")
        return cls(float(found[1]), float(found[3]), bool(found[2]))

    def __str__(self) -> str:
        sign = "%" if self.percent else ""
        return f"{self.low:.12g}{sign}:{self.high:.12g}{sign}"

    def ends(self, image: NDArray[Any]) -> tuple[float, float]:
        """Return which of an image's intensities become 0 and 1.

        Parameters
        ----------
        image : ndarray
            Finite real numbers, not empty.
        """
        if not self.percent:
            return self.low, self.high
        low, high = np.percentile(_floats(image), [self.low, self.high])
        return float(low), float(high)


Windows = tuple[IntensityWindow | None, IntensityWindow | None]
"""Of x1 and x2; ``None``: all intensities."""


def scale_to_unit(image: NDArray[Any], window: IntensityWindow | None = None) -> NDArray[np.float32]:
    """Scale an image to [0, 1]: (x − min) / (max − min), or zeros where max = min.

    Parameters
    ----------
    image : ndarray
        Integers or finite floating-point numbers, not empty. No range is too large or too small: nothing
        overflows, and 64-bit integers keep all their digits until the division.
    window : IntensityWindow, optional
        Whose ends take the place of min and max.

    Returns
    -------
    ndarray of float32
        In [0, 1], same shape.
    """
    if window is not None:
        low, high = window.ends(image)
        if low == high:
            return np.asarray(_floats(image) > low, dtype=np.float32)
        # Halves, so that the difference of the largest numbers is one, too.
        share = (np.clip(_floats(image), low, high) / 2 - low / 2) / (high / 2 - low / 2)
        return np.asarray(np.clip(share, 0, 1), dtype=np.float32)
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


def contrast_notes(image: NDArray[Any], window: IntensityWindow | None = None) -> tuple[str, ...]:
    """Return what a user should know of how an image is scaled to [0, 1].

    Parameters
    ----------
    image : ndarray
        Finite real numbers, not empty.
    window : IntensityWindow, optional
        The window that is scaled, instead of all.

    Returns
    -------
    tuple of str
        Without the image's name and without a full stop.
    """
    low, first, last, high = (float(value) for value in np.percentile(_floats(image), [0, 1, 99, 100]))
    if low == high:
        return (
            f"all pixels have the value {low:g}, so that it is the same everywhere and its saliency says nothing "
            "(transparency is not read)",
        )
    if window is not None:
        low, high = window.ends(image)
        return (f"intensities from {low:g} to {high:g} are scaled to [0, 1], those beyond are cut",)
    if last / 2 - first / 2 <= NARROW * (high / 2 - low / 2):
        return (
            f"98 % of its values lie between {first:g} and {last:g}, less than a tenth of the range from {low:g} to "
            f"{high:g} that is scaled to [0, 1]: single pixels may take the contrast of all others",
        )
    return ()


def _floats(image: NDArray[Any]) -> NDArray[Any]:
    """Return numbers whose differences do not wrap around."""
    return image.astype(np.result_type(image.dtype, np.float64))
