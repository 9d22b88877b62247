"""Several processes that make one atlas: each tile is computed once, and nothing is lost or mixed."""

from __future__ import annotations

import errno
import fcntl
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

import fusion
from fusion import Method, Pair
from fusion.errors import AtlasError, Cancelled
from fusion.saliency.atlas import TILE, Atlas, AtlasProgress
from fusion.saliency.atlas_claims import Claims

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def method() -> Method:
    return fusion.load_method("weighted_averaging", "cpu")


@pytest.fixture
def pair(rng: np.random.Generator) -> Pair:
    return Pair.from_arrays(rng.random((16, 24)), rng.random((16, 24)))


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fusion.saliency.atlas_layout.TILE_SIDES", (TILE,))


@pytest.fixture
def claims(tmp_path: Path) -> Iterator[tuple[Claims, Claims]]:
    with Claims(tmp_path / "claims") as one, Claims(tmp_path / "claims") as other:
        yield one, other


FILLING = """
import sys
from pathlib import Path
import numpy as np
import fusion
from fusion import Pair
from fusion.saliency import atlas, atlas_layout

atlas_layout.TILE_SIDES = (8,)
computed, right = [], atlas.computed_tile
def counted(method, pair, tile, *arguments):
    computed.append(tile)
    return right(method, pair, tile, *arguments)
atlas.computed_tile = counted
pair = Pair.from_arrays(*np.load(sys.argv[2]))
method = fusion.load_method("weighted_averaging", "cpu")
fusion.jacobian(method, pair, (0, 0))
mine = atlas.Atlas(Path(sys.argv[1]), method, pair)
print("ready", flush=True)
sys.stdin.readline()
mine.fill(method, pair)
print(len(computed))
"""


def test_two_processes_share_an_atlas_and_every_window_is_right(
    tmp_path: Path, method: Method, rng: np.random.Generator
) -> None:
    pair = Pair.from_arrays(*rng.random((2, 96, 96)))
    np.save(tmp_path / "pair.npy", pair.images)
    folder = tmp_path / "atlas"
    command = [sys.executable, "-c", FILLING, str(folder), str(tmp_path / "pair.npy")]
    processes = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        for process in processes:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        computed = [int(process.communicate(timeout=240)[0]) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert [process.returncode for process in processes] == [0, 0]
    assert sum(computed) == 144, "none is computed twice"
    assert min(computed) > 0, "both took part"
    atlas = Atlas(folder, method, pair)
    assert atlas.complete
    every = [(row, col) for row in range(96) for col in range(96)]
    for expected in fusion.jacobians(method, pair, every):
        found = atlas.window(expected.row, expected.col).values
        assert np.abs(found - expected.values).max() <= 2**-11 * np.abs(expected.values).max()


def test_a_claim_is_one_holders_until_it_ends(claims: tuple[Claims, Claims]) -> None:
    one, other = claims
    with one.claimed(3) as mine:
        assert mine
        with other.claimed(3) as theirs, other.claimed(4) as another:
            assert (theirs, another) == (False, True)
            with one.claimed(4) as taken:
                assert not taken
        with other.claimed(3) as theirs:
            assert not theirs, "whoever did not get it cannot end it"
    with other.claimed(3) as theirs:
        assert theirs


def test_what_another_is_at_is_waited_for_and_then_found(tmp_path: Path, method: Method, pair: Pair) -> None:
    atlas, other = Atlas(tmp_path, method, pair), Atlas(tmp_path, method, pair)
    ended, waiting = threading.Event(), threading.Event()
    reports: list[int] = []

    def progress(done: int, total: int) -> None:
        reports.append(done)
        if reports.count(5) >= 3:
            waiting.set()

    def fill() -> None:
        atlas.fill(method, pair, progress)
        ended.set()

    with Claims(atlas._files.claims) as held, held.claimed(2) as mine:
        assert mine
        threading.Thread(target=fill, daemon=True).start()
        assert waiting.wait(60)
        assert not ended.is_set()
        assert atlas.tiles_done == (5, 6)
        # Whoever waits can be stopped, too.
        with pytest.raises(Cancelled):
            other.fill(method, pair, stop_at_second(5))
    assert ended.wait(60)
    assert reports[-1] == 6 and Atlas(tmp_path, method, pair).complete


def stop_at_second(number: int) -> AtlasProgress:
    seen: list[int] = []

    def progress(done: int, total: int) -> None:
        seen.append(done)
        if seen.count(number) == 2:
            raise Cancelled("Enough.")

    return progress


def test_windows_that_another_process_has_computed_are_found_at_once(
    tmp_path: Path, method: Method, pair: Pair
) -> None:
    reader = Atlas(tmp_path, method, pair)
    assert not reader.has(3, 4) and np.isnan(reader.kept([(3, 4)]).scales).all()
    Atlas(tmp_path, method, pair).fill(method, pair)
    assert reader.has(3, 4) and not np.isnan(reader.kept([(3, 4)]).scales).any()
    assert not reader.complete
    reader.refresh()
    assert reader.complete


def test_where_nothing_can_be_locked_an_atlas_is_made_all_the_same(
    tmp_path: Path,
    method: Method,
    pair: Pair,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(*arguments: object) -> NoReturn:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "fcntl", refuse)
    monkeypatch.setattr(fcntl, "lockf", refuse)
    atlas = Atlas(tmp_path, method, pair)
    with caplog.at_level(logging.WARNING):
        atlas.fill(method, pair)
    assert atlas.complete
    assert caplog.text.count("only one process at a time") == 1


def test_locks_of_a_process_do_where_there_are_none_of_a_file(
    tmp_path: Path, method: Method, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fusion.saliency.atlas_claims._OF_THE_FILE", None)
    atlas = Atlas(tmp_path, method, pair)
    atlas.fill(method, pair)
    assert atlas.complete


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, method: Method, pair: Pair) -> None:
    atlas = Atlas(tmp_path, method, pair)
    (tmp_path / "values/.claims").mkdir()
    with pytest.raises(AtlasError, match="cannot be written"):
        atlas.fill(method, pair)
