"""What the figures must reach. All of it is written down here and nowhere else.

Unless it is said otherwise a limit is for an image of 256×256 pixels, the trained weights that ship, and two CPU cores.
What is measured of anything else is told without a limit.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """What a figure must reach, in the figure's own unit.

    Attributes
    ----------
    bound : float
        What must be reached.
    most : bool
        Whether the bound is the most, else the least.
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
LARGE_SIDE = 2048
"""Of the image that `MEMORY_LARGE` is for, pixels."""

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

MEMORY_HOVER, MEMORY_LARGE, MEMORY_GUIDANCE = at_most(100), at_most(512), at_most(1_000)
"""Peak above idle, MB: hovering at 256×256, hovering at 2048×2048, guidance images at 256×256."""

GPU_JACOBIAN, GPU_GUIDANCE, GPU_ATLAS = at_most(0.6), at_most(1.0), at_most(5.0)
"""On a GPU of the H200's class, each network: one Jacobian, ms; guidance images, s; the complete atlas, s."""

HOVER_UPDATES = {
    "weighted_averaging": at_least(30),
    "funfusean": at_least(30),
    "masknet": at_least(30),
    "deepfuse": at_least(30),
    "deep_pedestrian": at_least(20),
}
"""Updates painted a second in the browser, which shares the cores with the server."""
HOVER_MEDIAN, HOVER_SLOW = at_most(60), at_most(110)
"""From the pointer's event to the painted frame, ms: p50 and p95."""
ATLAS_UPDATES, ATLAS_MEDIAN, ATLAS_SLOW = at_least(50), at_most(45), at_most(80)
"""The same three where the atlas was computed beforehand."""
COMPARE_UPDATES, COMPARE_ATLAS_UPDATES = at_least(12), at_least(20)
"""Updates painted a second on the compare page with the paper's five methods, and with their atlases."""

USERS, USERS_METHOD = 20, "funfusean"
"""What the limits of many users are for."""
USERS_SLOW = at_most(250)
"""95 % of the answers of the user who is served worst, ms."""
USERS_ERRORS = at_most(0)
USERS_GROWTH = at_most(1.05)
"""The server's memory at the end ÷ half-way: flat. The windows answered last, up to 64 MiB, are remembered."""

READY, FIRST_PICTURES, ALL_PICTURES = at_most(6.0), at_most(1.5), at_most(3.0)
"""Seconds: from the server's start to ready, from navigation to inputs and fused image, and to all panels."""

ATLAS_GIGABYTES = at_most(6.0)
"""The paper's Jacobian images of one pair take 3 GB for each of both modalities."""

BUSY_RATIO = at_most(2.0)
"""p95 of hovering beside the computation of guidance images or an atlas ÷ that of an idle server."""
