"""The compare page put together: its layout, its routes and its callbacks, each with its own parts only."""

from __future__ import annotations

import json
import re
import struct
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from dash import html
from flask import Flask
from flask.testing import FlaskClient

import callbacks.compare as page
from app.factory import create_server
from app.ids import ChangeId, CompareColumn, CompareId, ExportId, ReadingId, RegionId, ViewsId
from app.layout.compare import compare_page
from app.layout.export_menu import COLUMN_LABELS
from app.link.view_state import LARGEST_ZOOM, CompareState
from app.routes.binary import chosen_methods
from app.settings import Settings
from cache.services.guidance import GuidanceState
from cache.services.images import images_at
from cache.services.loaded import LoadedMethods
from cache.services.services import Services, services_of
from callbacks.link import compare_start, given_regions
from fusion import guidance_rgb
from tests.unit.page_calls import ask
from tests.unit.page_parts import components, find, of_kind, words
from tests.unit.page_services import SHAPE, finished_guidance, write_pair

PAIR, METHOD, OTHER = "3", "weighted_averaging", "weighted_averaging_true"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("compare")
    with pytest.MonkeyPatch.context() as patch:
        # Weighted averaging, which these tests use, has no weights to load.
        patch.setattr(LoadedMethods, "load_all", lambda self: None)
        made = create_server(Settings(cache_dir=folder / "memo", device="cpu"), [write_pair(folder)])
    yield made
    services_of(made).close()


@pytest.fixture
def client(server: Flask) -> FlaskClient:
    return server.test_client()


@pytest.fixture
def services(server: Flask) -> Services:
    return services_of(server)


@pytest.fixture(scope="module")
def whole() -> html.Div:
    return compare_page([("own", "Own pair")], [("masknet", "MaskNet")], "/base/", networks=True)


def test_every_id_is_there_exactly_once_and_controls_have_names(whole: html.Div) -> None:
    ids = Counter(str(part.id) for part in components(whole) if getattr(part, "id", None) is not None)
    assert ids == Counter(
        id.value for id in (*CompareId, *ChangeId, *ReadingId, *RegionId, *ViewsId, *ExportId)
    )
    labelled = {part.htmlFor for part in of_kind(whole, html.Label)}
    assert labelled >= {
        CompareId.PAIR_SELECT,
        CompareId.METHODS,
        CompareId.COLUMNS,
        CompareId.ZOOM_HALF_WIDTH,
    }
    assert list(COLUMN_LABELS) == list(CompareColumn)
    for id in (CompareId.PIN_A, CompareId.PIN_B, CompareId.LET_GO, CompareId.THEME_SWITCH):
        assert words(find(whole, id)).strip()


def test_the_browser_finds_the_first_view_and_the_routes(whole: html.Div) -> None:
    table = find(whole, CompareId.TABLE)
    assert getattr(table, "data-home") == "/base/" and table.tabIndex == 0
    assert CompareState.model_validate(json.loads(getattr(table, "data-first"))) == CompareState()
    assert getattr(table, "data-largest-zoom") == str(LARGEST_ZOOM)
    links = {(getattr(part, "data-page", None), part.href) for part in of_kind(whole, html.A)}
    assert links == {
        (None, "#compare-table"), (None, "/base/"), ("explore", "/base/"), ("training", "/base/training"),
        (None, "/base/what-pictures-tell"), (None, "/base/jobs"),
    }  # fmt: skip


def test_colours_are_signed_at_first_and_again_after_a_reset(whole: html.Div) -> None:
    assert find(whole, CompareId.COLOUR_SCALE).value == "signed"
    (reset,) = (part for part in of_kind(whole, html.Button) if part.className.endswith("scale-reset"))
    assert getattr(reset, "data-first") == "signed"


def test_each_page_has_its_own_files(client: FlaskClient) -> None:
    text = {name: client.get(f"/{name}").get_data(as_text=True) for name in ("", "compare", "training")}
    assert "<title>Compare · FuseVis</title>" in text["compare"]
    for file, pages in {
        "compare/table.mjs": {"compare"},
        "styles/compare.css": {"compare"},
        "explore/paint.mjs": {""},
        "painter/colours.mjs": {"", "compare"},
        "core/channel.mjs": {"", "compare"},
        "styles/training.css": {"training"},
        "core/controls.mjs": {"", "compare", "training"},
    }.items():
        assert {name for name, page_ in text.items() if f"/assets/{file}" in page_} == pages, file
    assert client.get("/compare/nothing").status_code == 404
    assert '"href":"compare"' in client.get("/_dash-layout").get_data(as_text=True)


