"""Parts of Plotly figures: titles, typed arrays, colour scales, pictures as PNG."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fusion.colours import Limits, Scale, bent_positions, interpolate, scale_range

Figure = dict[str, Any]

STOPS = 96
GRAY = [[0, "rgb(0,0,0)"], [1, "rgb(255,255,255)"]]
_NAMES = {"float32": "f4", "float64": "f8", "uint8": "u1", "int32": "i4"}


def panel_title(text: str) -> dict[str, Any]:
    """Return the ``layout.title`` of a figure, small, at its upper left; exported pictures have it as well."""
    return {
        "text": text,
        "font": {"size": 12},
        "x": 0,
        "xanchor": "left",
        "xref": "container",
        "y": 1,
        "yanchor": "top",
        "yref": "container",
        "pad": {"t": 4, "l": 2},
        "automargin": False,
    }


def empty_figure(title: str, message: str) -> Figure:
    """Make a figure without axes that says why it is empty."""
    return {
        "data": [],
        "layout": {
            "title": panel_title(title),
            "margin": {"l": 0, "r": 0, "t": 22, "b": 0},
            "xaxis": {"visible": False},
            "yaxis": {"visible": False},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(128,128,128,0.10)",
            "dragmode": False,
            "annotations": [notice(message)],
        },
    }


def notice(text: str) -> dict[str, Any]:
    """Return the annotation that says in the middle of a figure why it is empty."""
    middle = {"xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5}
    return {"text": text, "showarrow": False, "font": {"size": 11}, **middle}


def typed_array(array: NDArray[Any]) -> dict[str, str]:
    """Encode an array for plotly.js, several times smaller and faster than a list.

    Parameters
    ----------
    array : ndarray
        float32, float64, uint8 or int32, of one to three dimensions. (float16 would reach the browser as
        a list.)

    Returns
    -------
    dict
        ``dtype``, ``bdata`` (base64) and, beyond one dimension, ``shape``.
    """
    ordered = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    encoded = {
        "dtype": _NAMES[ordered.dtype.name],
        "bdata": base64.b64encode(ordered.tobytes()).decode("ascii"),
    }
    if ordered.ndim > 1:
        encoded["shape"] = ", ".join(str(size) for size in ordered.shape)
    return encoded


def png_source(colours: NDArray[np.uint8]) -> str:
    """Return a picture as a ``data:`` address of a PNG file, which keeps every byte.

    Parameters
    ----------
    colours : ndarray of uint8, shape (H, W, 3) or (H, W, 4)
        Red, green, blue, and perhaps opacity.
    """
    stream = io.BytesIO()
    Image.fromarray(colours).save(stream, "PNG")
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"


def colour_scale(scale: Scale, gamma: float, limits: Limits) -> dict[str, Any]:
    """Return the trace properties that colour gradients: ``colorscale``, ``zmin``, ``zmax``."""
    low, high = scale_range(scale, limits.end(scale))
    return {"colorscale": bent_colours(scale, gamma), "zmin": low, "zmax": high}


def bent_colours(scale: Scale, gamma: float) -> list[list[Any]]:
    """Return the Plotly colour scale that shows gradients with gamma, so that `z` keeps true values.

    Parameters
    ----------
    scale : Scale
        Signed is diverging around the middle; the others are sequential from 0.
    gamma : float
        0.1 to 2; below 1 small gradients become brighter.

    Returns
    -------
    list of [float, str]
        Positions from 0 to 1 that never decrease, with ``rgb(…)`` colours.
    """
    shown = np.arange(STOPS + 1) / STOPS
    places = bent_positions(shown, scale, gamma)
    return [
        [float(place), f"rgb({red},{green},{blue})"]
        for place, (red, green, blue) in zip(places, interpolate(scale.palette, shown).tolist(), strict=True)
    ]
