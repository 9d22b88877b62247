"""Statistics as arrays that the store keeps, and back, to the last digit."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from cache.store.serializer import Arrays
from fusion.statistics.guidance import Dominance, Dominant, GuidanceStatistics, Line, ModalityStatistics
from fusion.statistics.influence import ModalityInfluence, RegionInfluence

TEXT = "json"


def to_arrays(found: GuidanceStatistics | RegionInfluence) -> Arrays:
    """Return what is kept: JSON in UTF-8, in which Python writes every float so that it reads the same again."""
    # The region's name is not kept: who asks for the same pixels by another name means the same numbers.
    text = json.dumps(asdict(replace(found, region="")))
    return {TEXT: np.frombuffer(text.encode(), dtype=np.uint8)}


def guidance_from(arrays: Arrays, region: str) -> GuidanceStatistics:
    """Return the statistics of guidance images under a region's present name."""
    kept = _read(arrays)
    return GuidanceStatistics(
        **kept
        | {
            "region": region,
            "x1": ModalityStatistics(**kept["x1"]),
            "x2": ModalityStatistics(**kept["x2"]),
            "dominance": Dominance(
                **kept["dominance"] | {"dominant": Dominant(kept["dominance"]["dominant"])}
            ),
            "line": Line(**kept["line"]),
        }
    )


def influence_from(arrays: Arrays, region: str) -> RegionInfluence:
    """Return the influence on a region under its present name."""
    kept = _read(arrays)
    inputs = {name: ModalityInfluence(**kept[name]) for name in ("x1", "x2")}
    return RegionInfluence(**kept | inputs | {"region": region})


def _read(arrays: Arrays) -> dict[str, Any]:
    kept = json.loads(arrays[TEXT].tobytes())
    if not isinstance(kept, dict):
        raise TypeError("These are no statistics")
    return kept
