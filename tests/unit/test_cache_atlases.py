"""Atlases for the page: announced, made in the background, stopped, taken up again, read by windows."""

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

import fusion
from app.ids import Id
from app.routes.binary import ATLAS_HEADER, MOST_WINDOWS, window_bytes
from app.routes.binary import WINDOW_HEADER as PIXEL_HEADER
from cache.jobs.threads import LOW_PRIORITY, yield_to_others
from cache.services.atlases import Atlases, AtlasFolder, AtlasState
from cache.services.scenes import Scene
from cache.services.services import Services
from cache.store.sealed import bytes_on_disk
from callbacks.atlas import followed
from callbacks.selection import scene_data
from fusion.errors import AtlasError, FuseVisError, WeightsError
from fusion.saliency import atlas_estimate
from fusion.saliency.atlas import TILE
from fusion.saliency.atlas_store import AtlasStore, Tile, TileContent
from tests.unit.page_services import SHAPE, client_of, load, make_services, write_pair
from tests.unit.small_services import wait_for

VIEWER = "ann"
TILES = 4


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have several tiles in a small image."""
    monkeypatch.setattr("fusion.saliency.atlas_store.TILE_SIDES", (TILE,))


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    made = make_services(tmp_path, [write_pair(tmp_path)])
    yield made
    made.close()


@pytest.fixture
def atlases(tmp_path: Path, services: Services) -> Iterator[Atlases]:
    made = Atlases(services.scenes, AtlasFolder(tmp_path / "atlas"), 1)
    yield made
    made.close()


@pytest.fixture
def scene(services: Services) -> Scene:
    return services.scenes.open("3", "small")


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


def test_windows_are_there_as_they_are_kept(atlases: Atlases, services: Services, scene: Scene) -> None:
    address = (scene.pair_id, scene.method_id, scene.weights_id)
    pixels = [(row, col) for row in range(SHAPE[0]) for col in range(SHAPE[1])]
    assert atlases.windows_at(*address, pixels) is None
    finished(atlases, scene)
    found = atlases.windows_at(*address, [*pixels, (SHAPE[0], 0), (0, SHAPE[1])])
    assert found is not None, "noticed at once"
    assert np.isnan(found.scales[-2:]).all(), "there are no such pixels"
    assert len(found.values) == len(pixels)
    pair, method = services.scenes.pair(scene), load("small", "cpu")
    for (row, col), scale, values in zip(pixels, found.scales, found.values, strict=False):
        expected = fusion.jacobian(method, pair, (row, col))
        top, left = expected.top - row + found.radius, expected.left - col + found.radius
        height, width = expected.values.shape[1:]
        window = values[:, top : top + height, left : left + width] * scale
        bound = 2**-11 * np.abs(expected.values).max() * (1 + 1e-5)
        assert np.abs(window - expected.values).max() <= bound


def test_a_damaged_chunk_costs_its_own_windows_only(
    atlases: Atlases, scene: Scene, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    finished(atlases, scene)
    next((tmp_path / "atlas").glob("*/*/values/c.0.0.0.0.0")).unlink()
    found = atlases.windows_at(
        scene.pair_id, scene.method_id, scene.weights_id, [(0, 0), (TILE, 0), (1, 1), (0, TILE)]
    )
    assert found is not None
    assert np.isnan(found.scales).tolist() == [True, False, True, False]
    assert len(found.values) == 2
    assert caplog.text.count("Windows of an atlas cannot be read") == 1


def test_the_route_sends_windows_as_they_are_kept(atlases: Atlases, services: Services, scene: Scene) -> None:
    client = client_of(services, atlases=atlases)
    path = f"/atlas/{scene.pair_id}/{scene.method_id}/{scene.weights_id}"
    nothing = client.get(f"{path}/1.1.2")
    assert (nothing.status_code, nothing.data, nothing.headers["Cache-Control"]) == (200, b"", "no-store")
    finished(atlases, scene)
    wait_for(lambda: bool(client.get(f"{path}/1.1.1").data))
    answer = client.get(f"{path}/1.0.2-0.1.1-{SHAPE[0]}.3.1")
    assert answer.headers["Cache-Control"] == "no-store", "one of them is not there"
    kept = atlases.windows_at(
        scene.pair_id, scene.method_id, scene.weights_id, [(1, 0), (1, 1), (0, 1), (SHAPE[0], 3)]
    )
    assert kept is not None
    assert ATLAS_HEADER.unpack_from(answer.data) == (kept.radius, 4, 0, 0, 0, 0, 0, 0)
    np.testing.assert_array_equal(np.frombuffer(answer.data, "<f4", 4, offset=32), kept.scales)
    assert np.isnan(kept.scales).tolist() == [False, False, False, True]
    side = 2 * kept.radius + 1
    np.testing.assert_array_equal(
        np.frombuffer(answer.data, "<f2", offset=48).reshape(3, 2, side, side), np.array(kept.values)
    )
    assert "max-age" in client.get(f"{path}/1.0.2-0.1.1").headers["Cache-Control"]
    assert client.get(f"{path}/0.0.{MOST_WINDOWS}").status_code == 200
    too_many = f"0.0.{MOST_WINDOWS}-1.0.1"
    for wrong_pixels in ("1", "1.1", "1.1.1-", "1.1.x", "1.2.3.4", "1.1.0", "-1.0.1", too_many):
        assert client.get(f"{path}/{wrong_pixels}").status_code == 404
    wrong = client.get(f"/atlas/{scene.pair_id}/small/{'0' * 64}/0.0.1")
    assert "Reload the page" in wrong.get_json()["error"]


def test_what_is_damaged_does_not_refuse_what_was_asked_for_with_it(
    atlases: Atlases, services: Services, scene: Scene, tmp_path: Path
) -> None:
    client = client_of(services, atlases=atlases)
    path = f"/atlas/{scene.pair_id}/{scene.method_id}/{scene.weights_id}"
    finished(atlases, scene)
    good = client.get(f"{path}/{TILE}.{TILE}.1").data
    values, scales = (next((tmp_path / "atlas").glob(f"*/*/{name}")) for name in ("values", "scales"))
    (values / "c.0.0.0.0.0").write_bytes(b"")
    (values / "c.0.1.0.0.0").unlink()
    (values / "c.0.1.0.0.0").mkdir()
    # Of the right size, but without numbers: its windows must not be taken for those of the next pixels.
    (scales / "c.1.0").write_bytes(np.full(TILE * TILE, np.nan, "<f4").tobytes())
    every = f"0.0.{SHAPE[1]}-{TILE}.0.{TILE + 1}"
    answer = client.get(f"{path}/{every}")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    found = np.frombuffer(answer.data, "<f4", SHAPE[1] + TILE + 1, offset=32)
    assert np.isnan(found).tolist() == [True] * (SHAPE[1] + TILE) + [False]
    assert answer.data[32 + 4 * found.size :] == good[36:]
    # The window of the pixel itself is computed.
    address = (scene.pair_id, scene.method_id, scene.weights_id)
    together = client.get(f"{path}/0/0/{every}")
    window = window_bytes(services.windows.at(*address, 0, 0))
    assert together.status_code == 200
    assert together.data[PIXEL_HEADER.size :] == (window + answer.data)[PIXEL_HEADER.size :]


def test_windows_come_along_with_the_window_of_a_pixel(
    atlases: Atlases, services: Services, scene: Scene
) -> None:
    client = client_of(services, atlases=atlases)
    address = (scene.pair_id, scene.method_id, scene.weights_id)
    path = "/atlas/" + "/".join(address)

    def window() -> bytes:
        return window_bytes(services.windows.at(*address, 2, 3))

    alone = client.get(f"{path}/2/3/1.0.2-0.1.1")
    assert alone.data[PIXEL_HEADER.size :] == window()[PIXEL_HEADER.size :], (
        "no atlas yet: the window is there all the same"
    )
    finished(atlases, scene)
    ahead = client.get(f"{path}/1.0.2-0.1.1").data
    answer = client.get(f"{path}/2/3/1.0.2-0.1.1")
    assert ahead and answer.data == window() + ahead
    assert "compute" in answer.headers["Server-Timing"]
    for wrong in ("2/3/1.1", "2/3/1.1.0", "2/x/1.1.1", "-1/3/1.1.1"):
        assert client.get(f"{path}/{wrong}").status_code == 404
    outside = client.get(f"{path}/{SHAPE[0]}/3/1.0.2")
    assert outside.status_code == 404 and outside.get_json()["error"]
    old = client.get(f"/atlas/{scene.pair_id}/small/{'0' * 64}/0/0/0.0.1")
    assert "Reload the page" in old.get_json()["error"]


def test_a_stopped_atlas_goes_on_where_it_was(
    atlases: Atlases, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[tuple[int, int]] = []
    reached, go_on = threading.Event(), threading.Event()
    right = AtlasStore.write

    def counting(files: AtlasStore, tile: Tile, content: TileContent) -> None:
        computed.append(tile)
        right(files, tile, content)
        if len(computed) == 2:
            reached.set()
            assert go_on.wait(30)

    monkeypatch.setattr(AtlasStore, "write", counting)
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
        return followed(services, atlases, data, frozenset({event}), VIEWER)

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
    _, text, _, start, stop, _, idle = followed(
        services, atlases, missing, frozenset({Id.ATLAS_BUTTON}), VIEWER
    )
    assert "nowhere" in text
    assert start and stop and idle


ENDING = """
import sys, threading, time
from pathlib import Path
import numpy as np
import fusion
from cache.services.atlases import ATLAS_LANES, AtlasWork
from cache.jobs.manager import Jobs
from cache.store.addresses import AtlasAddress
from fusion import Pair
from fusion.saliency.atlas_store import AtlasStore

