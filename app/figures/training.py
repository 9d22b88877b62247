"""Loss curves of all networks (paper, Figure 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.figures.parts import Figure

Curve = tuple[str, str, Mapping[str, Mapping[str, Sequence[float]]]]
"""Title and colour of a network; for ``training`` and ``validation`` the columns ``percent``, ``step`` and losses."""

TRAINING, VALIDATION = "training", "validation"
GRID = "rgba(128,128,128,0.25)"
COLUMNS = 2
GAP = 0.06
"""Between panels, as a share of the figure."""


def curves_figure(
    curves: Sequence[Curve], panels: Sequence[tuple[str, str]], ends: Mapping[str, float]
) -> Figure:
    """Draw a panel for each loss, thin lines for training and points for validation, one colour a network.

    Parameters
    ----------
    curves : sequence of Curve
        Networks in the order of the legend, where a click hides or shows all of a network's curves.
    panels : sequence of (name, title)
        The losses, dimensionless, in two columns; panels of a row share their axis of losses.
    ends : mapping
        Where the axis of each loss ends; it begins at 0.
    """
    layout: dict[str, Any] = {
        "margin": {"l": 56, "r": 12, "t": 52, "b": 44},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hovermode": "closest",
        "legend": {
            "orientation": "h",
            "x": 0.5,
            "xanchor": "center",
            "y": 1.12,
            "yanchor": "top",
            "font": {"size": 12},
        },
        "annotations": [],
        "uirevision": "curves",
    }
    data: list[dict[str, Any]] = []
    for index, (name, title) in enumerate(panels):
        _add_axes(layout, index, len(panels), title, ends[name])
        for curve_title, colour, sets in curves:
            for kind in (TRAINING, VALIDATION):
                data.append(_trace(curve_title, colour, kind, sets[kind], name, index))
    return {"data": data, "layout": layout}


def _trace(
    title: str, colour: str, kind: str, columns: Mapping[str, Sequence[float]], loss: str, panel: int
) -> dict[str, Any]:
    look: dict[str, Any]
    if kind == TRAINING:
        look = {"mode": "lines", "line": {"color": colour, "width": 1.2}, "opacity": 0.85}
    else:
        look = {"mode": "markers", "marker": {"color": colour, "size": 6}}
    return {
        "type": "scatter",
        "name": title,
        "legendgroup": title,
        # One entry a network, with its points: they are what one looks for.
        "showlegend": panel == 0 and kind == VALIDATION,
        "x": list(columns["percent"]),
        "y": list(columns[loss]),
        "customdata": list(columns["step"]),
        "hovertemplate": f"{kind}, step %{{customdata:,.0f}}<br>%{{y:.4f}}<extra>%{{fullData.name}}</extra>",
        "xaxis": f"x{_number(panel)}",
        "yaxis": f"y{_number(panel)}",
        **look,
    }


def _add_axes(layout: dict[str, Any], index: int, count: int, title: str, end: float) -> None:
    rows = -(-count // COLUMNS)
    row, column = divmod(index, COLUMNS)
    width, height = (1 - GAP * (COLUMNS - 1)) / COLUMNS, (1 - 2 * GAP * (rows - 1)) / rows
    left, bottom = column * (width + GAP), (rows - 1 - row) * (height + 2 * GAP)
    number = _number(index)
    common = {
        "gridcolor": GRID,
        "zeroline": False,
        "tickfont": {"size": 11},
        "nticks": 7,
    }
    first_of_row = _number(row * COLUMNS)
    layout[f"xaxis{number}"] = common | {
        "domain": [left, left + width],
        "anchor": f"y{number}",
        "range": [-1, 101],
        **({} if index == 0 else {"matches": "x"}),
        **(
            {"title": {"text": "finished share of the run (%)", "font": {"size": 12}}}
            if row == rows - 1
            else {}
        ),
    }
    layout[f"yaxis{number}"] = common | {
        "domain": [bottom, bottom + height],
        "anchor": f"x{number}",
        "range": [0, end],
        **({} if column == 0 else {"matches": f"y{first_of_row}"}),
        **({"title": {"text": "loss (dimensionless)", "font": {"size": 12}}} if column == 0 else {}),
    }
    layout["annotations"].append(
        {
            "text": title,
            "showarrow": False,
            "xref": "paper",
            "yref": "paper",
            "x": left + width / 2,
            "xanchor": "center",
            "y": bottom + height,
            "yanchor": "bottom",
            "font": {"size": 13},
        }
    )


def _number(index: int) -> str:
    """Return what Plotly writes behind x or y for the panel of this index: nothing for the first."""
    return "" if index == 0 else str(index + 1)
