"""Durations in words."""

from __future__ import annotations

UNITS = ((1, "s", 90), (60, "min", 90 * 60), (3600, "h", 48 * 3600), (86_400, "days", float("inf")))
"""Seconds of a unit, its name, and where the next one begins."""


def spoken(seconds: float) -> str:
    """Return how long something takes in the largest unit of which it is more than one: ``85 s``, ``2 min``, ``29 h``.

    Parameters
    ----------
    seconds : float
        At least 0; less than one second is said as ``1 s``.
    """
    size, name = next((size, name) for size, name, end in UNITS if seconds < end)
    return f"{max(1, round(seconds / size)):d} {name}"
