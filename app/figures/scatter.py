"""The scatterplot of both guidance images (paper, section 3.2.4)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.figures.parts import Figure, notice, panel_title, typed_array

DARK = "#23272e"
GREEN = "#00c853"


def scatter_figure(
    guidance: NDArray[np.floating], labels: tuple[str, str], title: str, meta: dict[str, Any]
) -> Figure:
    """Plot every pixel's two guidance values in dark, and an empty green trace for the neighbourhood.

    Parameters
    ----------
    guidance : ndarray
        (2, H, W), or (2, n) of some pixels; pixels that are not known yet, or not finite, are left out.
    labels : tuple of str
        Names of x1 and x2 for the axes.
    title : str
        The figure's title.
    meta : dict
        What the browser must know of this figure.
    """
    x, y = known_points(guidance.reshape(2, -1))
    points = [
        _points(x, y, DARK, 2, 0.45, "all pixels"),
        _points(x[:0], y[:0], GREEN, 4, 0.9, "zoom window"),
    ]
    layout = _layout(labels, title, meta)
    for axis, values in (("xaxis", x), ("yaxis", y)):
        layout[axis]["range"] = list(axis_range(values))
    return {"data": points, "layout": layout}


def growing_scatter(labels: tuple[str, str], title: str, meta: dict[str, Any]) -> Figure:
    """Make the axes of a scatterplot that grows: the browser draws it, from end to end, until Plotly has all of it."""
    layout = _layout(labels, title, meta) | {"annotations": [notice("Computing…")], "uirevision": "growing"}
    for axis in ("xaxis", "yaxis"):
        # Their ends change as long as values come.
        layout[axis] |= {"range": [0, 1], "showticklabels": False, "zeroline": False, "showgrid": False}
    return {"data": [{"type": "scatter", "x": [], "y": [], "hoverinfo": "skip"}], "layout": layout}


def _layout(labels: tuple[str, str], title: str, meta: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": panel_title(title),
        "margin": {"l": 52, "r": 8, "t": 22, "b": 38, "pad": 0},
        "xaxis": _axis(f"∂y/∂{labels[0]} (dimensionless)"),
        "yaxis": _axis(f"∂y/∂{labels[1]} (dimensionless)"),
        "paper_bgcolor": "rgba(0,0,0,0)",
        # The dark theme turns ground and points round by a filter (styles/panels.css), so that nothing is drawn again.
        "plot_bgcolor": "#f7f8fa",
        "showlegend": False,
        "hovermode": False,
        "dragmode": False,
        "meta": meta,
        "uirevision": meta.get("key", ""),
    }


def known_points(values: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the points of pixels whose both guidance values are finite.

    Parameters
    ----------
    values : ndarray, shape (2, n)
        dy/dx1 and dy/dx2, dimensionless.

    Returns
    -------
    tuple of ndarray of float32, shape (m,)
        x and y.
    """
    known = np.isfinite(values).all(axis=0)
    return values[0, known].astype(np.float32), values[1, known].astype(np.float32)


def _points(
    x: NDArray[np.float32], y: NDArray[np.float32], colour: str, size: int, opacity: float, name: str
) -> dict[str, Any]:
    return {
        "type": "scattergl",
        "mode": "markers",
        "name": name,
        "x": typed_array(x),
        "y": typed_array(y),
        "marker": {"color": colour, "size": size, "opacity": opacity, "line": {"width": 0}},
        "hoverinfo": "skip",
    }


def axis_range(values: NDArray[np.floating]) -> tuple[float, float]:
    """Return the ends of a scatterplot's axis; print has the same.

    Parameters
    ----------
    values : ndarray of any shape
        What the axis shows; values that are not finite do not count.

    Returns
    -------
    tuple of float
        The smallest and the largest value with a margin of 4 % of their distance; 0 and 1 for none.
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    margin = 0.04 * (high - low) or 0.05
    return low - margin, high + margin


def _axis(title: str) -> dict[str, Any]:
    return {
        "title": {"text": title, "font": {"size": 9}, "standoff": 2},
        "tickfont": {"size": 9},
        "nticks": 6,
        "zeroline": True,
        "zerolinecolor": "#9aa3af",
        "gridcolor": "#e3e6ea",
    }
