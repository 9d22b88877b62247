"""The regions that a visitor has drawn, from what the browser keeps of them."""

from __future__ import annotations

from typing import Any

from fusion.errors import RegionError
from fusion.statistics.region_code import decode_mask
from fusion.statistics.regions import Region


def drawn_regions(stored: Any, shape: tuple[int, int]) -> tuple[list[Region], list[str]]:
    """Return the regions in the browser's store, and a sentence for each that cannot be used.

    Parameters
    ----------
    stored : anything
        A list of ``{"name": …, "code": …}``, see `fusion.statistics.region_code`; nothing for no regions.
    shape : tuple of int
        (H, W) of the images.
    """
    found: dict[str, Region] = {}
    problems: list[str] = []
    for part in stored if isinstance(stored, list) else ():
        if not isinstance(part, dict) or not all(isinstance(part.get(key), str) for key in ("name", "code")):
            problems.append("A region has no name or no code. Draw it again.")
            continue
        name = part["name"]
        try:
            region = Region(name, decode_mask(part["code"], shape))
        except RegionError as error:
            problems.append(f"Region {name}: {error}")
            continue
        if name in found:
            problems.append(f"Two regions are named {name}; the numbers are of the first.")
        else:
            found[name] = region
    return list(found.values()), problems
