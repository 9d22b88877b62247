"""Figures of images: gray inputs, gradients, guidance RGB, and the zooms beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.figures.parts import GRAY, Figure, notice, panel_title, png_source, typed_array
from fusion.colours import OUTSIDE_SUPPORT, Grays, gray_range, hatch, hatched, rgb_bytes
from fusion.saliency.window import Box, box_around

BOX_COLOUR, BOX_EDGE = "#ff2a2a", "#ffffff"
INTENSITY = "intensity (min–max scaled)"
FUSED_INTENSITY = "fused intensity y"
GRADIENT = "∂y/∂{} (dimensionless)"
"""Of one input, whose name goes into it."""
TITLE_HEIGHT = 22
"""Pixels above a picture; first-view.mjs leaves as many."""
TICKS = 8
"""Numbers along the longer side of an image, at most."""
COLOUR_IMAGE: dict[str, Any] = {
    "type": "image",
    "colormodel": "rgba256",
    "hovertemplate": "row %{y}, column %{x}<br>red, green, blue %{z[0]}, %{z[1]}, %{z[2]}<extra></extra>",
    "hoverlabel": {"bgcolor": "#23272e", "font": {"color": "#ffffff"}},
}
"""A trace of colours, without them."""


def gray_figure(
    image: NDArray[np.floating],
    title: str,
    meta: dict[str, Any],
    unit: str = INTENSITY,
    grays: Grays = Grays.OWN,
) -> Figure:
    """Show a gray image whole.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        Intensities, dimensionless; NaN stays empty.
    title : str
        The figure's title.
    meta : dict
        What the browser must know of this figure; ``aspect`` in it is the height of a pixel by its width, if not 1.
    unit : str
        What the colour bar says.
    grays : Grays
        Ends of the gray scale.
    """
    trace = _heatmap(image, unit) | {"colorscale": GRAY, **_gray_range(image, grays)}
    return _whole(trace, title, image.shape, meta)


def gradient_figure(
    image: NDArray[np.floating],
    title: str,
    colours: dict[str, Any],
    meta: dict[str, Any],
    of: str,
    air: NDArray[np.bool_] | None = None,
) -> Figure:
    """Show a gradient image whole.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        Gradients, dimensionless; NaN stays empty.
    title, meta
        As for `gray_figure`.
    colours : dict
        Of `app.figures.parts.colour_scale`.
    of : str
        Name of the input.
    air : ndarray of bool, shape (H, W), optional
        What is left out, and hatched: the image has NaN there.
    """
    figure = _whole(_heatmap(image, GRADIENT.format(of)) | colours, title, image.shape, meta)
    return figure if air is None else _over_hatching(figure, air_hatching(air), {})


def rgb_figure(
    rgb: NDArray[np.floating], title: str, meta: dict[str, Any], air: NDArray[np.bool_] | None = None
) -> Figure:
    """Show a colour image whole.

    Parameters
    ----------
    rgb : ndarray, shape (H, W, 3)
        Red, green, blue, 0 to 1.
    title, meta
        As for `gray_figure`.
    air : ndarray of bool, shape (H, W), optional
        What is left out, and hatched.
    """
    # One PNG, which the browser decodes by itself: pixels one by one would halt it for a while.
    source = png_source(hatched(rgb_bytes(rgb), air))
    return _whole(COLOUR_IMAGE | {"source": source}, title, rgb.shape[:2], meta)


def in_colour(figure: Figure, rgb: NDArray[np.floating], titles: tuple[str, str], colour: bool) -> Figure:
    """Put a picture in colour under the gray image of its luma, which stays for tooltips and numbers.

    Parameters
    ----------
    figure : dict
        Of `gray_figure`.
    rgb : ndarray, shape (3, H, W)
        Red, green, blue, 0 to 1.
    titles : tuple of str
        Of the luma, and of the picture in colour. The browser changes from one to the other.
    colour : bool
        Whether the colours are seen at first.

    Returns
    -------
    dict
        The same figure. Plotly draws heatmaps over pictures, so the gray image is transparent where colours are seen.
    """
    source = png_source(rgb_bytes(np.moveaxis(rgb, 0, -1)))
    figure["data"][0]["opacity"] = 0 if colour else 1
    figure["data"].append(COLOUR_IMAGE | {"source": source, "hoverinfo": "skip", "hovertemplate": None})
    figure["layout"]["title"] = panel_title(titles[colour])
    figure["layout"]["meta"]["titles"] = titles
    return figure


def tiled_image(shape: tuple[int, ...], title: str, meta: dict[str, Any]) -> Figure:
    """Make the axes of a whole (H, W) image of a large pair, which the browser draws by tiles for good."""
    nothing = {"type": "heatmap", "z": [[None]], "showscale": False}
    return _whole(nothing, title, shape, meta)


def growing_image(shape: tuple[int, int], title: str, meta: dict[str, Any]) -> Figure:
    """Make the axes of a whole (H, W) image that grows: the browser draws it until Plotly has all of it."""
    figure = tiled_image(shape, title, meta)
    figure["layout"]["annotations"] = [notice("Computing…")]
    return figure


def gray_zoom(
    part: NDArray[np.floating],
    title: str,
    meta: dict[str, Any],
    like: NDArray[np.floating],
    unit: str = INTENSITY,
    grays: Grays = Grays.OWN,
) -> Figure:
    """Show a neighbourhood of a gray image.

    Parameters
    ----------
    part : ndarray, shape (2·half + 1, 2·half + 1)
        Of `cut_out`.
    title, meta, unit, grays
        As for `gray_figure`.
    like : ndarray, shape (H, W)
        The whole image, whose grays it gets.
    """
    return _zoom(
        _heatmap(part, unit) | {"colorscale": GRAY, **_gray_range(like, grays)}, title, part.shape, meta
    )


def gradient_zoom(
    part: NDArray[np.floating],
    title: str,
    colours: dict[str, Any],
    meta: dict[str, Any],
    of: str,
    hatching: NDArray[np.uint8] | None = None,
) -> Figure:
    """Show a neighbourhood of a gradient image.

    Parameters
    ----------
    part : ndarray, shape (2·half + 1, 2·half + 1)
        Of `cut_out`.
    title, colours, meta, of
        As for `gradient_figure`.
    hatching : ndarray of uint8, shape (2·half + 1, 2·half + 1, 4), optional
        The same part of `air_hatching`.
    """
    figure = _zoom(_heatmap(part, GRADIENT.format(of)) | colours, title, part.shape, meta)
    if hatching is None:
        return figure
    half = part.shape[0] // 2
    return _over_hatching(figure, hatching, {"x0": -half, "y0": -half, "dx": 1, "dy": 1})


def rgb_zoom(part: NDArray[np.uint8], title: str, meta: dict[str, Any]) -> Figure:
    """Show a neighbourhood of a colour image.

    Parameters
    ----------
    part : ndarray of uint8, shape (2·half + 1, 2·half + 1, 4)
        Of `cut_out` from an image of `opaque_bytes`.
    title, meta
        As for `gray_figure`.
    """
    # As lists: Plotly's tooltips take a pixel in a typed array for the name of a colour, and complain in the console.
    return _zoom(COLOUR_IMAGE | {"z": part.tolist()}, title, part.shape, meta)


def mark_outside(
    figure: Figure,
    shape: tuple[int, int],
    inside: Box,
    pixel: tuple[int, int] = (0, 0),
    half: int | None = None,
) -> Figure:
    """Cover what lies outside the support in a Jacobian figure, whose numbers there stay exactly 0.

    Parameters
    ----------
    figure : dict
        Of `gradient_figure`, or of `gradient_zoom`.
    shape : tuple of int
        (H, W) of the whole image.
    inside : Box
        The window of the principal pixel.
    pixel : tuple of int
        Row and column at which the figure's axes have 0.
    half : int, optional
        Half-width of a zoom, pixels.

    Returns
    -------
    dict
        The same figure, with one shape under what it had: in pieces, the ground would shine through their seams.
    """
    outer = Box(0, 0, *shape) if half is None else box_around(pixel, half, shape)
    rows = [min(max(edge, outer.top), outer.bottom) for edge in (inside.top, inside.bottom)]
    columns = [min(max(edge, outer.left), outer.right) for edge in (inside.left, inside.right)]
    hole = Box(rows[0], columns[0], rows[1], columns[1])
    if hole == outer:
        return figure
    rings = [outer] if min(hole.shape) == 0 else [outer, hole]
    cover = {
        "type": "path",
        "path": " ".join(_ring(ring, pixel) for ring in rings),
        "fillrule": "evenodd",
        "fillcolor": "rgb({},{},{})".format(*OUTSIDE_SUPPORT),
        "line": {"width": 0},
    }
    figure["layout"]["shapes"] = [cover, *figure["layout"].get("shapes", [])]
    return figure


def _ring(box: Box, pixel: tuple[int, int]) -> str:
    """Write the edge of a box as a path of Plotly's, on axes that have 0 at a pixel."""
    row, col = pixel
    left, right = box.left - 0.5 - col, box.right - 0.5 - col
    top, bottom = box.top - 0.5 - row, box.bottom - 0.5 - row
    return f"M{left},{top} L{right},{top} L{right},{bottom} L{left},{bottom} Z"


