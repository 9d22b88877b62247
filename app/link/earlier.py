"""First values of earlier versions of links: what a link of theirs means by a key that it leaves out, for ever.

A table is added when a default changes and the version of new links with it; no table that is here ever changes, and so
none refers to what the pages have today. ``tests/golden/links.json`` and ``assets/views/view-state.mjs`` have the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

VERSION = 4
"""Of the links that are written now."""
WITHOUT_VERSION = 1
"""Of a link that has keys but no version."""

Tables = Mapping[int, Mapping[str, Any]]
"""By version, then by key."""

_SHARED_1: Mapping[str, Any] = {
    "pair": "glioma-t2",
    "pixel": None,
    "gamma1": 0.3,
    "gamma2": 0.5,
    "scale": "paper",
    "rgb": "own",
    "air": True,
    "gray": "own",
    "regions": (),
}
_SHARED_2: Mapping[str, Any] = {**_SHARED_1, "pair": None}
_EXPLORE_1: Mapping[str, Any] = {"method": "funfusean", "weights": None, "zoom": 12, "area": None}
_COMPARE_1: Mapping[str, Any] = {
    "methods": ("weighted_averaging", "funfusean", "masknet", "deepfuse", "deep_pedestrian"),
    "columns": (
        "fused",
        "guidance_mri",
        "guidance_pet",
        "jacobian_mri_zoom",
        "jacobian_pet_zoom",
        "scatter",
    ),
    "difference": (),
    "numbers": False,
    "pin": None,
    "shared": True,
    "size": "fit",
    "weights": (),
    "zoom": None,
}
EXPLORE: Tables = {
    1: {**_SHARED_1, **_EXPLORE_1},
    2: {**_SHARED_2, **_EXPLORE_1},
    3: {**_SHARED_2, **_EXPLORE_1},
}
COMPARE: Tables = {
    1: {**_SHARED_1, **_COMPARE_1},
    2: {**_SHARED_2, **_COMPARE_1},
    3: {**_SHARED_2, **_COMPARE_1, "scale": "signed"},
}
