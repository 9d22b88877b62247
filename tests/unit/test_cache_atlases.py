"""Atlases for the page: announced, made in the background, stopped, taken up again, read tile by tile."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from flask import Flask

import fusion
from app import atlas_routes
from app.ids import Id
from cache.atlas_shelf import AtlasShelf
from cache.atlas_work import LOW_PRIORITY, yield_to_others
from cache.atlases import Atlases, AtlasState
from cache.errors import UserError
from cache.method_shelf import MethodShelf
from cache.services import Scene, Services
from cache.threads import ThreadCounts
from callbacks.atlas import followed
from callbacks.selection import scene_data
from fusion.errors import AtlasError, WeightsError
from fusion.saliency import atlas_estimate
from fusion.saliency.atlas import TILE, Atlas
from tests.unit.page_services import SHAPE, TITLES, load, make_services, write_pair
from tests.unit.small_services import wait_for

VIEWER = "ann"
TILES = 4


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    made = make_services(tmp_path, [write_pair(tmp_path)])
    yield made
    made.close()


@pytest.fixture
def atlases(tmp_path: Path, services: Services) -> Iterator[Atlases]:
    root = tmp_path / "atlas"
    made = Atlases(services, MethodShelf("cpu", load, TITLES), AtlasShelf(root), root, ThreadCounts(1, 1))
    yield made
    made.close()


@pytest.fixture
def scene(services: Services) -> Scene:
    return services.scene("3", "small")


def finished(atlases: Atlases, scene: Scene) -> None:
    atlases.start(scene, VIEWER)
    wait_for(lambda: not atlases.state(scene, VIEWER).running)


def test_an_atlas_is_announced_and_made_only_when_asked_for(atlases: Atlases, scene: Scene) -> None:
    assert atlases.state(scene, VIEWER) == AtlasState(True, 0.0, False, False, None)
    needs = atlases.estimate(scene)
    assert (needs.tiles, needs.done) == (TILES, 0)
    assert needs.seconds > 0
    finished(atlases, scene)
    state = atlases.state(scene, VIEWER)
    assert (state.fraction, state.complete, state.error) == (1.0, True, None)


def test_tiles_hold_the_windows(atlases: Atlases, services: Services, scene: Scene) -> None:
    address = (scene.pair_id, scene.method_id, scene.weights_id)
    assert atlases.tile_at(*address, 0, 0) is None
    finished(atlases, scene)
    assert atlases.tile_at(*address, 0, 0) is not None, "noticed at once"
    assert atlases.tile_at(*address, 2, 0) is None, "there is no such tile"
    pair, method = services.pair(scene), load("small", "cpu")
    for row in range(SHAPE[0]):
        for col in range(SHAPE[1]):
            tile = atlases.tile_at(*address, row // TILE, col // TILE)
            assert tile is not None
            place = row - tile.box.top, col - tile.box.left
            expected = fusion.jacobian(method, pair, (row, col))
            top, left = expected.top - row + tile.radius, expected.left - col + tile.radius
            height, width = expected.values.shape[1:]
            found = tile.values[place][:, top : top + height, left : left + width] * tile.scales[place]
            assert np.abs(found - expected.values).max() <= 2**-11 * np.abs(expected.values).max() * (
                1 + 1e-5
            )


def test_the_route_sends_a_tile_as_it_is_kept(atlases: Atlases, scene: Scene) -> None:
    server = Flask("test")
    atlas_routes.register(server, atlases, UserError)
    client = server.test_client()
    path = f"/atlas/{scene.pair_id}/{scene.method_id}/{scene.weights_id}"
    nothing = client.get(f"{path}/1/1")
    assert (nothing.status_code, nothing.data, nothing.headers["Cache-Control"]) == (200, b"", "no-store")
    finished(atlases, scene)
    wait_for(lambda: bool(client.get(f"{path}/1/1").data))
    answer = client.get(f"{path}/1/1").data
    tile = atlases.tile_at(scene.pair_id, scene.method_id, scene.weights_id, 1, 1)
    assert tile is not None
    header = atlas_routes.HEADER.unpack_from(answer)
    assert header == (TILE, TILE, SHAPE[0] - TILE, SHAPE[1] - TILE, 2, TILE, 0, 0)
    scales = np.frombuffer(answer, "<f4", tile.scales.size, offset=32).reshape(tile.scales.shape)
    np.testing.assert_array_equal(scales, tile.scales)
    np.testing.assert_array_equal(
        np.frombuffer(answer, "<f2", offset=32 + scales.nbytes).reshape(tile.values.shape), tile.values
    )
    assert client.get(f"{path}/1/one").status_code == 404
    several = client.get(f"{path}/tiles/1.1-7.7-0.1")
    assert several.headers["Cache-Control"] == "no-store", "one of them is not there"
    found, at = [], 0
    while at < len(several.data):
        (length,) = atlas_routes.LENGTH.unpack_from(several.data, at)
        found.append(several.data[at + 4 : at + 4 + length])
        at += 4 + length + -length % 4
    assert found == [answer, b"", client.get(f"{path}/0/1").data]
    assert "max-age" in client.get(f"{path}/tiles/1.1-0.1").headers["Cache-Control"]
    for wrong_places in ("1", "1.1-", "1.1-x.0", "1.2.3", "-".join(["0.0"] * 9), "-1.0"):
        assert client.get(f"{path}/tiles/{wrong_places}").status_code == 404
    wrong = client.get(f"/atlas/{scene.pair_id}/small/{'0' * 64}/0/0")
    assert "Reload the page" in wrong.get_json()["error"]


def test_a_stopped_atlas_goes_on_where_it_was(
    atlases: Atlases, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[tuple[int, int]] = []
    reached, go_on = threading.Event(), threading.Event()
    right = Atlas._compute

    def counting(atlas: Atlas, *arguments: Any) -> None:
        computed.append(arguments[-2:])
        right(atlas, *arguments)
        if len(computed) == 2:
            reached.set()
            assert go_on.wait(30)

    monkeypatch.setattr(Atlas, "_compute", counting)
    atlases.start(scene, VIEWER)
    assert reached.wait(30)
    assert atlases.state(scene, VIEWER).running
    atlases.cancel(scene, VIEWER)
    go_on.set()
    wait_for(lambda: not atlases.state(scene, VIEWER).running)
    assert len(computed) == 2
    finished(atlases, scene)
    assert len(computed) == len(set(computed)) == TILES


def test_what_cannot_be_is_told(atlases: Atlases, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WeightsError, match="Reload the page"):
        atlases.start(dataclasses.replace(scene, weights_id="0" * 64), VIEWER)
    assert not atlases.state(dataclasses.replace(scene, support_radius=None), VIEWER).possible
    monkeypatch.setattr(atlas_estimate.shutil, "disk_usage", lambda path: SimpleNamespace(free=100))
    for refused in (atlases.estimate, lambda scene: atlases.start(scene, VIEWER)):
        with pytest.raises(AtlasError, match="MiB free"):
            refused(scene)


def test_the_page_asks_before_it_starts(atlases: Atlases, services: Services, scene: Scene) -> None:
    data = scene_data(scene)

    def after(event: str) -> tuple[Any, ...]:
        return followed(services, atlases, data, event, VIEWER)

    opened, text, value, start, stop, caption, idle = after(Id.ATLAS_BUTTON)
    assert opened is True and "MiB in 4 tiles, 0 of them there already" in text
    assert (value, start, stop, caption, idle) == (0, False, True, "Atlas …", True)
    after(Id.ATLAS_START)
    wait_for(lambda: after(Id.ATLAS_POLL)[5] == "Atlas ✓")
    _, text, value, start, stop, _, idle = after(Id.ATLAS_POLL)
    assert "is complete" in text
    assert (value, start, stop, idle) == (100, True, True, True)


def test_nothing_of_an_error_is_hidden(atlases: Atlases, services: Services, scene: Scene) -> None:
    missing = {**scene_data(scene), "pair_address": "nowhere"}
    _, text, _, start, stop, _, idle = followed(services, atlases, missing, Id.ATLAS_BUTTON, VIEWER)
    assert "nowhere" in text
    assert start and stop and idle


ENDING = """
import sys, threading
from pathlib import Path
import numpy as np
import fusion
from cache.atlas_work import ATLAS_LANES, AtlasWork
from cache.jobs import JobManager
from fusion import Pair
from fusion.saliency.atlas import Atlas

begun = threading.Event()
right = Atlas._compute
Atlas._compute = lambda *arguments: (right(*arguments), begun.set())
images = np.random.default_rng(0).random((2, 96, 96))
work = AtlasWork(fusion.load_method("deepfuse", "cpu"), Pair.from_arrays(*images), Path(sys.argv[1]), 1, lambda: None)
JobManager(ATLAS_LANES).submit("atlas", work.stages, "ann")
begun.wait(60)
"""


def test_a_server_that_ends_stops_its_atlas_without_complaint(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", ENDING, str(tmp_path / "atlas")], capture_output=True, text=True, timeout=120
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_atlases_are_computed_behind_everything_else() -> None:
    found: list[int] = []

    def work() -> None:
        yield_to_others()
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found[0] >= LOW_PRIORITY
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) < LOW_PRIORITY
