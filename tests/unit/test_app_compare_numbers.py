"""The callbacks of the numbers: nothing while they are closed, the influence after the guidance images, CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

import callbacks.compare_numbers as numbers
from app.factory import create_server
from app.ids import CompareId
from app.layout.compare import TABS, numbers_button, numbers_panel
from app.settings import Settings
from cache.services.guidance import Guidance
from cache.services.loaded import LoadedMethods
from cache.services.scenes import Scenes
from cache.services.services import services_of
from cache.services.statistics import InfluenceJobs, InfluenceProgress
from callbacks.compare import chosen_scenes
from tests.unit.page_calls import Values, ask
from tests.unit.page_services import finished_guidance, write_pair

PAIR, METHOD, OTHER = "3", "weighted_averaging", "weighted_averaging_true"
SHOW = f"{CompareId.NUMBERS_DATA}.data"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    monkeypatch.setattr(LoadedMethods, "load_all", lambda self: None)
    made = create_server(Settings(cache_dir=tmp_path / "memo", device="cpu"), [write_pair(tmp_path)])
    yield made
    services_of(made).close()


def asked(server: Flask, output: str, values: Values, *changed: str) -> Any:
    return ask(server.test_client(), "/compare", output, values, *changed)


def opened(server: Flask, **changes: Any) -> Values:
    services = services_of(server)
    values = {
        (CompareId.NUMBERS_OPEN, "data"): True,
        (CompareId.SCENES, "data"): chosen_scenes(services, PAIR, [METHOD, OTHER]),
        (CompareId.NUMBERS_VIEW, "data"): {"pins": {"A": {"row": 4, "col": 5}, "B": None}, "methods": [OTHER, METHOD]},
        (CompareId.NUMBERS_INFLUENCE, "value"): True,
        (CompareId.AIR, "value"): True,
        (CompareId.VIEWER, "data"): "ann",
    }  # fmt: skip
    return values | {(getattr(CompareId, name), "data"): value for name, value in changes.items()}


def test_closed_nothing_is_computed(server: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    values = opened(server, NUMBERS_OPEN=False)
    for part, name in ((Scenes, "open"), (Scenes, "fused"), (Guidance, "known")):
        monkeypatch.setattr(part, name, None)
    answer = asked(server, SHOW, values)
    assert answer == {CompareId.NUMBERS_POLL: {"disabled": True}}


def test_closing_stops_the_influence(server: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[Any] = []
    monkeypatch.setattr(InfluenceJobs, "cancel", lambda self, *given: stopped.append(given))
    answer = asked(server, SHOW, opened(server, NUMBERS_OPEN=False, NUMBERS_STATE={"digest": "x"}))
    assert answer[CompareId.NUMBERS_STATE] == {"data": None} and answer[CompareId.NUMBERS_POLL] == {
        "disabled": True
    }
    assert [scene.method_id for scene in stopped[0][0]] == [OTHER, METHOD] and stopped[0][2] == "ann"


def test_the_influence_waits_for_guidance_images_under_way(
    server: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, statistics = services_of(server), services_of(server).statistics
    scenes = [services.scenes.open(PAIR, METHOD)]
    regions = statistics.regions(scenes[0])
    starts: list[bool] = []

    def follow(self: InfluenceJobs, *_: Any, start: bool) -> InfluenceProgress:
        starts.append(start)
        return InfluenceProgress(0.25, False, ())

    monkeypatch.setattr(InfluenceJobs, "follow", follow)
    real = services.guidance.state
    first = real(scenes[0], "ann")
    monkeypatch.setattr(services.guidance, "state", lambda *_, **__: first)
    state = numbers.follow(services, statistics, scenes, regions, True, "ann")
    assert first.running and starts == [False] and state["going_on"]
    assert (
        state["waits"] == ["Weighted Averaging, weights held constant (0 %)"] and state["influence"] == 0.25
    )
    monkeypatch.setattr(services.guidance, "state", real)
    finished_guidance(services, scenes[0])
    state = numbers.follow(services, statistics, scenes, regions, True, "ann")
    assert starts == [False, True] and state["waits"] == []
    stopped = numbers.follow(services, statistics, scenes, regions, False, "ann")
    assert starts[-1] is False and not stopped["going_on"] and not stopped["influence_complete"]


@pytest.mark.parametrize(
    ("stage", "starts", "told"),
    [
        (None, False, "0 %"),  # numbers that a link opens ask before the pictures do
        ("waiting", False, "0 %"),
        ("running", False, "0 %"),
        ("cancelled", True, "cancelled"),
        ("failed", True, "failed"),
    ],
)
def test_the_influence_waits_for_guidance_images_to_come(
    server: Flask, monkeypatch: pytest.MonkeyPatch, stage: str | None, starts: bool, told: str
) -> None:
    services, statistics = services_of(server), services_of(server).statistics
    scenes = [services.scenes.open(PAIR, METHOD)]
    begun: list[bool] = []

    def follow(self: InfluenceJobs, *_: Any, start: bool) -> InfluenceProgress:
        begun.append(start)
        return InfluenceProgress(0.25, False, ())

    monkeypatch.setattr(InfluenceJobs, "follow", follow)
    progress = {"key": {"pair_address": PAIR, "method_id": METHOD, "stage": stage}} if stage else None
    regions = statistics.regions(scenes[0])
    state = numbers.follow(services, statistics, scenes, regions, True, "ann", progress)
    assert begun == [starts] and state["waits"] == [f"Weighted Averaging, weights held constant ({told})"]


def test_the_callback_knows_what_the_pictures_wait_for(
    server: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = {
        method: {"pair_address": PAIR, "method_id": method, "stage": "cancelled"}
        for method in (METHOD, OTHER)
    }
    answer = asked(server, SHOW, opened(server, PROGRESS=stages))
    waits = answer[CompareId.NUMBERS_STATE]["data"]["waits"]
    assert len(waits) == 2 and all(text.endswith("(cancelled)") for text in waits)


def test_tables_come_once_and_in_the_order_of_the_rows(server: Flask) -> None:
    services = services_of(server)
    for method in (METHOD, OTHER):
        finished_guidance(services, services.scenes.open(PAIR, method))
    values = opened(server)
    first = asked(server, SHOW, values)
    rows = first[CompareId.NUMBERS_DATA]["data"]["guidance"]["rows"]
    titles = [services.scenes.open(PAIR, method).method_title for method in (OTHER, METHOD)]
    assert [row[1][0] for row in rows] == titles * 2
    places = [row[0][0] for row in first[CompareId.NUMBERS_DATA]["data"]["influence"]["rows"]]
    assert places[0].startswith("A 4,5")
    state = first[CompareId.NUMBERS_STATE]["data"]
    while state["going_on"]:
        state = asked(server, SHOW, values | {(CompareId.NUMBERS_STATE, "data"): state})[
            CompareId.NUMBERS_STATE
        ]["data"]
    again = asked(server, SHOW, values | {(CompareId.NUMBERS_STATE, "data"): state})
    assert CompareId.NUMBERS_DATA not in again and again[CompareId.NUMBERS_POLL] == {"disabled": True}
    saved = asked(server, f"{CompareId.NUMBERS_DOWNLOAD}.data", values, f"{CompareId.NUMBERS_CSV}.n_clicks")[
        CompareId.NUMBERS_DOWNLOAD
    ]["data"]
    assert saved["filename"] == "3_compare.csv" and saved["content"].startswith("pair,pair_id,method")


def test_pins_of_a_larger_pair_are_left_out(server: Flask) -> None:
    values = opened(server, NUMBERS_VIEW={"pins": {"A": {"row": 400, "col": 5}, "B": None}, "methods": []})
    rows = asked(server, SHOW, values)[CompareId.NUMBERS_DATA]["data"]["influence"]["rows"]
    assert not [row for row in rows if row[0][0].startswith("A ")]


def test_drawn_regions_have_numbers_and_wrong_ones_are_named(server: Flask) -> None:
    finished_guidance(services_of(server), services_of(server).scenes.open(PAIR, METHOD))
    drawn = [{"name": "mine", "code": "b1.2.4.6"}, {"name": "far", "code": "b0.0.99.99"}]
    answer = asked(server, SHOW, opened(server) | {(numbers.DRAWN_REGIONS, "data"): drawn})
    rows = answer[CompareId.NUMBERS_DATA]["data"]["guidance"]["rows"]
    assert ["mine", "12"] in [[row[0][0], row[2][0]] for row in rows]
    (problem,) = answer[CompareId.NUMBERS_STATE]["data"]["errors"]
    assert problem.startswith("Region far: ")


def test_no_method_is_no_mistake(server: Flask) -> None:
    answer = asked(server, SHOW, opened(server, SCENES=[]))
    assert answer[CompareId.NUMBERS_DATA]["data"]["guidance"]["rows"] == []
    assert answer[CompareId.NUMBERS_POLL] == {"disabled": True}


def test_the_section_is_closed_at_first_and_named() -> None:
    panel: Any = numbers_panel()
    button = numbers_button()
    assert panel.hidden is True and getattr(panel, "aria-label") == "Numbers"
    assert getattr(button, "aria-expanded") == "false" and getattr(button, "aria-controls") == panel.id
    assert [name for name, _ in TABS] == ["guidance", "influence", "checklist"]
