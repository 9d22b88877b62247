"""What the figures for print show besides the methods: differences, regions, the inputs, one picture alone."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from app.compare_state import CompareState
from app.figures.scales import Scale
from app.ids import CompareColumn, InputColumn, ZoomColumn
from app.linked_region import linked_regions
from app.takeaway.cells import gradient_colours, zoomed
from app.takeaway.difference import Difference, difference_of, difference_picture
from app.takeaway.print_figure import print_figure, print_panel
from app.takeaway.print_regions import outline
from app.takeaway.print_rows import inputs_row
from app.takeaway.print_sheet import Column, Sheet

SHAPE = (9, 11)
LINK = "http://server/compare?x"
GENERATOR = np.random.default_rng(5)
CORE = "my core~1b9e4b~b1.2.4.7"


@dataclass(frozen=True)
class Scene:
    method_id: str
    method_title: str
    method_note: str = ""
    weights_id: str = "0123456789abcdef"
    pair_id: str = "fedcba9876543210"
    pair_title: str = "Pair"
    simulated: bool = True
    modalities: tuple[str, str] = ("MRI", "PET")
    support_radius: tuple[int, int] | None = (1, 2)


class Arrays:
    def __init__(self, id: str, title: str) -> None:
        self.scene = Scene(id, title)
        self.fused = GENERATOR.random(SHAPE)
        self.guidance = GENERATOR.normal(size=(2, *SHAPE))
        self.rgb = GENERATOR.random((*SHAPE, 3))
        self.jacobians = {name: GENERATOR.normal(size=(2, *SHAPE)) for name in "ab"}


class View:
    def __init__(self) -> None:
        self.inputs = GENERATOR.random((2, *SHAPE))
        self.methods = [Arrays("one", "First"), Arrays("two", "Second")]
        self.pixels = {"a": (4, 5), "b": (0, 10)}
        mask = np.zeros(SHAPE, dtype=bool)
        mask[1:4, 2:7] = True
        self.regions = {"my core": mask, "not in the link": ~mask}


@pytest.fixture
def view() -> View:
    return View()


def state(**values: object) -> CompareState:
    return CompareState.model_validate({"methods": ("one", "two"), **values})


def texts(svg: bytes) -> str:
    root = ElementTree.fromstring(svg)
    return "\n".join("".join(part.itertext()) for part in root.iter("{http://www.w3.org/2000/svg}text"))


def difference(view: View, **values: object) -> Difference:
    found = difference_of(view, state(difference=("two", "one"), **values))
    assert found is not None
    return found


def test_a_difference_is_subtracted_number_by_number(view: View) -> None:
    found = difference(view)
    first, second = view.methods
    np.testing.assert_array_equal(found.fused, second.fused - first.fused)
    np.testing.assert_array_equal(found.guidance, second.guidance - first.guidance)
    np.testing.assert_array_equal(found.jacobians["b"], second.jacobians["b"] - first.jacobians["b"])
    assert found.title == "Second − First"
    assert found.gradient_end == np.abs(found.guidance).max() and found.fused_end == np.abs(found.fused).max()


@pytest.mark.parametrize("asked", [(), ("one", "gone")])
def test_a_difference_needs_two_methods_with_rows(view: View, asked: tuple[str, ...]) -> None:
    assert difference_of(view, state(difference=asked)) is None


def test_a_difference_is_coloured_on_a_signed_scale_with_the_pages_gammas(view: View) -> None:
    shown, display = difference(view), state(gamma1=0.4, gamma2=0.7, zoom=2, scale="robust")
    signed, end = Scale.SIGNED, shown.gradient_end
    expected = {
        CompareColumn.FUSED: gradient_colours(shown.fused, signed, shown.fused_end, 1.0),
        CompareColumn.GUIDANCE_PET: gradient_colours(shown.guidance[1], signed, end, 0.7),
        CompareColumn.JACOBIAN_MRI: gradient_colours(shown.jacobians["b"][0], signed, end, 0.4),
        CompareColumn.JACOBIAN_PET_ZOOM: zoomed(
            gradient_colours(shown.jacobians["b"][1], signed, end, 0.4), view.pixels["b"], 2
        ),
    }
    for column, picture in expected.items():
        np.testing.assert_array_equal(difference_picture(view, display, shown, column, "b"), picture)


def test_a_table_has_the_row_of_the_difference_and_says_where_it_ends(view: View) -> None:
    columns = {"columns": ("fused", "jacobian_mri", "scatter")}
    plain = texts(print_figure(view, state(**columns), "svg", LINK))
    whole = texts(print_figure(view, state(difference=("one", "two"), **columns), "svg", LINK))
    assert "difference" not in plain.lower() and "− Second" in whole and "no difference" in whole
    assert f"gradients at ±{difference(view).gradient_end:.3g}" in whole
    assert "First − Second, signed" in whole and "difference: fused y" in whole


def test_an_outline_is_the_edge_of_its_pixels() -> None:
    mask = np.zeros((4, 5), dtype=bool)
    mask[1:3, 2:5] = True
    lines = {tuple(map(tuple, line)) for line in outline(mask)}
    assert lines == {
        ((1.5, 0.5), (4.5, 0.5)), ((1.5, 2.5), (4.5, 2.5)), ((1.5, 0.5), (1.5, 2.5)), ((4.5, 0.5), (4.5, 2.5)),
    }  # fmt: skip
    assert outline(np.zeros((4, 5), dtype=bool)).shape == (0, 2, 2)


def test_outlines_lie_over_whole_pictures_and_zooms(view: View) -> None:
    sheet = Sheet.of(view, state(regions=(CORE,), zoom=2))
    row = inputs_row(sheet)
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


def test_regions_are_named_in_their_colours(view: View) -> None:
    svg = print_figure(view, state(regions=(CORE,), columns=("fused", "scatter")), "svg", LINK)
    assert "my core (15 pixels)" in texts(svg) and b"#1b9e4b" in svg
    assert "not in the link" not in texts(svg)


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
def test_a_panel_alone_says_what_it_is(view: View, row: str, column: Column, words: str) -> None:
    drawn = print_panel(view, state(difference=("one", "two")), row, column, "svg", LINK)
    whole = texts(drawn).replace("\n", " ")
    assert words in whole and "Pair, simulated" in whole and "A 4, 5; B 0, 10" in whole


def test_one_method_alone_goes_on_in_a_second_line(view: View) -> None:
    view.methods.pop()
    columns = tuple(column.value for column in CompareColumn)
    image = Image.open(io.BytesIO(print_figure(view, state(columns=columns), "png", LINK)))
    assert image.width < 11 * 300, "it fits on a page"