def test_windows_of_several_methods_come_in_one_answer(client: FlaskClient, services: Services) -> None:
    scenes = [services.scenes.open(PAIR, method) for method in (OTHER, METHOD)]
    query = ",".join(f"{scene.method_id}:{scene.weights_id}" for scene in scenes)
    answer = client.get(f"/jacobians/{scenes[0].pair_id}/4/5?methods={query}")
    assert (answer.status_code, answer.mimetype) == (200, "application/octet-stream")
    assert "private" in answer.headers["Cache-Control"] and "compute" in answer.headers["Server-Timing"]
    single = b"".join(
        client.get(f"/jacobian/{scene.pair_id}/{scene.method_id}/{scene.weights_id}/4/5").data
        for scene in scenes
    )
    assert answer.data == struct.pack("<i", 2) + single


@pytest.mark.parametrize(
    ("path", "named"),
    [("{pair}/-1/0?methods=a:b", "whole numbers"), ("{pair}/1/1", "id:weights"), ("{pair}/1/1?methods=a", "id:weights"),
     ("{pair}/1/1?methods=nothing:b", "nothing"), ("{pair}/1/1?methods=weighted_averaging:b", "other weights"),
     ("{pair}/99/1?methods=weighted_averaging:{weights}", "99"),
     ("{pair}/1/1?methods=" + ",".join(["a:b"] * 17), "up to 16")],
)  # fmt: skip
def test_windows_that_are_not_to_be_had_are_404_in_json(
    client: FlaskClient, services: Services, path: str, named: str
) -> None:
    scene = services.scenes.open(PAIR, METHOD)
    answer = client.get("/jacobians/" + path.format(pair=scene.pair_id, weights=scene.weights_id))
    assert (answer.status_code, answer.mimetype) == (404, "application/json")
    assert named in answer.get_json()["error"]


def test_methods_are_read_strictly() -> None:
    assert chosen_methods("a:b,c:d") == [("a", "b"), ("c", "d")]
    assert [chosen_methods(text) for text in ("", "a", ":b", "a:", "a:b,", "a:b:c")] == [None] * 6


def decoded(data: bytes) -> tuple[np.ndarray, bool, int]:
    bands, height, width, complete, done, *_ = struct.unpack_from("<8i", data)
    return np.frombuffer(data, "<f4", offset=32).reshape(bands, height, width), complete == 1, done


def test_images_come_with_a_header(client: FlaskClient, services: Services) -> None:
    scene = services.scenes.open(PAIR, METHOD)
    path = f"/images/{scene.pair_id}/{METHOD}/{scene.weights_id}"
    finished_guidance(services, scene)
    guidance = services.guidance.known(scene)
    assert guidance is not None
    expected = {
        "inputs": services.scenes.pair(scene).images,
        "fused": services.scenes.fused(scene)[None],
        "guidance": guidance,
        "rgb": np.moveaxis(guidance_rgb(guidance, services.scenes.fused(scene)), -1, 0),
    }
    for kind, images in expected.items():
        values, complete, done = decoded(client.get(f"{path}/{kind}").data)
        np.testing.assert_array_equal(values, images)
        assert (complete, done) == (True, 1000)
    for wrong in ("other", "..", "%00"):
        answer = client.get(f"{path}/{wrong}")
        assert answer.status_code == 404 and answer.mimetype == "application/json"
    gone = client.get(f"/images/{scene.pair_id}/{METHOD}/{'0' * 64}/guidance")
    assert gone.status_code == 404 and "other weights" in gone.get_json()["error"]


def test_images_that_nobody_has_computed_are_unknown_and_not_kept(
    client: FlaskClient, services: Services
) -> None:
    scene = services.scenes.open("glioma-t1", METHOD)
    answer = client.get(f"/images/{scene.pair_id}/{METHOD}/{scene.weights_id}/guidance?viewer=v")
    values, complete, done = decoded(answer.data)
    assert np.isnan(values).all() and not complete and done == 0
    assert answer.headers["Cache-Control"] == "no-store"
    assert images_at(services, scene.pair_id, METHOD, scene.weights_id, "fused", "").complete


def test_a_link_opens_what_there_is_and_names_the_rest(services: Services) -> None:
    query = f"?pair={PAIR}&methods={OTHER},nothing,{METHOD}&pixel=1,2&pin=9,0&columns=scatter,fused"
    state, notices = CompareState.from_query(query)
    start, more = compare_start(services, state)
    assert notices == [] and start == {
        "pair": PAIR, "methods": [OTHER, METHOD], "columns": ["scatter", "fused"], "pixel": {"row": 1, "col": 2},
        "pin": None, "difference": (), "numbers": False,
    }  # fmt: skip
    assert len(more) == 2 and "nothing" in more[0] and "pin 9,0" in more[1]


def test_weights_of_more_methods_than_there_are_rows_are_named(services: Services) -> None:
    state, notices = CompareState.from_query(f"?methods={METHOD}&weights=,{'0' * 8}")
    _, (message,) = compare_start(services, state)
    assert notices == [] and "weights of 2 methods but 1" in message
    assert compare_start(services, CompareState.from_query(f"?methods={METHOD}&weights=")[0])[1] == []


