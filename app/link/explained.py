"""The region that a link explains: which number, of which of its regions, and against what."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.link.texts import LinkedRegion
from cache.services.explanations import INPUTS, Explained, Question

PLACE = r"(?:[1-9]|1[0-2])"
PATTERN = rf"^(?:mean\.{PLACE}|contrast\.{PLACE}\.{PLACE}|ssim\.{PLACE}\.x[12])$"
"""``mean``, ``contrast`` or ``ssim``, the place of the region in the link's list, from 1, and what it is held
against: the place of a second region, or an input."""
EXPECTED = (
    "an explanation is mean.1, contrast.1.2 or ssim.1.x2: places of regions in the link, from 1, or an input"
)


def explained(text: str | None, regions: Sequence[LinkedRegion]) -> Explained | None:
    """Find what a link explains among its regions; ``None`` where it explains nothing, or a region that it lacks.

    Parameters
    ----------
    text : str or None
        As the link has it, of the form of `PATTERN`.
    regions : sequence of LinkedRegion
        Those of the link, in its order.
    """
    if text is None or not re.fullmatch(PATTERN, text):
        return None
    of, place, *rest = text.split(".")
    if rest and rest[0] in INPUTS:
        others = [(rest[0], rest[0])]
    else:
        others = [
            (regions[int(at) - 1].name, regions[int(at) - 1].code) for at in rest if int(at) <= len(regions)
        ]
    if int(place) > len(regions) or len(others) != len(rest):
        return None
    region = regions[int(place) - 1]
    name, code = others[0] if others else ("", "")
    return Explained(Question(of, region.code, code), region.name, name)
