"""How large the optimizer's steps are."""

from __future__ import annotations

import math

LEARNING_RATES = {"deep_pedestrian": 5e-4}
DEFAULT_LEARNING_RATE = 2e-3
WARM_UP = 0.02
"""Share of a run in which the steps grow."""


def largest_learning_rate(method_id: str, continued: bool) -> float:
    """Return Adam's usual step size for a network; trained ones are continued with a quarter of it."""
    usual = LEARNING_RATES.get(method_id, DEFAULT_LEARNING_RATE)
    return usual / 4 if continued else usual


def learning_rate_at(fraction: float, peak: float) -> float:
    """Return the step size at a share of the run: a short linear rise, then a cosine that falls to 0."""
    if fraction < WARM_UP:
        return peak * (0.05 + 0.95 * fraction / WARM_UP)
    return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, (fraction - WARM_UP) / (1 - WARM_UP))))
