"""Cancelling guidance images on the compare page, and going on with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import callbacks.compare as page
from cache.errors import UserError
from cache.services.services import Services
from tests.unit.page_services import make_services, write_pair


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    made = make_services(tmp_path, [write_pair(tmp_path)])
    yield made
    made.close()


def test_what_is_complete_stays_and_all_else_is_cancelled(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[tuple[str, str]] = []
    monkeypatch.setattr(services.guidance, "cancel", lambda scene, who: left.append((scene.method_id, who)))
    scenes = page.chosen_scenes(services, "3", ["weighted_averaging", "small"])
    origins: list[dict[str, Any]] = [
        {"pair_address": "3", "method_id": scene["method_id"], "fraction": 0.3, "revision": 4, "error": None}
        for scene in scenes
    ]
    shown = {
        "done": {**origins[0], "stage": "complete"},
        "now": {**origins[0], "stage": "running"},
        "next": {**origins[1], "stage": "waiting"},
    }
    states = page.cancelled(services, shown, "ann")
    assert {key: state["stage"] for key, state in states.items()} == {
        "done": "complete",
        "now": "cancelled",
        "next": "cancelled",
    }
    assert left == [("weighted_averaging", "ann"), ("small", "ann")]
    assert shown["now"]["stage"] == "running", "what the browser has is not written to"


def test_a_cancelled_computation_starts_again_when_asked_for(services: Services) -> None:
    scenes = page.chosen_scenes(services, "3", ["small"])
    key = scenes[0]["key"]
    running = page.progress(services, scenes, {}, "ann", retry=True)
    stopped = page.cancelled(services, running, "ann")
    again = page.progress(services, scenes, stopped, "ann", retry=True)
    assert again[key]["stage"] in ("running", "complete")


def test_files_that_are_gone_are_no_obstacle(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(pair_address: str, method_id: str) -> Any:
        raise UserError("It is gone.")

    monkeypatch.setattr(services.scenes, "open", gone)
    shown = {"a": {"pair_address": "3", "method_id": "small", "stage": "running"}}
    assert page.cancelled(services, shown, "ann")["a"]["stage"] == "cancelled"
