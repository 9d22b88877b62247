"""Calls that Dash joins: what changes in one turn of the browser comes as one call, a poll's tick with anything."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.factory import create_server
from app.ids import CompareId, Id
from app.settings import Settings
from cache.services.atlases import Atlases
from cache.services.guidance import Guidance, GuidanceState
from cache.services.loaded import LoadedMethods
from cache.services.services import services_of
from callbacks.compare import CANCEL, COMPUTE, chosen_scenes
from callbacks.compare_numbers import DRAWN_REGIONS
from callbacks.selection import scene_data
from tests.unit.page_calls import Values, ask
from tests.unit.page_services import write_pair

PAIR, METHOD = "3", "weighted_averaging"
SCENE, POLL, BUTTON = f"{Id.SCENE}.data", f"{Id.GUIDANCE_POLL}.n_intervals", f"{Id.GUIDANCE_BUTTON}.n_clicks"
SCENES, COMPARE_POLL, COMPARE_BUTTON = (
    f"{CompareId.SCENES}.data",
    f"{CompareId.POLL}.n_intervals",
    f"{CompareId.GUIDANCE_BUTTON}.n_clicks",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LoadedMethods, "load_all", lambda self: None)
        made = create_server(Settings(cache_dir=folder / "memo", device="cpu"), [write_pair(folder)])
    yield made
    services_of(made).close()


@pytest.fixture
def client(server: Flask) -> FlaskClient:
    return server.test_client()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what the guidance service and the atlases are asked for, in order; nothing is computed."""
    found: list[str] = []

    def state(
        self: Guidance, scene: Any, viewer: str, start: bool = True, asked: bool = False
    ) -> GuidanceState:
        if start:
            found.append("start")
        return GuidanceState(None, 0.0, False, False, True, 0, None, 0.0)

    monkeypatch.setattr(Guidance, "state", state)
    monkeypatch.setattr(Guidance, "cancel", lambda *_: found.append("cancel"))
    monkeypatch.setattr(Atlases, "start", lambda *_: found.append("start atlas"))
    monkeypatch.setattr(Atlases, "cancel", lambda *_: found.append("stop atlas"))
    return found


def scene_of(server: Flask) -> dict[str, Any]:
    return scene_data(services_of(server).scenes.open(PAIR, METHOD))


@pytest.mark.parametrize(
    ("changed", "button", "expected"),
    [
        ((SCENE,), "Cancel", ["start"]),
        ((POLL,), "Cancel", []),
        ((POLL, SCENE), "Cancel", ["start"]),
        ((POLL, BUTTON), "Cancel", ["cancel"]),
        ((POLL, BUTTON), "Compute", ["start"]),
        ((BUTTON, SCENE), "Cancel", ["start"]),
    ],
)
def test_guidance_starts_and_stops_whatever_ticks_beside(
    client: FlaskClient,
    server: Flask,
    calls: list[str],
    changed: tuple[str, ...],
    button: str,
    expected: list[str],
) -> None:
    values: Values = {
        (Id.SCENE, "data"): scene_of(server),
        (Id.VIEWER, "data"): "ann",
        (Id.GAMMA_2, "value"): 0.5,
        (Id.COLOUR_SCALE, "value"): "paper",
        (Id.GUIDANCE_BUTTON, "children"): button,
    }
    for order in itertools.permutations(changed):
        calls.clear()
        ask(client, "", f"{Id.GUIDANCE_LIMITS}.data", values, *order)
        assert calls == expected, order


@pytest.mark.parametrize(
    ("changed", "button", "expected", "shown"),
    [
        ((COMPARE_POLL,), COMPUTE, [], COMPUTE),
        ((COMPARE_POLL, SCENES), COMPUTE, ["start"], CANCEL),
        ((COMPARE_POLL, COMPARE_BUTTON), CANCEL, ["cancel"], COMPUTE),
        ((COMPARE_POLL, COMPARE_BUTTON), COMPUTE, ["start"], CANCEL),
        ((COMPARE_BUTTON, SCENES), CANCEL, ["start"], CANCEL),
    ],
)
def test_the_compare_page_does_as_well(
    client: FlaskClient,
    server: Flask,
    calls: list[str],
    changed: tuple[str, ...],
    button: str,
    expected: list[str],
    shown: str,
) -> None:
    scenes = chosen_scenes(services_of(server), PAIR, [METHOD])
    waiting = {"stage": "waiting", "pair_address": PAIR, "method_id": METHOD}
    values: Values = {
        (CompareId.SCENES, "data"): scenes,
        (CompareId.VIEWER, "data"): "ann",
        (CompareId.PROGRESS, "data"): {scenes[0]["key"]: waiting},
        (CompareId.GUIDANCE_BUTTON, "children"): button,
    }
    for order in itertools.permutations(changed):
        calls.clear()
        answer = ask(client, "/compare", f"{CompareId.PROGRESS}.data", values, *order)
        assert calls == expected, order
        assert answer.get(CompareId.GUIDANCE_BUTTON, {}).get("children", button) == shown


@pytest.mark.parametrize(
    ("clicked", "expected", "opened"),
    [
        (Id.ATLAS_START, ["start atlas"], False),
        (Id.ATLAS_STOP, ["stop atlas"], False),
        (Id.ATLAS_BUTTON, [], True),
    ],
)
def test_clicks_on_the_atlas_count_beside_a_poll_but_not_for_another_scene(
    client: FlaskClient, server: Flask, calls: list[str], clicked: str, expected: list[str], opened: bool
) -> None:
    values: Values = {(Id.SCENE, "data"): scene_of(server), (Id.VIEWER, "data"): "ann"}
    for beside, wanted in ((f"{Id.ATLAS_POLL}.n_intervals", expected), (SCENE, [])):
        for order in itertools.permutations((beside, f"{clicked}.n_clicks")):
            calls.clear()
            answer = ask(client, "", f"{Id.ATLAS_TEXT}.children", values, *order)
            assert calls == wanted, order
            assert answer.get(Id.ATLAS_WINDOW, {}).get("is_open", False) is opened


def test_a_table_is_saved_though_regions_change_beside(client: FlaskClient, server: Flask) -> None:
    values: Values = {
        (CompareId.SCENES, "data"): chosen_scenes(services_of(server), PAIR, [METHOD]),
        (CompareId.NUMBERS_VIEW, "data"): {"pins": {}, "methods": [METHOD]},
    }
    changed = (f"{DRAWN_REGIONS}.data", f"{CompareId.NUMBERS_CSV}.n_clicks")
    for order in itertools.permutations(changed):
        answer = ask(client, "/compare", f"{CompareId.NUMBERS_DOWNLOAD}.data", values, *order)
        assert answer[CompareId.NUMBERS_DOWNLOAD]["data"]["filename"] == f"{PAIR}_compare.csv"
