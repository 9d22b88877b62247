"""The part of an image that is printed."""

from __future__ import annotations

from collections.abc import Sequence

from app.link.view_state import Area


def area_within(area: Area | None, shape: Sequence[int]) -> Area:
    """Return the part of an area that is inside an image; all of the image where there is none."""
    whole = -0.5, -0.5, shape[0] - 0.5, shape[1] - 0.5
    if area is None:
        return whole
    top, left = (max(edge, -0.5) for edge in area[:2])
    bottom, right = (min(edge, size) for edge, size in zip(area[2:], whole[2:], strict=True))
    return (top, left, bottom, right) if top < bottom and left < right else whole
