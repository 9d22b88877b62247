"""Limits of what the pages and their server do; those of the numerics are in `fusion.benchmark.limits`.

Unless it is said otherwise a limit is for an image of 256×256 pixels, the trained weights that ship, and two CPU cores.
What is measured of anything else is told without a limit.
"""

from __future__ import annotations

from fusion.benchmark.limits import at_least, at_most

LARGE_SIDE = 2048
"""Of the image that `MEMORY_LARGE` is for, pixels."""
MEMORY_HOVER, MEMORY_LARGE, MEMORY_GUIDANCE = at_most(100), at_most(512), at_most(1_000)
"""Peak above idle, MB: hovering at 256×256, hovering at 2048×2048, guidance images at 256×256."""

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

BRUSH_UPDATES, BRUSH_PREDICTION = at_least(15), at_most(250)
"""True changes painted a second with a stamp of 8 pixels; ms from the rest after one stamp to its prediction."""

USERS, USERS_METHOD = 20, "funfusean"
"""What the limits of many users are for."""
USERS_SLOW = at_most(250)
"""95 % of the answers of the user who is served worst, ms."""
USERS_ERRORS = at_most(0)
USERS_GROWTH = at_most(1.05)
"""The server's memory at the end ÷ half-way: flat. The windows answered last, up to 64 MiB, are remembered."""

GROUP, GROUP_MINUTES = 50, 10
"""People and minutes that the limits of a group are for."""
GROUP_HOVER, GROUP_IMAGES = at_most(400), at_most(2000)
"""p95 of a hover, and of a scene with inputs and fused image, ms."""
GROUP_MEMORY, GROUP_GROWTH = at_most(800), at_most(1.05)
"""MB that the web process holds at the end, and that ÷ the most of the first half."""

PYRAMID_SIDE, PYRAMID_READERS = 4096, 16
"""Side of the large pair, pixels, and how many read it at once."""
PYRAMID_OPENED, PYRAMID_MEMORY = at_most(5), at_most(1500)
"""Seconds from the first request to three pictures in view, and the server's peak with all readers, MB."""

READY, FIRST_PICTURES, ALL_PICTURES = at_most(6.0), at_most(1.5), at_most(3.0)
"""Seconds: from the server's start to ready, from navigation to inputs and fused image, and to all panels."""

ATLAS_GIGABYTES = at_most(6.0)
"""The paper's Jacobian images of one pair take 3 GB for each of both modalities."""

BUSY_RATIO = at_most(2.0)
"""p95 of hovering beside the computation of guidance images or an atlas ÷ that of an idle server."""
