"""The title of a panel, part of the figure so that exported pictures have it."""

from __future__ import annotations

from typing import Any


def panel_title(text: str) -> dict[str, Any]:
    """Return the ``layout.title`` of a figure: small, at its upper left."""
    return {
        "text": text,
        "font": {"size": 12},
        "x": 0,
        "xanchor": "left",
        "xref": "paper",
        "y": 1,
        "yanchor": "top",
        "yref": "container",
        "pad": {"t": 5},
        "automargin": False,
    }
