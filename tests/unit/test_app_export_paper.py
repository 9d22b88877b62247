"""Figures for paper: each fits a page at its true size, and together they show everything once."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.export import figure_layout as pages_of
from app.export.content import FigureContent
from app.export.figure import page_figures
from app.export.figure_layout import LARGEST, PAGE, SMALLEST, FigureLayout, layouts_of, lines_of
from app.export.rows import heading, method_row, panels
from app.ids import CompareColumn, InputColumn
from app.link.view_state import CompareState
from cache.services.exports import ExportArrays, MethodArrays
from tests.unit.test_app_export_figures import GENERATOR, SHAPE, method_arrays

COLUMNS = tuple(CompareColumn)
SHAPES = {"square": (64, 64), "wide": (37, 200), "tall": (200, 37)}
TITLE = 0.6


def view_of(methods: int, pins: str, shape: str = "square") -> ExportArrays:
    height, width = SHAPES[shape]

    def stretched(image: Any) -> Any:
        repeats = -(-height // image.shape[-2]), -(-width // image.shape[-1])
        return np.tile(image, (*(1,) * (image.ndim - 2), *repeats))[..., :height, :width]

    def method(number: int) -> MethodArrays:
        one = method_arrays(f"m{number}", f"Method {number}")
        fused = stretched(one.fused)
        return replace(
            one,
            fused=fused,
            guidance=stretched(one.guidance),
            jacobians={name: stretched(image) for name, image in one.jacobians.items()},
            maps={kind: stretched(images) for kind, images in one.maps.items()},
            rgb=np.repeat(fused[..., None], 3, axis=-1),
        )

    return ExportArrays(
        inputs=stretched(GENERATOR.random((2, *SHAPE))),
        methods=tuple(map(method, range(methods))),
        pixels={name: (7 * (1 + number), 11) for number, name in enumerate(pins)},
        regions={
            f"Region {number} of a name with many letters": np.ones((height, width), bool)
            for number in range(12)
        },
    )


def content_of(
    view: ExportArrays,
    columns: int = len(COLUMNS),
    difference: bool = False,
    regions: int = 0,
    area: Any = None,
) -> FigureContent:
    state = CompareState(
        methods=tuple(one.scene.method_id for one in view.methods),
        columns=COLUMNS[:columns],
        difference=("m0", "m1") if difference else (),
        regions=tuple(f"{name}~7b4fd6~b0.0.1.1" for name in list(view.regions)[:regions]),
        zoom=3,
    )
    return FigureContent.of(view, state, area)


CASES = [
    (methods, pins, columns, difference)
    for methods in (1, 2, 5)
    for pins in ("a", "ab")
    for columns in (1, 4, 9)
    for difference in (False, True)
    if methods > 1 or not difference
]


@pytest.mark.parametrize(("shape", "regions"), [("square", 0), ("square", 12), ("wide", 0), ("tall", 12)])
@pytest.mark.parametrize(("methods", "pins", "columns", "difference"), CASES)
def test_every_figure_fits_a_page_and_all_is_shown_once(
    methods: int, pins: str, columns: int, difference: bool, shape: str, regions: int
) -> None:
    view = view_of(methods, pins, shape)
    content = content_of(view, columns, difference, regions)
    layouts = layouts_of(content, TITLE)
    for number, layout in enumerate(layouts):
        assert layout.width <= PAGE[0] and layout.height <= PAGE[1] - (0 if number else TITLE)
        assert SMALLEST <= layout.side <= LARGEST
        assert layout.side == layouts[0].side, "pictures can be compared by eye"
        first = next(line for line in layout.lines if line.row.title != "the inputs")
        assert first.headed and first.label == first.row.label, "each figure can be read without the others"
    shown = Counter(
        (line.row.title, panel)
        for layout in layouts
        for line in layout.lines
        for panel in line.panels
        if not isinstance(panel[0], InputColumn)
    )
    rows = [one.scene.method_title for one in view.methods] + ["Method 0 − Method 1"] * difference
    assert shown == Counter((row, panel) for row in rows for panel in panels(view, COLUMNS[:columns]))


@pytest.mark.parametrize("methods", [1, 2, 5])
def test_the_inputs_are_on_the_first_figure_and_take_no_further_page(
    methods: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = content_of(view_of(methods, "ab"))
    layouts = layouts_of(content, TITLE)
    with_inputs = [layout.lines[0].row.title == "the inputs" for layout in layouts]
    assert with_inputs[0]
    fewest = pages_of._fewest

    def at_first(content: FigureContent, start: int, above: float, _: object) -> list[FigureLayout]:
        return fewest(content, start, above, lambda number: number == 0)

    monkeypatch.setattr(pages_of, "_fewest", at_first)
    assert len(layouts) == len(layouts_of(content, TITLE))


def test_rows_are_shared_out_evenly() -> None:
    layouts = layouts_of(content_of(view_of(5, "a"), columns=6), TITLE)
    assert [[line.row.method for line in layout.lines] for layout in layouts] == [[None, 0, 1], [2, 3, 4]]


def test_both_principal_pixels_stay_beside_each_other_where_a_method_stands_alone() -> None:
    view = view_of(1, "ab")
    for columns, lengths in ((COLUMNS[:9], [5, 4, 4]), (COLUMNS, [5, 4, 5, 5, 1])):
        content = content_of(view, len(columns))
        lines = lines_of(content, [method_row(content, 0)])
        assert [len(line.panels) for line in lines] == lengths
        groups = [column for line in lines for column, _ in groupby(line.panels, lambda panel: panel[0])]
        assert groups == list(columns)


def test_a_printed_page_is_as_large_as_it_says() -> None:
    view = view_of(2, "a")
    for page in page_figures(view, content_of(view, 5).state, "link"):
        image = Image.open(io.BytesIO(page.png))
        assert image.width / 300 == pytest.approx(page.width, abs=0.01)
        assert image.height / 300 == pytest.approx(page.height, abs=0.01)
        assert "Method 0" in page.words and "Guidance RGB" in page.words


@pytest.mark.parametrize("pixel", [(7, 11), (255, 255), (1234, 1234)])
def test_headings_fit_over_the_smallest_picture(pixel: tuple[int, int]) -> None:
    view = replace(view_of(1, "a"), pixels={"a": pixel})
    for column in (CompareColumn.JACOBIAN_MRI, CompareColumn.JACOBIAN_PET_ZOOM, InputColumn.MRI_ZOOM):
        assert max(map(len, heading(view, (column, "a")).split("\n"))) <= 20
