"""Numbers, shares and dominance as they are written for people, on the page and in the terminal alike."""

from __future__ import annotations

import math
from collections.abc import Iterable

from fusion.statistics.guidance import (
    DOMINANCE_RATIO,
    SMALLEST_LINE_SHARE,
    Dominance,
    Dominant,
    Line,
    readings_disagree,
)
from fusion.statistics.influence import RegionInfluence, influence_dominant, response_dominant

UNDEFINED = "–"
NOT_CLEAR = "not clear"

MOST_DIGITS = 17
"""With so many digits after the point, two numbers near 1 that differ at all are written differently."""


def shown(value: float, digits: int = 3, limits: Iterable[float] = ()) -> str:
    """Write a number: ``–`` for NaN, ``∞``, a true minus sign, powers of ten from 100,000.

    Parameters
    ----------
    value : float
        The number.
    digits : int
        After the point.
    limits : iterable of float
        What the number is compared with. It is never rounded to one of them or across it: more digits are written.
    """
    if math.isnan(value):
        return UNDEFINED
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    sides = [(limit, _side(value, limit)) for limit in limits]
    while digits < MOST_DIGITS and any(_side(round(value, digits), limit) != side for limit, side in sides):
        digits += 1
    form = ".2e" if abs(value) >= 1e5 else f".{digits}f"
    return f"{value:{form}}".replace("-", "−")


def percent(share: float, digits: int = 1, limits: Iterable[float] = ()) -> str:
    """Write a share in [0, 1] as a percentage; ``–`` for NaN. `limits` are shares, see `shown`."""
    if math.isnan(share):
        return UNDEFINED
    return f"{shown(share * 100, digits, [limit * 100 for limit in limits])} %"


def brightness_change(change: float, than: str, limit: float) -> str:
    """Write by how much of the gray scale something is brighter or darker ``than`` something else."""
    if abs(change) < 0.005:
        return f"on average as bright as {than}"
    amount = shown(abs(change), 2, (limit,))
    return f"on average {amount} of the gray scale {'brighter' if change > 0 else 'darker'} than {than}"


def ratio_shown(ratio: float) -> str:
    """Write the ratio of both modalities, so that it says whether one dominates."""
    return shown(ratio, limits=(DOMINANCE_RATIO, 1 / DOMINANCE_RATIO))


def slope_shown(line: Line) -> str:
    """Write a slope; ``–`` also where so little of the variance is along the line that it means nothing."""
    return shown(line.slope) if line.share >= SMALLEST_LINE_SHARE else UNDEFINED


def line_share_shown(line: Line) -> str:
    """Write how much of all variance is along a line, so that it says whether the slope is written."""
    return shown(line.share, limits=(SMALLEST_LINE_SHARE,))


def dominant_name(
    dominance: Dominance, modalities: tuple[str, str], influence: RegionInfluence | None = None
) -> str:
    """Return the name of the modality that dominates, else ``neither`` or ``undefined``.

    Where all influence on the same pixels is known, and it or the response says otherwise than their own places, it is
    ``not clear``.
    """
    if influence is not None and readings_disagree(
        dominance.dominant, influence_dominant(influence), response_dominant(influence)
    ):
        return NOT_CLEAR
    return _name(dominance.dominant, modalities)


def reading_shown(ratio: float, dominant: Dominant, modalities: tuple[str, str]) -> str:
    """Write the ratio of both modalities by one reading, and which of them it names: ``1.830 MRI``."""
    if dominant is Dominant.UNDEFINED:
        return ratio_shown(ratio)
    return f"{ratio_shown(ratio)} {_name(dominant, modalities)}"


def _name(dominant: Dominant, modalities: tuple[str, str]) -> str:
    names = {Dominant.X1: modalities[0], Dominant.X2: modalities[1]}
    return names.get(dominant, dominant.value)


def _side(value: float, limit: float) -> int:
    return (value > limit) - (value < limit)
