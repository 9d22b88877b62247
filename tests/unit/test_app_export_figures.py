"""What the figures for print show besides the methods: differences, regions, the inputs, one picture alone."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from PIL import Image

from app.export.content import (
    Column,
    Difference,
    FigureContent,
    difference_of,
    difference_picture,
    left_out,
    method_picture,
    zoomed,
)
from app.export.drawing import BLUE, NEAR, RED, outline, scatter_place
from app.export.figure import figure_file, panel_file
from app.export.figure_layout import FigureLayout, Line
from app.export.rows import inputs_row, method_row
from app.ids import CompareColumn, InputColumn, ZoomColumn
from app.link.texts import RegionLook, linked_regions
from app.link.view_state import CompareState
from cache.services.exports import ExportArrays, MethodArrays
from cache.services.scenes import Scene
from fusion.colours import Scale, gradient_colours
from fusion.saliency.maps import BANDS
from fusion.saliency.window import Box

SHAPE = (9, 11)
LINK = "http://server/compare?x"
GENERATOR = np.random.default_rng(5)
CORE = "my core~1b9e4b~b1.2.4.7"


def method_arrays(id: str, title: str) -> MethodArrays:
    """Return noise of a method."""
    scene = Scene(
        pair_id="fedcba9876543210", pair_address="pair", pair_title="Pair", modalities=("MRI", "PET"), simulated=True,
        about="", default_pixel=None, method_id=id, method_title=title, method_note="", weights_id="0123456789abcdef",
        height=SHAPE[0], width=SHAPE[1], support_radius=(1, 2), device="cpu",
    )  # fmt: skip
    return MethodArrays(
        scene=scene,
        fused=GENERATOR.random(SHAPE),
        guidance=GENERATOR.normal(size=(2, *SHAPE)),
        rgb=GENERATOR.random((*SHAPE, 3)),
        jacobians={name: GENERATOR.normal(size=(2, *SHAPE)) for name in "ab"},
        windows={"a": Box(2, 3, 7, 8), "b": Box(0, 8, 3, 11)},
        maps={kind: 8 * GENERATOR.random((bands, *SHAPE)) for kind, bands in BANDS.items()},
    )


@pytest.fixture
def view() -> ExportArrays:
    mask = np.zeros(SHAPE, dtype=bool)
    mask[1:4, 2:7] = True
    return ExportArrays(
        inputs=GENERATOR.random((2, *SHAPE)),
        methods=(method_arrays("one", "First"), method_arrays("two", "Second")),
        pixels={"a": (4, 5), "b": (0, 10)},
        regions={"my core": mask, "not in the link": ~mask},
    )


def state(**values: object) -> CompareState:
    return CompareState.model_validate({"methods": ("one", "two"), **values})


def texts(svg: bytes) -> str:
    root = ElementTree.fromstring(svg)
    return "\n".join("".join(part.itertext()) for part in root.iter("{http://www.w3.org/2000/svg}text"))


def difference(view: ExportArrays, **values: object) -> Difference:
    found = difference_of(view, state(difference=("two", "one"), **values))
    assert found is not None
    return found


def test_a_difference_is_subtracted_number_by_number(view: ExportArrays) -> None:
    found = difference(view)
    first, second = view.methods
    np.testing.assert_array_equal(found.fused, second.fused - first.fused)
    np.testing.assert_array_equal(found.guidance, second.guidance - first.guidance)
    np.testing.assert_array_equal(found.jacobians["b"], second.jacobians["b"] - first.jacobians["b"])
    assert found.title == "Second − First"
    assert found.gradient_end == np.abs(found.guidance).max() and found.fused_end == np.abs(found.fused).max()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ((), ""),
        (("one", "two"), ""),
        (("one", "gone"), "Without the difference First − gone: gone has no row."),
        (("lost", "gone"), "Without the difference lost − gone: lost and gone have no row."),
    ],
)
def test_a_difference_needs_two_methods_with_rows_and_is_missed_in_words(
    view: ExportArrays, asked: tuple[str, ...], words: str
) -> None:
    shown = state(difference=asked, columns=("fused",))
    assert (difference_of(view, shown) is None) is (asked != ("one", "two"))
    assert left_out(view, shown) == words
    assert words in texts(figure_file(view, shown, "svg", LINK)).replace("\n", " ")


def reached(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a whole Jacobian picture of pixel B, gray outside of its window."""
    outside = np.ones(SHAPE, dtype=bool)
    outside[:3, 8:] = False
    picture[outside] = (178, 182, 189)
    return picture


