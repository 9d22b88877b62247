"""Regions of interest in a link: ``name~rrggbb~code``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import unquote

MOST_REGIONS = 12
LONGEST_NAME = 40

_REGION = re.compile(r"([^~,]{1,400})~([0-9a-f]{6})~(s[0-9a-f]{32}|b[0-9._]*|r[A-Za-z0-9_-]+)", re.ASCII)


@dataclass(frozen=True)
class LinkedRegion:
    """A region as a link has it.

    Attributes
    ----------
    name : str
        What people call it, 1 to 40 printable characters.
    colour : str
        ``#rrggbb``.
    code : str
        Of `fusion.statistics.region_code`, or ``s`` and the id of one that the server keeps.
    """

    name: str
    colour: str
    code: str


def linked_region(text: str) -> LinkedRegion | None:
    """Read a region of a link; ``None`` where it is none. Whether the code fits the images is not known here."""
    found = _REGION.fullmatch(text)
    if found is None:
        return None
    name = unquote(found[1]).strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        return None
    return LinkedRegion(name, f"#{found[2]}", found[3])


def linked_regions(texts: Iterable[str]) -> list[LinkedRegion]:
    """Read the regions of a link, each with a name of its own, as on the page: a second ``core`` is ``core 2``."""
    found: dict[str, LinkedRegion] = {}
    for region in filter(None, map(linked_region, texts)):
        name, number = region.name, 2
        while name in found:
            name, number = f"{region.name} {number}", number + 1
        found[name] = replace(region, name=name)
    return list(found.values())
