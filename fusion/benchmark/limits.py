"""Limits of figures, and those of the numerics; the pages have theirs in `benchmarks.limits`, and nothing else has any.

Unless it is said otherwise a limit is for an image of 256×256 pixels, the trained weights that ship, and two CPU cores.
What is measured of anything else is told without a limit.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """Bound of a figure, in the figure's own unit.

    Attributes
    ----------
    bound : float
        What must be reached.
    most : bool
        True where the bound is the most, else the least.
    aim : float or None
        What is hoped for beyond it.
    """

    bound: float
    most: bool = True
    aim: float | None = None


def at_most(bound: float) -> Limit:
    """Return the limit of a figure that should be small."""
    return Limit(bound)


def at_least(bound: float, aim: float | None = None) -> Limit:
    """Return the limit of a figure that should be large."""
    return Limit(bound, most=False, aim=aim)


SIDE = 256
"""Of the image that the limits are for, pixels."""

JACOBIAN_RATIO = {
    "funfusean": at_least(120, aim=200),
    "masknet": at_least(800),
    "deepfuse": at_least(120, aim=200),
    "deep_pedestrian": at_least(120, aim=200),
}
"""One Jacobian (both inputs) on the CPU: baseline ÷ ours."""
BATCH_RATIO = {
    "funfusean": at_least(800),
    "masknet": at_least(2_500),
    "deepfuse": at_least(350),
    "deep_pedestrian": at_least(250),
}
"""The same a pixel, in batches of 64."""
GUIDANCE_RATIO = {
    "funfusean": at_least(1_000),
    "masknet": at_least(3_000),
    "deepfuse": at_least(600),
    "deep_pedestrian": at_least(600),
}
"""Guidance images on the CPU: (all pixels × baseline a pixel) ÷ ours."""

JACOBIAN_GROWTH = at_most(1.3)
"""One Jacobian, 1024×1024 ÷ 256×256."""
GUIDANCE_GROWTH = at_most(4.5)
"""Guidance images, 512×512 ÷ 256×256."""

GPU_JACOBIAN, GPU_GUIDANCE, GPU_ATLAS = at_most(0.6), at_most(1.0), at_most(5.0)
"""On a GPU of the H200's class, each network: one Jacobian, ms; guidance images, s; the complete atlas, s."""