def test_a_difference_is_coloured_on_a_signed_scale_with_the_pages_gammas(view: ExportArrays) -> None:
    shown, display = difference(view), state(gamma1=0.4, gamma2=0.7, zoom=2, scale="robust")
    signed, end = Scale.SIGNED, shown.gradient_end
    expected = {
        CompareColumn.FUSED: gradient_colours(shown.fused, signed, shown.fused_end, 1.0),
        CompareColumn.GUIDANCE_PET: gradient_colours(shown.guidance[1], signed, end, 0.7),
        CompareColumn.JACOBIAN_MRI: reached(gradient_colours(shown.jacobians["b"][0], signed, end, 0.4)),
        CompareColumn.JACOBIAN_PET_ZOOM: zoomed(
            reached(gradient_colours(shown.jacobians["b"][1], signed, end, 0.4)), view.pixels["b"], 2
        ),
    }
    for column, picture in expected.items():
        np.testing.assert_array_equal(difference_picture(view, display, shown, column, "b"), picture)


def test_a_table_has_the_row_of_the_difference_and_says_where_it_ends(view: ExportArrays) -> None:
    columns = {"columns": ("fused", "jacobian_mri", "scatter")}
    plain = texts(figure_file(view, state(**columns), "svg", LINK))
    whole = texts(figure_file(view, state(difference=("one", "two"), **columns), "svg", LINK))
    assert "difference" not in plain.lower() and "− Second" in whole and "no difference" in whole
    assert f"gradients at ±{difference(view).gradient_end:.3g}" in whole
    assert all("out of the method's reach" in text.replace("\n", " ") for text in (plain, whole))
    assert "First − Second, signed" in whole and "difference: fused y" in whole


def test_an_outline_is_the_edge_of_its_pixels() -> None:
    mask = np.zeros((4, 5), dtype=bool)
    mask[1:3, 2:5] = True
    lines = {tuple(map(tuple, line)) for line in outline(mask)}
    assert lines == {
        ((1.5, 0.5), (4.5, 0.5)), ((1.5, 2.5), (4.5, 2.5)), ((1.5, 0.5), (1.5, 2.5)), ((4.5, 0.5), (4.5, 2.5)),
    }  # fmt: skip
    assert outline(np.zeros((4, 5), dtype=bool)).shape == (0, 2, 2)


def test_outlines_lie_over_whole_pictures_and_zooms(view: ExportArrays) -> None:
    content = FigureContent.of(view, state(regions=(CORE,), zoom=2))
    row = inputs_row(content)
    corners = {}
    for panel in row.panels[::2]:
        axes = Figure().add_subplot()
        row.draw(axes, panel)
        (collection,) = axes.collections
        points = np.concatenate([np.asarray(path.vertices) for path in collection.get_paths()])
        corners[panel[0]] = points.min(axis=0).tolist()
    # The zoom of A begins at row 2, column 3.
    assert corners == {
        InputColumn.MRI: [1.5, 0.5],
        InputColumn.MRI_ZOOM: [-1.5, -1.5],
        InputColumn.PET_ZOOM: [-1.5, -1.5],
    }


def test_regions_are_named_in_their_colours(view: ExportArrays) -> None:
    svg = figure_file(view, state(regions=(CORE,), columns=("fused", "scatter")), "svg", LINK)
    assert "my core (15 pixels)" in texts(svg) and b"#1b9e4b" in svg
    assert "not in the link" not in texts(svg)


def test_hidden_regions_are_in_no_figure(view: ExportArrays) -> None:
    svg = figure_file(view, state(columns=("fused",), regions=(f"{CORE}~h",)), "svg", LINK)
    assert "my core" not in texts(svg) and b"#1b9e4b" not in svg


@pytest.mark.parametrize(
    ("keys", "look"),
    [
        ("", RegionLook()),
        ("~h", RegionLook(hidden=True)),
        ("~o", RegionLook(filled=False)),
        ("~f~p40", RegionLook(outline=False, opacity=40)),
        ("~o~f", RegionLook()),
        ("~h~f~p5", RegionLook(True, False, True, 5)),
        ("~p999", RegionLook()),
        ("~p~z12~q", RegionLook()),
    ],
)
def test_a_link_says_how_a_region_is_drawn(keys: str, look: RegionLook) -> None:
    (region,) = linked_regions([CORE + keys])
    assert (region.name, region.code, region.look) == ("my core", "b1.2.4.7", look)


@pytest.mark.parametrize("keys", ["~", "~H", "~p1000", "~hh", "~h~", "~p-1", "~h" * 9])
def test_what_is_no_look_is_no_region(keys: str) -> None:
    assert linked_regions([CORE + keys]) == []