begun = threading.Event()
right, writes = AtlasStore.write, []
def write(*arguments):
    writes.append(arguments)
    if len(writes) == int(sys.argv[2]):
        begun.set()
        time.sleep(0.5)
    right(*arguments)
    begun.set()
AtlasStore.write = write
images = np.random.default_rng(0).random((2, 96, 96))
work = AtlasWork(fusion.load_method("deepfuse", "cpu"), Pair.from_arrays(*images), Path(sys.argv[1]), 1, lambda: None)
Jobs(ATLAS_LANES).submit(AtlasAddress("pair", "deepfuse", "weights", device="cpu"), work.stages, "ann")
begun.wait(60)
"""


@pytest.mark.parametrize("writing", [1, 0], ids=["while it writes", "while it computes"])
def test_a_server_that_ends_stops_its_atlas_without_complaint(tmp_path: Path, writing: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", ENDING, str(tmp_path / "atlas"), str(writing)],
        capture_output=True,
        text=True,
        timeout=240,
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


def test_all_atlases_together_take_no_more_than_they_may(
    atlases: Atlases, services: Services, scene: Scene, tmp_path: Path
) -> None:
    finished(atlases, scene)
    folder = tmp_path / "atlas"
    taken = bytes_on_disk(folder, below=True)
    assert taken >= sum(path.stat().st_size for path in folder.rglob("c.*")) > 0
    another = services.scenes.open("3", "weighted_averaging")
    full = Atlases(services.scenes, AtlasFolder(folder, most_bytes=taken + 1), 1)
    for use in (full.estimate, lambda scene: full.start(scene, VIEWER)):
        with pytest.raises(FuseVisError, match="keeps no more than"):
            use(another)
    assert full.state(scene, VIEWER).complete, "those that are there are used"
    full.close()
    roomy = Atlases(services.scenes, AtlasFolder(folder, most_bytes=taken + 2**24), 1)
    finished(roomy, another)
    assert roomy.state(another, VIEWER).complete
    roomy.close()
