"""How gradients become colours.

Gamma does not touch the values: it bends the colour scale, so that hovering, colour bars and exported data keep
true gradients. ``assets/painter/colours.mjs`` does the same in the browser; a test holds both together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from plotly import colors

STOPS = 96
ROBUST_PERCENTILE = 99.0
GRAY = [[0, "rgb(0,0,0)"], [1, "rgb(255,255,255)"]]

SEQUENTIAL = [colors.hex_to_rgb(colour) for colour in colors.sequential.Viridis]
DIVERGING = [
    tuple(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))
    for colour in reversed(colors.diverging.RdBu)
]


class Scale(StrEnum):
    """The three colour scales of gradients."""

    PAPER = "paper"
    SIGNED = "signed"
    ROBUST = "robust"


@dataclass(frozen=True)
class Limits:
    """What the ends of the scales are taken from; dimensionless gradients.

    Attributes
    ----------
    maximum : float
        Largest value of both images, the paper's end of scale.
    magnitude : float
        Largest absolute value of both images.
    percentile : float
        99th percentile of the absolute values of both images.
    provisional : bool
        Whether these are not yet those of the complete guidance images.
    """

    maximum: float
    magnitude: float
    percentile: float
    provisional: bool

    @classmethod
    def of(cls, gradients: NDArray[np.floating], provisional: bool) -> Limits:
        """Take the limits of gradient images, (2, H, W); values that are not finite do not count."""
        finite = gradients[np.isfinite(gradients)]
        if not finite.size:
            return cls(0.0, 0.0, 0.0, provisional)
        magnitudes = np.abs(finite)
        return cls(
            float(finite.max()),
            float(magnitudes.max()),
            float(np.percentile(magnitudes, ROBUST_PERCENTILE)),
            provisional,
        )

    def end(self, scale: Scale) -> float:
        """Return the end of a scale, vmax > 0 (1 where no gradient is)."""
        value = {
            Scale.PAPER: self.maximum,
            Scale.SIGNED: self.magnitude,
            Scale.ROBUST: self.percentile,
        }[scale]
        return value if value > 0 else 1.0


def colour_range(scale: Scale, end: float) -> tuple[float, float]:
    """Return (zmin, zmax) of a scale that ends at `end`."""
    return (-end, end) if scale is Scale.SIGNED else (0.0, end)


def bent_colours(scale: Scale, gamma: float) -> list[list[Any]]:
    """Return the Plotly colour scale that shows v as min(v / vmax, 1)^gamma, sign kept on the signed scale.

    Parameters
    ----------
    scale : Scale
        Signed is diverging around the middle; the others are sequential from 0.
    gamma : float
        0.1 to 2; below 1 small gradients become brighter.

    Returns
    -------
    list of [float, str]
        Positions from 0 to 1 that never decrease, with ``rgb(…)`` colours.
    """
    shown = np.arange(STOPS + 1) / STOPS
    if scale is Scale.SIGNED:
        centred = 2 * shown - 1
        positions = (np.sign(centred) * np.abs(centred) ** (1 / gamma) + 1) / 2
        return _stops(positions, interpolate(DIVERGING, shown))
    return _stops(shown ** (1 / gamma), interpolate(SEQUENTIAL, shown))


def interpolate(palette: Sequence[tuple[int, ...]], shown: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the (n, 3) colours, 0 to 255, of a palette at positions from 0 to 1."""
    table = np.asarray(palette, dtype=np.float64)
    at = shown * (len(table) - 1)
    low = np.minimum(np.floor(at), len(table) - 2).astype(int)
    part = (at - low)[:, None]
    # Halves go up, as in JavaScript; numpy would round them to even.
    return np.floor(table[low] + part * (table[low + 1] - table[low]) + 0.5).astype(int)


def _stops(positions: NDArray[np.float64], colours: NDArray[np.int64]) -> list[list[Any]]:
    return [
        [float(position), f"rgb({red},{green},{blue})"]
        for position, (red, green, blue) in zip(positions, colours.tolist(), strict=True)
    ]