def test_regions_of_one_name_are_told_apart() -> None:
    names = [region.name for region in linked_regions([CORE, CORE, "other~000000~b", CORE, "no region"])]
    assert names == ["my core", "my core 2", "other", "my core 3"]


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        ("inputs", InputColumn.PET_ZOOM, "Input, zoom"),
        ("difference", CompareColumn.GUIDANCE_MRI, "difference: guidance"),
        ("two", CompareColumn.GUIDANCE_RGB, "Guidance RGB"),
        ("two", CompareColumn.SCATTER, "log density"),
        ("two", ZoomColumn.GUIDANCE_PET, "Guidance x2 (PET), zoom"),
        ("difference", ZoomColumn.FUSED, "Fused y, zoom"),
    ],
)
def test_a_panel_alone_says_what_it_is(view: ExportArrays, row: str, column: Column, words: str) -> None:
    drawn = panel_file(view, state(difference=("one", "two")), row, column, "svg", LINK)
    whole = texts(drawn).replace("\n", " ")
    assert words in whole and "Pair, simulated" in whole and "A 4, 5; B 0, 10" in whole


def test_one_method_alone_goes_on_in_a_second_line(view: ExportArrays) -> None:
    view = replace(view, methods=view.methods[:1])
    columns = tuple(column.value for column in CompareColumn)
    image = Image.open(io.BytesIO(figure_file(view, state(columns=columns), "png", LINK)))
    assert image.width < 11 * 300, "it fits on a page"


@pytest.mark.parametrize("half", [2, 4])
def test_a_zoom_has_a_square_around_its_pixel_in_the_colour_of_the_pixel(
    view: ExportArrays, half: int
) -> None:
    row = inputs_row(FigureContent.of(view, state(zoom=half)))
    for panel, colour in zip(row.panels[-2:], ("#e5383b", "#2f7ed8"), strict=True):
        axes = Figure(figsize=(2, 2)).add_axes((0, 0, 1, 1))
        row.draw(axes, panel)
        (square,) = axes.patches
        assert isinstance(square, Rectangle) and to_hex(square.get_edgecolor()) == colour
        # The line's inner edge is the pixel's own.
        line = square.get_linewidth() / 72 / 2 * (2 * half + 1)
        assert square.get_width() - line == pytest.approx(1)
        assert square.get_x() + square.get_width() / 2 == half == square.get_y() + square.get_height() / 2


def with_spacing(view: ExportArrays, spacing: tuple[float, float]) -> ExportArrays:
    methods = [replace(one, scene=replace(one.scene, spacing=spacing)) for one in view.methods]
    return replace(view, methods=tuple(methods))


def test_pixels_are_printed_as_high_as_they_are_by_their_width(view: ExportArrays) -> None:
    content = FigureContent.of(with_spacing(view, (3, 2)), state(zoom=2))
    row = inputs_row(content)
    for panel in (row.panels[0], row.panels[-1]):
        axes = Figure(figsize=(2, 2)).add_axes((0, 0, 1, 1))
        row.draw(axes, panel)
        assert axes.get_aspect() == 1.5
    (square,) = axes.patches
    assert isinstance(square, Rectangle)
    # Five rows of 2/7.5 inches are as high as the place.
    tall = square.get_linewidth() / 72 * 7.5 / 2
    assert square.get_width() - tall == pytest.approx(1)
    assert square.get_height() - tall / 1.5 == pytest.approx(1)
    whole, zoom = (
        FigureLayout(content, (Line(row, "", (panel,), True),), 1.4)
        for panel in (row.panels[0], row.panels[-1])
    )
    assert whole.tall(whole.lines[0]) == pytest.approx(1.4 * 1.5 * SHAPE[0] / SHAPE[1])
    assert zoom.tall(zoom.lines[0]) == pytest.approx(1.4 * 1.5)


def test_boxes_have_white_edges_by_which_they_are_no_regions(view: ExportArrays) -> None:
    row = method_row(FigureContent.of(view, state(zoom=2)), 0)
    axes = Figure().add_subplot()
    row.draw(axes, (CompareColumn.FUSED, "a"))
    assert [to_hex(box.get_edgecolor()) for box in axes.patches] == ["#e5383b", "#2f7ed8"]
    assert all(box.get_path_effects() for box in axes.patches)


def lab(colour: str) -> NDArray[np.floating]:
    """Return a colour in CIELAB, where equal distances look about equal."""
    light = np.array(to_rgb(colour))
    light = np.where(light <= 0.04045, light / 12.92, ((light + 0.055) / 1.055) ** 2.4)
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(matrix @ light / (0.9505, 1, 1.089))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_new_regions_have_colours_that_are_told_from_those_of_boxes_and_points() -> None:
    script = (Path(__file__).parents[2] / "assets" / "regions" / "set.mjs").read_text(encoding="utf-8")
    colours = re.findall(r"#[0-9a-f]{6}", script.split("const COLOURS")[1].split(";")[0])
    for own in (RED, BLUE, *NEAR.values(), "#ff2a2a", "#2f8bff", "#00c853"):
        assert min(np.linalg.norm(lab(own) - lab(colour)) for colour in colours) > 35, own