def cut_out(image: NDArray[Any], pixel: tuple[int, int], half: int) -> NDArray[Any]:
    """Cut the neighbourhood of a pixel out of an image.

    Parameters
    ----------
    image : ndarray, shape (H, W) or (H, W, bands)
        Of any dtype.
    pixel : tuple of int
        (row, col), 0-based.
    half : int
        Half-width, pixels.

    Returns
    -------
    ndarray, shape (2·half + 1, 2·half + 1) or with bands
        A copy of the same dtype. What lies outside the image is NaN in a float image and 0 in an integer one.
    """
    row, column = pixel
    side = 2 * half + 1
    fill = np.nan if np.issubdtype(image.dtype, np.floating) else 0
    part = np.full((side, side, *image.shape[2:]), fill, dtype=image.dtype)
    top, left = max(row - half, 0), max(column - half, 0)
    inner = image[top : row + half + 1, left : column + half + 1]
    first_row, first_column = top - (row - half), left - (column - half)
    part[first_row : first_row + inner.shape[0], first_column : first_column + inner.shape[1]] = inner
    return part


def opaque_bytes(rgb: NDArray[np.floating], air: NDArray[np.bool_] | None = None) -> NDArray[np.uint8]:
    """Turn a colour image into bytes, fully opaque.

    Parameters
    ----------
    rgb : ndarray, shape (H, W, 3)
        Red, green, blue, 0 to 1; others are cut off.
    air : ndarray of bool, shape (H, W), optional
        What is left out, and hatched.

    Returns
    -------
    ndarray of uint8, shape (H, W, 4)
        Red, green, blue, 255.
    """
    colours = hatched(rgb_bytes(rgb), air)
    return np.concatenate([colours, np.full((*rgb.shape[:2], 1), 255, dtype=np.uint8)], axis=-1)


