"""What a panel shows while there is nothing to show."""

from __future__ import annotations

from app.figures.images import Figure
from app.figures.titles import panel_title


def empty_figure(title: str, message: str) -> Figure:
    """Make a figure without axes that says why it is empty."""
    return {
        "data": [],
        "layout": {
            "title": panel_title(title),
            "margin": {"l": 8, "r": 8, "t": 24, "b": 8},
            "xaxis": {"visible": False},
            "yaxis": {"visible": False},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(128,128,128,0.10)",
            "dragmode": False,
            "annotations": [
                {
                    "text": message,
                    "showarrow": False,
                    "xref": "paper",
                    "yref": "paper",
                    "x": 0.5,
                    "y": 0.5,
                    "font": {"size": 11},
                }
            ],
        },
    }