def test_points_around_the_pixels_lie_over_the_regions_and_have_their_colours_inside(
    view: ExportArrays,
) -> None:
    other = "other~7b4fd6~b3.4.4.6"
    small = np.zeros(SHAPE, dtype=bool)
    small[3, 4:6] = True
    view = replace(view, regions={**view.regions, "other": small})
    mask = view.regions["my core"]
    content = FigureContent.of(view, state(regions=(CORE, other), zoom=1))
    axes = Figure().add_subplot()
    method_row(content, 0).draw(axes, (CompareColumn.SCATTER, "a"))
    drawn = [
        (line.get_color(), np.asarray(line.get_xdata()).size, line.get_markersize()) for line in axes.lines
    ]
    around = np.zeros(SHAPE, dtype=bool)
    around[3:6, 4:7] = True  # of A; B is at the corner
    inside = int((around & mask).sum())
    assert drawn == [
        ("#1b9e4b", 15, 0.9), ("#7b4fd6", 2, 0.9),
        ("#2f7ed8", 4, 1.3), ("#1b9e4b", 9 - inside, 1.3), ("#1b9e4b", inside, 2.3),
        ("#1b9e4b", inside, 1.3), ("#7b4fd6", 2, 1.3),
    ]  # fmt: skip


@pytest.mark.parametrize("low", [-0.03, -1.0, -2e-6, 0.2])
def test_a_scatterplots_axes_are_named_outside_of_its_frame(view: ExportArrays, low: float) -> None:
    small = [low + abs(low) * 3 * GENERATOR.random((2, *SHAPE)) for _ in view.methods]
    methods = (replace(one, guidance=values) for one, values in zip(view.methods, small, strict=True))
    view = replace(view, methods=tuple(methods))
    content = FigureContent.of(view, state(zoom=1))
    figure = Figure(figsize=(2, 2))
    FigureCanvasAgg(figure)
    left, top, width, height = (side / 2 for side in scatter_place(content.ends, (0.2, 0.2, 1.2, 1.2)))
    axes = figure.add_axes((left, 1 - top - height, width, height))
    method_row(content, 0).draw(axes, (CompareColumn.SCATTER, "a"))
    assert axes.get_xlabel() == "∂y/∂MRI\n(dimensionless)" and axes.get_ylabel() == "∂y/∂PET\n(dimensionless)"
    figure.canvas.draw()
    frame, whole = axes.get_window_extent(), axes.get_tightbbox()
    assert whole is not None
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        extent = label.get_window_extent()
        assert extent.y1 <= frame.y0 or extent.x1 <= frame.x0
        assert "-" not in label.get_text()
    dots = figure.dpi
    assert whole.x0 >= 0.2 * dots - 1 and whole.y0 >= 0.6 * dots - 1, "all of it is in the picture's place"


def test_guidance_rgb_on_one_range_is_printed_as_such(view: ExportArrays) -> None:
    (one, _) = view.methods
    guidance = np.zeros((2, *SHAPE))
    guidance[0, 0, :3] = (-1, 0.5, 1)
    guidance[1, 0, :2] = (4, 0.5)
    alone = replace(view, methods=(replace(one, guidance=guidance),))
    wanted = state(methods=("one",), columns=("guidance_rgb",), rgb="common")
    ends = FigureContent.of(alone, wanted).ends
    found = method_picture(alone, wanted, ends, 0, CompareColumn.GUIDANCE_RGB, "a")
    # From −1 to 4, 51 a unit, halves go up.
    assert found[0, :3, :2].tolist() == [[0, 255], [77, 77], [102, 51]]
    shown = texts(figure_file(alone, wanted, "svg", LINK)).replace("\n", " ")
    assert "red guidance x1 −1 to 4, green guidance x2 −1 to 4" in shown and "one common range" in shown


def test_the_legend_has_the_ranges_of_guidance_rgb(view: ExportArrays) -> None:
    wanted = state(columns=("guidance_rgb",))
    both = texts(figure_file(view, wanted, "svg", LINK)).replace("\n", " ")
    assert "red guidance x1, green guidance x2, blue fused, each on its own range" in both
    (one, _) = view.methods
    shown = texts(figure_file(replace(view, methods=(one,)), wanted, "svg", LINK)).replace("\n", " ")
    for name, image in (("red guidance x1", one.guidance[0]), ("green guidance x2", one.guidance[1])):
        found = re.search(f"{name} ([−.0-9]+) to ([.0-9]+)", shown)
        assert found is not None, shown
        ends = [float(end.replace("−", "-")) for end in found.groups()]
        np.testing.assert_allclose(ends, (image.min(), image.max()), rtol=0.02)
