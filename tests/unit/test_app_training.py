"""The page about the trainings: tables, curves, gallery, cards, and how it stands beside the other page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dash import dcc, html
from flask.testing import FlaskClient

import callbacks.training
from app.factory import create_server
from app.figures.training import TRAINING, VALIDATION, curves_figure
from app.ids import Id, TrainingId
from app.layout.training import (
    curves_part,
    failed_cells,
    fused_cells,
    gallery,
    grouped_table,
    input_rows,
    training_page,
)
from app.settings import Settings
from cache.services.loaded import LoadedMethods
from cache.services.services import services_of
from cache.services.training import (
    fused_pictures,
    gallery_methods,
    gallery_samples,
    input_pictures,
    training_content,
)
from fusion.errors import WeightsError
from fusion.report import table
from fusion.report.document import PANELS
from tests.unit.made_up_trainings import LOSSES, card, curve, write_training
from tests.unit.page_calls import ask
from tests.unit.page_parts import components, find, of_kind, words
from tests.unit.page_services import make_services

SAMPLES = [("a", "Brain (simulated)", ("MRI", "PET")), ("b", "Photograph", ("near", "far"))]
METHODS = [("masknet", "MaskNet"), ("deepfuse", "DeepFuse")]
SETS = {
    kind: {"percent": [50.0, 100.0], "step": [5.0, 10.0], **{name: [0.5, 0.2] for name, _ in PANELS}}
    for kind in (TRAINING, VALIDATION)
}
ENDS = {name: 0.7 if name.startswith("ssim") else 0.1 for name, _ in PANELS}


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    monkeypatch.setattr(LoadedMethods, "load_all", lambda self: None)
    server = create_server(Settings(cache_dir=tmp_path, device="cpu"))
    yield server.test_client()
    services_of(server).close()


def test_curves_have_a_panel_a_loss_and_a_colour_a_network() -> None:
    figure = curves_figure([("One", "#111111", SETS), ("Two", "#222222", SETS)], PANELS, ENDS)
    layout = figure["layout"]
    assert len(figure["data"]) == len(PANELS) * 2 * 2
    assert [note["text"] for note in layout["annotations"]] == [title for _, title in PANELS]
    assert {trace["mode"] for trace in figure["data"] if "training" in trace["hovertemplate"]} == {"lines"}
    assert {trace["mode"] for trace in figure["data"] if "validation" in trace["hovertemplate"]} == {
        "markers"
    }
    for title, colour in (("One", "#111111"), ("Two", "#222222")):
        mine = [trace for trace in figure["data"] if trace["name"] == title]
        assert {trace["legendgroup"] for trace in mine} == {title}, "one click hides them all"
        assert sum(trace["showlegend"] for trace in mine) == 1
        assert {(trace.get("line") or trace["marker"])["color"] for trace in mine} == {colour}
        assert {trace["type"] for trace in mine} == {"scatter"}, "no WebGL"
    axes = [f"yaxis{number}" for number in ("", 2, 3, 4)]
    assert [layout[axis]["range"] for axis in axes] == [[0, 0.7], [0, 0.7], [0, 0.1], [0, 0.1]]
    assert layout["yaxis2"]["matches"] == "y" and layout["yaxis4"]["matches"] == "y3"
    assert "dimensionless" in layout["yaxis3"]["title"]["text"] and "%" in layout["xaxis4"]["title"]["text"]
    domains = [(layout[axis.replace("y", "x", 1)]["domain"], layout[axis]["domain"]) for axis in axes]
    assert all(0 <= low < high <= 1 + 1e-9 for both in domains for low, high in both)


def test_a_missing_curve_is_said_and_breaks_nothing() -> None:
    assert words(html.Div(curves_part(None, "", "A: none."))).strip() == "A: none."
    figure = curves_figure([], PANELS, ENDS)
    assert figure["data"] == []
    assert len(of_kind(html.Div(curves_part(figure, "Lines.", "")), dcc.Graph)) == 1


def test_a_table_names_its_columns_and_lines() -> None:
    groups = [("One", [("own", ["1", "2"]), ("paper", ["3", "4"])]), ("Two", [("own", ["5", "6"])])]
    made = grouped_table("numbers", "What it shows", ["a", "b"], groups)
    assert len(of_kind(made, html.Tbody)) == 2
    assert words(of_kind(made, html.Caption)[0]).strip() == "What it shows"
    heads = of_kind(made, html.Th)
    assert [head.scope for head in heads] == ["col"] * 3 + ["rowgroup", "row", "row", "row", "row"]
    assert [head.children for head in heads] == ["network", "a", "b", "One", "own", "paper", "Two", "own"]
    assert heads[3].rowSpan == 2
    assert [cell.children for cell in of_kind(made, html.Td) if cell.children] == list("123456")
    plain = grouped_table("plain", "", ["a"], [("One", [("", ["1"])])])
    assert [head.scope for head in of_kind(plain, html.Th)] == ["col", "col", "row"]


def test_the_gallery_has_a_row_a_method_and_a_description_a_picture() -> None:
    made = gallery(SAMPLES, METHODS)
    for id, _ in METHODS:
        assert "Computing" in words(find(made, TrainingId.gallery_row(id)))
    rows = input_rows(SAMPLES, [("data:1", "data:2"), ("data:3", "data:4")])
    pictures = [picture for row in rows for picture in of_kind(row, html.Img)]
    assert [picture.src for picture in pictures] == ["data:1", "data:3", "data:2", "data:4"]
    assert [picture.alt for picture in pictures][:2] == ["Brain (simulated): MRI", "Photograph: near"]
    cells = html.Tr(fused_cells(SAMPLES, METHODS[0], ["data:5", "data:6"], "/"))
    assert [link.href for link in of_kind(cells, html.A)] == [
        "/?pair=a&method=masknet",
        "/?pair=b&method=masknet",
    ]
    assert [picture.alt for picture in of_kind(cells, html.Img)][1] == "Photograph, fused by MaskNet"
    assert "no weights" in words(html.Tr(failed_cells("MaskNet", "no weights", 2)))


def test_the_page_has_every_part_once_and_a_way_home() -> None:
    cards = [("One", "cpu", "a note", ["a remark"], [("seed", "3")]), ("Two", "", "", [], [])]
    part = html.Div()
    page = training_page(
        "/home/", part, curves_part(None, "", "none"), part, gallery(SAMPLES, METHODS), cards
    )
    ids = [part.id for part in components(page) if getattr(part, "id", None)]
    assert len(ids) == len(set(ids)) and {TrainingId.NOTICES, TrainingId.THEME_SWITCH} <= set(ids)
    links = [link.href for link in of_kind(page, html.A)]
    assert links.count("/home/") == 2
    assert all(link.removeprefix("#") in ids for link in links if link.startswith("#"))
    details = of_kind(page, html.Details)
    assert len(details) == 2 and words(details[0]).split() == ["One", "cpu", "a", "note", "seed", "3"]
    assert "a remark" in words(page)
    assert TrainingId.NOTICES.value == Id.NOTICES.value, (
        "errors of both pages' callbacks are shown under this id"
    )


def test_a_view_of_a_folder(tmp_path: Path) -> None:
    write_training(tmp_path, "deepfuse", card(), curve())
    view = training_content(tmp_path)
    (drawn,) = view.curves.curves
    assert drawn.title == "DeepFuse" and len(drawn.sets[TRAINING]["percent"]) == 20
    assert drawn.sets[VALIDATION]["percent"][-1] == 100
    assert drawn.sets[VALIDATION]["ssim_mri"][-1] == pytest.approx(LOSSES["ssim_mri"] + 0.05, rel=1e-4)
    assert set(view.curves.ends) == {name for name, _ in PANELS} and "MaskNet" in view.curves.missing
    lines = dict(view.losses.groups)["DeepFuse"]
    assert [kind for kind, _ in lines] == [table.OWN, table.PAPER, table.DIFFERENCE]
    assert dict(view.brightness.groups)["DeepFuse"] == (("", ("0.0100", "−0.0200", "–")),)
    assert {len(cells) for _, lines in view.losses.groups for _, cells in lines} == {len(view.losses.columns)}


def test_pictures_of_samples_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    services = make_services(tmp_path, [])
    samples = gallery_samples(services)
    assert len(samples) == len(services.scenes.entries()) and any(
        "(simulated)" in one.title for one in samples
    )
    assert gallery_methods(services) == (
        ("funfusean", "FunFuseAn"),
        ("weighted_averaging", "Weighted Averaging"),
    )
    pictures = [*fused_pictures(services, "weighted_averaging"), *sum(input_pictures(services), ())]
    assert len(pictures) == 3 * len(samples)
    assert all(picture.startswith("data:image/png;base64,") for picture in pictures)

    def fail(*_: Any, **__: Any) -> Any:
        raise AssertionError("computed again")

    monkeypatch.setattr("fusion.fuse", fail)
    assert len(fused_pictures(services, "weighted_averaging")) == len(samples)
    services.close()


def test_two_pages_each_with_its_own(client: FlaskClient) -> None:
    for path in ("/training", "/training/"):
        page = client.get(path).get_data(as_text=True)
        assert "<title>Training · FuseVis</title>" in page
        assert "/assets/core/controls.mjs" in page and "/assets/styles/training.css" in page
        assert "explore/paint" not in page and "explore.mjs" not in page
    with client.get("/assets/core/controls.mjs") as answer:
        assert answer.status_code == 200
    layout = client.get("/training/_dash-layout").get_data(as_text=True)
    assert "training-losses" in layout and "0.2524" in layout and "pair-select" not in layout
    assert "data:image" not in layout, "pictures come later"
    main = client.get("/?v=1&pair=glioma-t2").get_data(as_text=True)
    assert "<title>FuseVis</title>" in main and "explore/paint" in main
    explorer = client.get("/_dash-layout").get_data(as_text=True)
    assert '"href":"training"' in explorer and "training-losses" not in explorer


@pytest.mark.parametrize("path", ["/nothing", "/training/nothing", "/a/b/c", "/%00<b>"])
def test_unknown_addresses_lead_home(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    text = answer.get_data(as_text=True)
    assert 'href="/"' in text and 'href="/training"' in text and "<b>" not in text


def row_of(client: FlaskClient, name: str, after: str) -> Any:
    id, before = f"training-gallery-{name}", f"training-gallery-{after}"
    found = ask(client, "/training", f"{id}.children", {(before, "children"): []}, f"{before}.children")
    return found[id]["children"]


def test_rows_come_one_after_the_other(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    dependencies = client.get("/training/_dash-dependencies").get_json()
    chain = {one["inputs"][0]["id"]: one["output"].split(".")[0] for one in dependencies}
    assert chain["training-gallery-inputs"] in (
        "training-gallery-inputs",
        "training-gallery-weighted_averaging",
    )
    assert chain["training-gallery-weighted_averaging"] == "training-gallery-funfusean"
    row = row_of(client, "weighted_averaging", after="inputs")
    assert len(row) == 6 and row[1]["props"]["children"]["props"]["href"].startswith("/?pair=")

    def fail(*_: Any) -> Any:
        raise WeightsError("There are no weights.")

    monkeypatch.setattr(callbacks.training, "fused_pictures", fail)
    row = row_of(client, "funfusean", after="weighted_averaging")
    assert row[1]["props"]["children"] == "There are no weights."