def test_a_region_of_a_pair_that_is_lacking_is_named(server: Flask) -> None:
    linked = ("core~ff0000~b1.1.3.3",)
    assert given_regions(services_of(server).regions, PAIR, SHAPE, linked)[1] == []
    plain, drawn = (given_regions(services_of(server).regions, PAIR, SHAPE, [text])[0]["regions"][0]
                    for text in (*linked, f"{linked[0]}~h~f~p40"))  # fmt: skip
    assert plain == {"name": "core", "colour": "#ff0000", "code": "b1.1.3.3"}
    assert drawn == plain | {"look": {"hidden": True, "outline": False, "filled": True, "opacity": 40}}
    given, (message,) = given_regions(services_of(server).regions, PAIR, None, (), "1s3.0.1.1")
    assert given == {"pair_address": PAIR, "regions": [], "change": None} and "painted change" in message
    assert (
        given_regions(services_of(server).regions, PAIR, SHAPE, (), "1s3.0.1.1")[0]["change"] == "1s3.0.1.1"
    )
    given, (message,) = given_regions(services_of(server).regions, PAIR, None, linked)
    assert given["regions"] == [] and "“core”" in message and "the link's own pair" in message


def test_a_method_that_fails_spoils_no_other(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = services.scenes.open

    def broken(pair_address: str, method_id: str) -> Any:
        if method_id == OTHER:
            services.scenes.find_pair("no-such-pair")  # any error of the user's kind
        return scene(pair_address, method_id)

    monkeypatch.setattr(services.scenes, "open", broken)
    failed, fine = page.chosen_scenes(services, PAIR, [OTHER, METHOD])
    assert "no-such-pair" in failed["error"] and failed["method_title"]
    assert fine["error"] is None and (fine["height"], fine["width"]) == SHAPE
    assert set(page.progress(services, [failed, fine], {}, "viewer", True)) == {fine["key"]}


def test_a_second_try_opens_the_scenes_again(client: FlaskClient) -> None:
    values = {(CompareId.PAIR_SELECT.value, "value"): PAIR, (CompareId.METHODS.value, "value"): [METHOD]}
    again = f"{CompareId.RETRY.value}.data"
    found = ask(client, "/compare", f"{CompareId.SCENES.value}.data", values, again)
    (scene,) = found[CompareId.SCENES.value]["data"]
    assert scene["method_id"] == METHOD and scene["error"] is None


def test_columns_and_inputs_are_explained_with_places_for_the_names_of_both(whole: html.Div) -> None:
    explained = json.loads(find(whole, CompareId.TABLE).to_plotly_json()["props"]["data-about"])
    assert set(explained) == {"inputs", *CompareColumn}
    for column, (sentences, equation) in explained.items():
        assert sentences.count(". ") >= 1 and equation, column
        assert not re.search(r"\{[^01]*\}", sentences)
    assert "{1}" in explained["jacobian_pet_zoom"][0] and "x2" in explained["guidance_pet"][1]


def test_guidance_images_are_computed_one_after_another(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenes = page.chosen_scenes(services, "glioma-t2", [METHOD, OTHER])
    started: list[str] = []
    states = dict.fromkeys((METHOD, OTHER), "waiting")

    def state(scene: Any, viewer: str, start: bool = True) -> Any:
        id = scene.method_id
        if start:
            started.append(id)
            states[id] = "running"
        now = states[id]
        return GuidanceState(None, 0.4, now == "complete", now == "running", False, 1,
                             "Broken." if now == "failed" else None, 1.0)  # fmt: skip

    monkeypatch.setattr(services.guidance, "state", state)

    def poll(shown: dict[str, Any], retry: bool = False) -> dict[str, Any]:
        return page.progress(services, scenes, shown, "viewer", retry)

    first = poll({})
    assert started == [METHOD] and [one["stage"] for one in first.values()] == ["running", "waiting"]
    states[METHOD] = "complete"
    second = poll(first)
    assert started == [METHOD, OTHER] and [one["stage"] for one in second.values()] == ["complete", "running"]
    states[OTHER] = "failed"
    third = poll(second)
    assert [one["stage"] for one in third.values()] == ["complete", "failed"] and third[scenes[1]["key"]][
        "error"
    ]
    assert poll(third) == third and started == [METHOD, OTHER], "said once, tried again only by choosing"
    poll(third, retry=True)
    assert started == [METHOD, OTHER, OTHER]


def test_scenes_that_are_left_are_not_computed_any_more(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[str] = []
    monkeypatch.setattr(services.guidance, "cancel", lambda scene, viewer: left.append(scene.method_id))
    origin = {"pair_address": PAIR, "stage": "running"}
    shown = {"a": {**origin, "method_id": METHOD}, "b": {**origin, "method_id": OTHER}}
    page.leave(services, {"b"}, shown, "viewer")
    assert left == [METHOD]
