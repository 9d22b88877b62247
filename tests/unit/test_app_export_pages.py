"""Files of the explore page's view, of a part of the pictures, and of tables that one page is too narrow for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from flask.testing import FlaskClient
from matplotlib.figure import Figure

from app.export.content import FigureContent, area_within
from app.export.document import document
from app.export.figure import PageFigure, page_figures
from app.export.figure_layout import MOST_ACROSS, columns_by_page, layouts_of
from app.export.request import EXPLORE_COLUMNS, read_request
from app.export.rows import inputs_row, method_row, panels
from app.ids import CompareColumn
from app.link.view_state import FIRST_HALF_WIDTH, CompareState, ExploreState
from app.routes import export
from cache.services.exports import ExportArrays, ExportNumbers
from tests.unit.test_app_export import client, fetched, server
from tests.unit.test_app_export_figures import SHAPE, state, texts, view

__all__ = ["client", "server", "view"]

EXPLORE = "pair=3&method=weighted_averaging&pixel=4,5&zoom=2&gamma1=0.7"


def test_the_explore_pages_link_is_read_as_that_page_reads_it() -> None:
    asked, problems = read_request("explore", f"{EXPLORE}&area=1,2,5.5,8&weights=01234567&scale=signed")
    assert problems == []
    shown = asked.state
    assert shown.methods == ("weighted_averaging",) and shown.weights == ("01234567",)
    assert (shown.pixel, shown.zoom, shown.gamma1, shown.scale) == ((4, 5), 2, 0.7, "signed")
    assert shown.columns == EXPLORE_COLUMNS and asked.area == (1, 2, 5.5, 8)
    assert ExploreState.from_query(asked.link)[0].area == asked.area
    assert asked.complete.startswith("export/explore-complete.html?")


def test_a_zoom_that_follows_a_support_that_there_is_not_is_the_pages_first() -> None:
    followed, given = (read_request("explore", f"zoom={zoom}")[0] for zoom in ("support", "5"))
    assert followed.with_zoom([(3, 3)]).zoom is None, "the support itself"
    assert followed.with_zoom([None]).zoom == FIRST_HALF_WIDTH
    assert given.with_zoom([None]).zoom == 5
    assert read_request("compare", "")[0].with_zoom([None]).zoom is None


@pytest.mark.parametrize(("support", "half"), [(None, FIRST_HALF_WIDTH), ((2, 3), None)])
def test_zooms_of_a_global_method_are_printed_as_wide_as_the_page_has_them(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, support: tuple[int, int] | None, half: int | None
) -> None:
    right, printed = export.export_arrays, []

    def other_support(*arguments: Any) -> ExportArrays:
        found = right(*arguments)
        methods = (replace(one, scene=replace(one.scene, support_radius=support)) for one in found.methods)
        return replace(found, methods=tuple(methods))

    def record(view: ExportArrays, state: CompareState, *rest: Any) -> bytes:
        printed.append(state.zoom)
        return b""

    monkeypatch.setattr(export, "export_arrays", other_support)
    monkeypatch.setattr(export, "panel_file", record)
    query = EXPLORE.replace("zoom=2", "zoom=support")
    fetched(client, f"/export/explore/weighted_averaging/fused_zoom.png?{query}")
    assert printed == [half]


@pytest.mark.parametrize("query", ["area=5,0,1,3", "method=a:b", "method=a,b", "columns=fused", "pixel=-1,2"])
def test_what_the_explore_page_would_not_read_is_named(query: str) -> None:
    assert len(read_request("explore", query)[1]) == 1


def test_files_of_the_explore_page_lead_back_to_it(client: FlaskClient) -> None:
    answer = fetched(client, f"/export/explore.html?{EXPLORE}&area=1.0,2.0,5.5,8.0")
    text = answer.get_data(as_text=True)
    links = {part.split('"')[0].replace("&amp;", "&") for part in text.split('href="')[1:]}
    pages = {urlsplit(link).path: parse_qs(urlsplit(link).query) for link in links}
    expected = {
        **parse_qs(EXPLORE), "area": ["1.0,2.0,5.5,8.0"], "air": ["1"], "gray": ["own"], "v": ["4"],
    }  # fmt: skip
    assert pages["/"] == expected
    for path, query in pages.items():
        assert path in ("/", "/export/explore-complete.html") and query == expected
    assert client.get(f"/export/explore.png?{EXPLORE}&area=3").status_code == 400
    assert client.get(f"/export/elsewhere.png?{EXPLORE}").status_code == 404
    panel = fetched(client, f"/export/explore/weighted_averaging/fused.svg?{EXPLORE}&area=1.0,2.0,5.5,8.0")
    assert b"rows 1.0 to 5.5 and columns 2.0 to 8.0" in panel.data.replace(b"\n", b" ")


def test_an_area_is_what_whole_pictures_show_and_zooms_do_not(view: ExportArrays) -> None:
    content = FigureContent.of(view, state(zoom=2), (1.5, 2.0, 6.5, 40.0))
    assert content.is_part and content.area == (1.5, 2.0, 6.5, SHAPE[1] - 0.5)
    for row in (inputs_row(content), method_row(content, 0)):
        for panel in row.panels:
            axes = Figure().add_subplot()
            row.draw(axes, panel)
            if panel[0] is CompareColumn.SCATTER:
                continue
            zoom = "zoom" in panel[0].value
            assert (axes.get_ylim() == (6.5, 1.5)) is not zoom
            assert (axes.get_xlim() == (2.0, SHAPE[1] - 0.5)) is not zoom


def test_an_area_beside_the_image_is_all_of_it() -> None:
    whole = (-0.5, -0.5, 8.5, 10.5)
    assert area_within(None, SHAPE) == area_within((20, 20, 30, 30), SHAPE) == whole
    assert area_within((-9, -9, 90, 90), SHAPE) == whole


@pytest.mark.parametrize("pins", ["a", "ab"])
@pytest.mark.parametrize("count", range(1, len(CompareColumn) + 1))
def test_no_page_has_more_pictures_in_a_row_than_it_is_wide_enough_for(
    view: ExportArrays, pins: str, count: int
) -> None:
    view = replace(view, pixels={name: view.pixels[name] for name in pins})
    columns = tuple(np.random.default_rng(count).permutation(list(CompareColumn))[:count])
    shown = CompareState(methods=("one", "two"), columns=tuple(map(CompareColumn, columns)))
    pages = columns_by_page(view, shown)
    assert sum(pages, ()) == shown.columns
    lengths = [len(panels(view, page)) for page in pages]
    assert max(lengths) <= MOST_ACROSS
    assert len(lengths) <= -(-sum(lengths) // (MOST_ACROSS - 1))


@pytest.mark.parametrize("names", [("A", "B"), ("A" * 90, "B" * 90)])
def test_the_html_file_has_a_picture_for_each_page_and_says_what_is_on_it(
    view: ExportArrays, names: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables: dict[str, Any] = {
        **{name: {"columns": [], "rows": []} for name in ("guidance", "influence")},
        "checklist": {"requirements": [], "rows": []},
        "cautions": ["A method has 2 pixels <b>too large</b>."],
    }
    about = {
        "pair": {"title": "P" * 100, "id": "0", "shape": SHAPE, "modalities": names, "simulated": True},
        "versions": {},
    }
    columns = tuple(CompareColumn)
    above: list[float] = []

    def note(*given: Any) -> list[PageFigure]:
        above.append(given[-1])
        return page_figures(*given)

    monkeypatch.setattr("app.export.document.page_figures", note)
    text = document(view, state(columns=columns), ExportNumbers(tables, "", (), ()), ("l", "c"), about)
    assert "<b>Warning.</b> A method has 2 pixels &lt;b&gt;too large" in text
    layouts = layouts_of(FigureContent.of(view, state(columns=columns)), above[0])
    assert text.count("<img ") == len(layouts) > 1
    assert f"part 2 of {len(layouts)}. " in text and "the inputs, First, Second: Fused y" in text
    # Two lines of title, and one or two with the names.
    assert above[0] == pytest.approx(0.2 + 2 * 0.22 + (1 if names[0] == "A" else 2) * 0.16)


def test_files_of_the_explore_page_speak_of_no_pixel_a(client: FlaskClient) -> None:
    row = "/weighted_averaging"
    for path in ("", f"{row}/jacobian_mri", f"{row}/fused_zoom", "/inputs/input_mri_zoom"):
        words = texts(fetched(client, f"/export/explore{path}.svg?{EXPLORE}").data)
        assert "at A" not in words and "of A" not in words and "A 4, 5" not in words
        assert "Principal pixel (row, column): 4, 5" in words.replace("\n", " ")
    page = fetched(client, f"/export/explore.html?{EXPLORE}").get_data(as_text=True)
    assert "<td>A</td>" not in page and "<th>Pixel</th>" not in page
    assert "pixel 4,5" in page and "A 4,5" not in page
    compare = fetched(client, "/export/compare.svg?pair=3&methods=weighted_averaging&pixel=4,5&v=2").data
    assert "at A" in texts(compare) and "A 4, 5" in texts(compare)
