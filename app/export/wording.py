"""Numbers in files, written as the tables of numbers write them."""

from __future__ import annotations

import math

DECIMALS = 4
"""As in the page's own numbers at a pixel."""


def shown(value: float) -> str:
    """Write a number: ``–`` for NaN, ``∞``, a true minus sign, powers of ten from 100,000."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    form = ".2e" if abs(value) >= 1e5 else f".{DECIMALS}f"
    return f"{value:{form}}".replace("-", "−")
