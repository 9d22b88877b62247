"""How numbers, shares and dominance are written for people, on the page and in the terminal alike."""

from __future__ import annotations

import math

from fusion.statistics.guidance import Dominance, Dominant
from fusion.statistics.verdicts import Measure

UNDEFINED = "–"

_MEASURES = {
    "requirement.contrast_kept": "contrast",
    "requirement.core_brightness": "brighter",
    "requirement.healthy_brightness": "brighter",
    "requirement.core_sensitivity": "guidance",
    "requirement.core_sensitivity_ratio": "ratio",
    "requirement.core_outside": "outside",
}


def shown(value: float, digits: int = 3) -> str:
    """Write a number: ``–`` for NaN, ``∞``, a true minus sign, powers of ten from 100,000."""
    if math.isnan(value):
        return UNDEFINED
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    form = ".2e" if abs(value) >= 1e5 else f".{digits}f"
    return f"{value:{form}}".replace("-", "−")


def percent(share: float, digits: int = 1) -> str:
    """Write a share in [0, 1] as a percentage; ``–`` for NaN."""
    return UNDEFINED if math.isnan(share) else f"{share * 100:.{digits}f} %"


def dominant_name(dominance: Dominance, modalities: tuple[str, str]) -> str:
    """Return the name of the modality that dominates, else ``neither`` or ``undefined``."""
    names = {Dominant.X1: modalities[0], Dominant.X2: modalities[1]}
    return names.get(dominance.dominant, dominance.dominant.value)


def measured(measure: Measure) -> str:
    """Write a number that a requirement is judged by, after a word that says which."""
    return f"{_MEASURES[measure.definition]} {shown(measure.value)}"