def air_hatching(air: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the hatching of what is left out, opaque there and transparent elsewhere.

    Parameters
    ----------
    air : ndarray of bool, shape (H, W)
        What is left out.

    Returns
    -------
    ndarray of uint8, shape (H, W, 4)
        Red, green, blue and opacity.
    """
    opacity = np.where(air, 255, 0).astype(np.uint8)
    return np.concatenate([hatch(air.shape), opacity[..., None]], axis=-1)


def _over_hatching(figure: Figure, hatching: NDArray[np.uint8], place: dict[str, int]) -> Figure:
    """Put hatching under the gradients of a figure, which have NaN where it shall be seen."""
    figure["data"].append(
        COLOUR_IMAGE | {"source": png_source(hatching), "hoverinfo": "skip", "hovertemplate": None} | place
    )
    return figure


def _gray_range(image: NDArray[np.floating], grays: Grays) -> dict[str, float]:
    low, high = gray_range(image, grays)
    return {"zmin": low, "zmax": high}


def _heatmap(image: NDArray[np.floating], unit: str) -> dict[str, Any]:
    return {
        "type": "heatmap",
        "z": typed_array(np.asarray(image, dtype=np.float32)),
        "hovertemplate": "row %{y}, column %{x}<br>%{z:.4g}<extra></extra>",
        # The page has one bar a scale, below the pictures; a picture that is saved alone has its own.
        "showscale": False,
        "colorbar": {
            "orientation": "h",
            "thickness": 6,
            "len": 1.0,
            "y": 0.0,
            "yref": "container",
            "yanchor": "bottom",
            "ypad": 2,
            "xpad": 0,
            "outlinewidth": 0,
            "nticks": 5,
            "tickfont": {"size": 9},
            "ticklen": 2,
            "title": {"text": unit, "side": "bottom", "font": {"size": 9}},
        },
    }


def _whole(trace: dict[str, Any], title: str, shape: tuple[int, ...], meta: dict[str, Any]) -> Figure:
    height, width = shape[:2]
    layout = _layout(title, meta, [-0.5, width - 0.5], [height - 0.5, -0.5], "column (px)", "row (px)")
    for axis, side in (("xaxis", width), ("yaxis", height)):
        # The short side of a long image has no room for as many numbers.
        layout[axis]["nticks"] = max(2, round(TICKS * side / max(height, width)))
    # The pointer chooses pixels here and the readout has their values: a tooltip would only cover the picture.
    return {"data": [trace | {"hoverinfo": "skip", "hovertemplate": None}], "layout": layout}


def _zoom(trace: dict[str, Any], title: str, shape: tuple[int, ...], meta: dict[str, Any]) -> Figure:
    half = shape[0] // 2
    told = trace["hovertemplate"].replace("row", "row offset").replace("column", "column offset")
    placed = trace | {"x0": -half, "y0": -half, "dx": 1, "dy": 1, "hovertemplate": told}
    horizontal, vertical = [-half - 0.5, half + 0.5], [half + 0.5, -half - 0.5]
    layout = _layout(title, meta, horizontal, vertical, "column offset (px)", "row offset (px)")
    square = {"type": "rect", "x0": -0.5, "x1": 0.5, "y0": -0.5, "y1": 0.5}
    # Red alone is lost on some colours of the scales.
    edges = ((BOX_EDGE, 4), (BOX_COLOUR, 2))
    layout["shapes"] = [square | {"line": {"color": colour, "width": width}} for colour, width in edges]
    return {"data": [placed], "layout": layout}


def _layout(
    title: str,
    meta: dict[str, Any],
    horizontal: list[float],
    vertical: list[float],
    horizontal_title: str,
    vertical_title: str,
) -> dict[str, Any]:
    # The readout has row and column: axes are there for zooming, and for a picture that is saved alone.
    axis = {
        "visible": False,
        "showgrid": False,
        "zeroline": False,
        "nticks": TICKS,
        "ticks": "outside",
        "ticklen": 2,
        "tickfont": {"size": 9},
        "constrain": "domain",
    }
    label = {"font": {"size": 9}, "standoff": 2}
    return {
        "title": panel_title(title),
        "margin": {"l": 0, "r": 0, "t": TITLE_HEIGHT, "b": 0, "pad": 0},
        "xaxis": axis | {"range": horizontal, "title": {"text": horizontal_title, **label}},
        "yaxis": axis
        | {"range": vertical, "title": {"text": vertical_title, **label}, "scaleanchor": "x"}
        # Below its title, and not in the middle of a higher panel.
        | {"constraintoward": "top"}
        | ({"scaleratio": meta["aspect"]} if "aspect" in meta else {}),
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(128,128,128,0.15)",
        "hovermode": "closest",
        "dragmode": False,
        "meta": meta,
        "uirevision": meta.get("pair", ""),
    }
