"""How often a page asks how far work on the server is."""

from __future__ import annotations

from collections.abc import Mapping

from dash import dcc

from app.ids import CompareId, Id

POLL_MILLISECONDS: Mapping[str, int] = {
    Id.GUIDANCE_POLL: 700,
    CompareId.POLL: 700,
    Id.ATLAS_POLL: 1000,
    CompareId.NUMBERS_POLL: 1000,
}
"""By the id of a poll."""


def poll(id: str) -> dcc.Interval:
    """Make a poll that does not ask yet."""
    return dcc.Interval(id=id, interval=POLL_MILLISECONDS[id], disabled=True)
