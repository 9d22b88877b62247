"""Figures: arrays arrive in the browser unchanged, the right way up and with a range that shows them."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from app.figures.images import (
    FUSED_INTENSITY,
    GRADIENT,
    INTENSITY,
    cut_out,
    gradient_figure,
    gradient_zoom,
    gray_figure,
    gray_zoom,
    mark_outside,
    opaque_bytes,
    rgb_figure,
    rgb_zoom,
)
from app.figures.parts import bent_colours, colour_scale, empty_figure, typed_array
from app.figures.scatter import DARK, GREEN, known_points, scatter_figure
from fusion.colours import Limits, Scale
from fusion.saliency.window import Box
from tests.unit.page_parts import accepted

COLOURS = colour_scale(Scale.PAPER, 0.3, Limits(1.0, 1.0, 1.0))
META = {"key": "scene", "pair": "content", "panel": "panel-mri"}


def decoded(encoded: dict[str, str]) -> NDArray[Any]:
    """Read an array as plotly.js does: little-endian, row by row."""
    flat = np.frombuffer(base64.b64decode(encoded["bdata"]), dtype=f"<{encoded['dtype']}")
    shape = encoded.get("shape")
    return flat if shape is None else flat.reshape([int(size) for size in shape.split(",")])


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int32"])
@pytest.mark.parametrize("shape", [(7,), (3, 5), (2, 3, 4), (0,), (1, 1)])
def test_typed_arrays_come_back(dtype: str, shape: tuple[int, ...]) -> None:
    array = (np.arange(np.prod(shape)) * 7 % 251).astype(dtype).reshape(shape)
    back = decoded(typed_array(array))
    assert back.dtype == np.dtype(dtype) and back.shape == shape
    np.testing.assert_array_equal(back, array)


def test_typed_arrays_keep_nan_and_order() -> None:
    array = np.array([[1.5, np.nan], [-np.inf, 1e-40]], dtype=np.float32)
    np.testing.assert_array_equal(decoded(typed_array(array.T)), array.T)
    np.testing.assert_array_equal(decoded(typed_array(array[::-1, ::-1])), array[::-1, ::-1])
    np.testing.assert_array_equal(decoded(typed_array(array.astype(">f4"))), array)


@pytest.mark.parametrize("dtype", ["float16", "int64", "bool", "complex64"])
def test_what_plotly_does_not_read_as_a_typed_array_is_refused(dtype: str) -> None:
    with pytest.raises(KeyError, match=dtype):
        typed_array(np.zeros(3, dtype=dtype))


@given(st.data())
def test_cut_out_is_the_neighbourhood(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    row, col = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    half = data.draw(st.integers(0, 12))
    image = np.arange(1, height * width + 1, dtype=np.float32).reshape(height, width)
    part = cut_out(image, (row, col), half)
    assert part.shape == (2 * half + 1, 2 * half + 1) and part.dtype == np.float32
    assert part[half, half] == image[row, col]
    for (i, j), value in np.ndenumerate(part):
        y, x = row + i - half, col + j - half
        if 0 <= y < height and 0 <= x < width:
            assert value == image[y, x]
        else:
            assert np.isnan(value)


def test_cut_out_of_colours_is_transparent_outside() -> None:
    image = np.full((3, 4, 4), 200, dtype=np.uint8)
    part = cut_out(image, (2, 3), 2)
    assert part.shape == (5, 5, 4)
    assert (part[:3, :3] == 200).all()
    assert not part[3:].any() and not part[:, 3:].any()


def test_cut_out_leaves_the_image_alone() -> None:
    image = np.ones((3, 3), dtype=np.float32)
    image.setflags(write=False)
    cut_out(image, (0, 0), 1)[:] = 5
    assert (image == 1).all()


@pytest.mark.parametrize(
    ("values", "range_"),
    [([0.2, 0.8], (0, 1)), ([-0.3, 0.5], (-0.3, 1)), ([0.0, 1.25], (0, 1.25)), ([np.nan, np.nan], (0, 1)),
     ([np.inf, -0.5], (-0.5, 1))],
)  # fmt: skip
def test_gray_is_black_to_white_from_0_to_1_or_further(
    values: list[float], range_: tuple[float, float]
) -> None:
    image = np.array([values], dtype=np.float32)
    trace = gray_figure(image, "MRI", META)["data"][0]
    assert (trace["zmin"], trace["zmax"]) == pytest.approx(range_)
    assert trace["colorscale"][0][1] == "rgb(0,0,0)" and trace["colorscale"][-1][1] == "rgb(255,255,255)"


def test_a_whole_image_stands_upright_on_pixel_axes() -> None:
    image = np.arange(6, dtype=np.float64).reshape(2, 3) / 6
    figure = accepted(gray_figure(image, "MRI T2", META))
    layout, trace = figure["layout"], figure["data"][0]
    assert layout["xaxis"]["range"] == [-0.5, 2.5]
    assert layout["yaxis"]["range"] == [1.5, -0.5], "row 0 is on top"
    assert layout["yaxis"]["scaleanchor"] == "x", "pixels are square"
    assert "px" in layout["xaxis"]["title"]["text"] and "px" in layout["yaxis"]["title"]["text"]
    assert layout["title"]["text"] == "MRI T2"
    assert layout["meta"] == META
    assert trace["colorbar"]["title"]["text"] == INTENSITY and not trace["showscale"]
    assert not layout["xaxis"]["visible"] and not layout["yaxis"]["visible"], "the picture has all the place"
    assert decoded(trace["z"]).dtype == np.float32
    np.testing.assert_array_equal(decoded(trace["z"]), image.astype(np.float32))


def test_pixels_have_the_shape_that_they_have_in_the_patient() -> None:
    image = np.zeros((5, 5))
    for figure in (
        gray_figure(image, "MRI", META | {"aspect": 2.5}),
        gray_zoom(image, "Zoom", META | {"aspect": 2.5}, like=image),
    ):
        assert accepted(figure)["layout"]["yaxis"]["scaleratio"] == 2.5
    assert "scaleratio" not in gray_figure(image, "MRI", META)["layout"]["yaxis"]


def test_gradients_keep_true_values_under_any_gamma() -> None:
    image = np.array([[-2.0, 0.5], [np.nan, 4.0]], dtype=np.float32)
    limits = Limits(maximum=4.0, magnitude=5.0, percentile=3.0)
    for scale, range_ in ((Scale.PAPER, (0, 4)), (Scale.SIGNED, (-5, 5)), (Scale.ROBUST, (0, 3))):
        colours = colour_scale(scale, 0.3, limits)
        trace = accepted(gradient_figure(image, "Guidance", colours, META, "PET"))["data"][0]
        assert (trace["zmin"], trace["zmax"]) == range_
        assert trace["colorscale"] == bent_colours(scale, 0.3)
        assert trace["colorbar"]["title"]["text"] == GRADIENT.format("PET") == "∂y/∂PET (dimensionless)"
        np.testing.assert_array_equal(decoded(trace["z"]), image)


def test_rgb_becomes_one_png() -> None:
    rgb = np.array([[[0.0, 0.5, 1.0], [-1.0, 2.0, 0.998]]])
    figure = accepted(rgb_figure(rgb, "Guidance RGB", META))
    trace = figure["data"][0]
    assert trace["type"] == "image" and trace["colormodel"] == "rgba256"
    assert opaque_bytes(rgb).tolist() == [[[0, 128, 255, 255], [0, 255, 254, 255]]]
    picture = Image.open(io.BytesIO(base64.b64decode(trace["source"].removeprefix("data:image/png;base64,"))))
    assert np.asarray(picture).tolist() == [[[0, 128, 255], [0, 255, 254]]] and "z" not in trace
    assert figure["layout"]["yaxis"]["range"] == [0.5, -0.5] and figure["layout"]["xaxis"]["range"] == [
        -0.5,
        1.5,
    ]


def test_zooms_are_centred_on_the_principal_pixel_with_a_red_square() -> None:
    image = np.linspace(0, 1.5, 35, dtype=np.float32).reshape(5, 7)
    part = cut_out(image, (0, 6), 3)
    colours = colour_scale(Scale.SIGNED, 1.0, Limits.of(image))
    bytes_ = cut_out(opaque_bytes(np.repeat(image[..., None], 3, axis=-1)), (0, 6), 3)
    for figure in (
        gray_zoom(part, "Zoom", META, like=image, unit=FUSED_INTENSITY),
        gradient_zoom(part, "Zoom", colours, META, "MRI"),
        rgb_zoom(bytes_, "Zoom", META),
    ):
        sent = accepted(figure)
        layout, trace = sent["layout"], sent["data"][0]
        assert layout["xaxis"]["range"] == [-3.5, 3.5] and layout["yaxis"]["range"] == [3.5, -3.5]
        assert (trace["x0"], trace["dx"], trace["y0"], trace["dy"]) == (-3, 1, -3, 1)
        z = trace["z"] if isinstance(trace["z"], list) else decoded(trace["z"])
        assert np.shape(z)[:2] == (7, 7)
        edge, square = layout["shapes"]
        for one in (edge, square):
            assert [one[side] for side in ("x0", "x1", "y0", "y1")] == [-0.5, 0.5, -0.5, 0.5]
        assert (edge["line"]["color"], square["line"]["color"]) == ("#ffffff", "#ff2a2a")
        assert edge["line"]["width"] > square["line"]["width"], "white shows at both sides of the red"


def covered(figure: dict[str, Any], rows: range, columns: range) -> NDArray[np.bool_]:
    """Return which middles of pixels lie in an odd number of the rings of a gray shape."""
    grays = [
        shape for shape in figure["layout"].get("shapes", []) if shape.get("fillcolor") == "rgb(178,182,189)"
    ]
    assert all((shape["type"], shape["fillrule"]) == ("path", "evenodd") for shape in grays)
    rings = [
        np.array([[float(end) for end in point.split(",")] for point in re.findall(r"[ML](\S+)", ring)])
        for shape in grays
        for ring in shape["path"].split("Z")[:-1]
    ]
    inside = np.zeros((len(rows), len(columns)), dtype=bool)
    for ring in rings:
        (left, top), (right, bottom) = ring.min(axis=0), ring.max(axis=0)
        assert {tuple(corner) for corner in ring} == {(x, y) for x in (left, right) for y in (top, bottom)}
        inside ^= [[left < x < right and top < y < bottom for x in columns] for y in rows]
    return inside


@pytest.mark.parametrize("window", [Box(2, 1, 5, 4), Box(0, 3, 2, 7), Box(0, 0, 6, 7)])
def test_what_a_method_does_not_reach_is_covered_and_nothing_else(window: Box) -> None:
    image = np.zeros((6, 7))
    inside = np.zeros(image.shape, dtype=bool)
    inside[window.slices] = True
    whole = mark_outside(gradient_figure(image, "J", COLOURS, {}, "MRI"), image.shape, window)
    np.testing.assert_array_equal(covered(whole, range(6), range(7)), ~inside)
    for pixel, half in (((3, 2), 2), ((0, 6), 1), ((1, 4), 4)):
        part = cut_out(image, pixel, half)
        before = gradient_zoom(part, "Zoom", COLOURS, {}, "MRI")["layout"]["shapes"]
        zoom = mark_outside(gradient_zoom(part, "Zoom", COLOURS, {}, "MRI"), image.shape, window, pixel, half)
        expected = cut_out(np.where(inside, 0.0, 1.0), pixel, half) == 1
        np.testing.assert_array_equal(covered(zoom, *[range(-half, half + 1)] * 2), expected)
        assert zoom["layout"]["shapes"][-len(before) :] == before, "the square lies above"
    assert accepted(whole)


def test_a_gray_zoom_has_the_grays_of_the_whole_image() -> None:
    image = np.array([[-1.0, 0.0, 0.0, 0.0, 3.0]], dtype=np.float32)
    whole = gray_figure(image, "y", META)["data"][0]
    zoom = gray_zoom(cut_out(image, (0, 2), 1), "Zoom", META, like=image)["data"][0]
    assert (zoom["zmin"], zoom["zmax"]) == (whole["zmin"], whole["zmax"]) == (-1, 3)


def test_the_scatterplot_has_every_known_pixel_and_shows_all_of_them() -> None:
    first = np.array([[0.1, -0.7, np.nan], [2.0, 0.3, np.inf]], dtype=np.float32)
    second = np.array([[0.5, 0.9, 0.2], [-1.0, np.nan, 0.4]], dtype=np.float32)
    figure = accepted(scatter_figure(np.stack([first, second]), ("MRI", "PET"), "Scatter", META))
    dark, green = figure["data"]
    assert decoded(dark["x"]).tolist() == pytest.approx([0.1, -0.7, 2.0])
    assert decoded(dark["y"]).tolist() == pytest.approx([0.5, 0.9, -1.0])
    assert dark["type"] == green["type"] == "scattergl"
    assert (dark["marker"]["color"], green["marker"]["color"]) == (DARK, GREEN)
    assert decoded(green["x"]).size == decoded(green["y"]).size == 0
    for axis, low, high, name in (("xaxis", -0.7, 2.0, "MRI"), ("yaxis", -1.0, 0.9, "PET")):
        start, end = figure["layout"][axis]["range"]
        assert start < low and end > high and end - start < 1.2 * (high - low)
        assert name in figure["layout"][axis]["title"]["text"]


@pytest.mark.parametrize("value", [np.nan, 0.0, -2.5, 1.0])
def test_a_scatterplot_of_nothing_or_of_one_value_has_a_range(value: float) -> None:
    figure = accepted(
        scatter_figure(np.full((2, 4, 4), value, dtype=np.float32), ("a", "b"), "Scatter", META)
    )
    for axis in ("xaxis", "yaxis"):
        start, end = figure["layout"][axis]["range"]
        assert start < end
        assert np.isnan(value) or start < value < end


def test_known_points_are_float32_pairs() -> None:
    x, y = known_points(np.array([[1.0, 2.0, np.nan], [3.0, np.inf, 5.0]]))
    assert x.dtype == y.dtype == np.float32
    assert (x.tolist(), y.tolist()) == ([1], [3])


def test_empty_figures_say_why() -> None:
    figure = accepted(empty_figure("Guidance MRI", "Computing…"))
    assert figure["data"] == []
    assert figure["layout"]["title"]["text"] == "Guidance MRI"
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["Computing…"]
    assert "meta" not in figure["layout"], "no scene may take it for its own"
