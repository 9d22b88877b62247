"""A ball for a brain: a head for tests that must not need the template's package."""

from __future__ import annotations

import numpy as np

from fusion.data.tissue import Head

SIDE = 120
RADIUS = 42


def ball_head() -> Head:
    """White matter inside, grey matter around it, a hole full of fluid in the middle; (5, 120, 120, 120)."""
    x, y, z = np.mgrid[:SIDE, :SIDE, :SIDE].astype(np.float32) - (SIDE - 1) / 2
    distance = np.sqrt(x**2 + y**2 + z**2)
    fluid = distance < 8
    grey = (distance > 26) & (distance < RADIUS)
    white = (distance < RADIUS) & ~grey & ~fluid
    detail = 0.05 * np.sin(x / 3) * (distance < RADIUS)
    return Head(np.stack([grey, white, fluid, detail, distance - RADIUS]).astype(np.float32))
