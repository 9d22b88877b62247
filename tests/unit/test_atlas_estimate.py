from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import fusion
from fusion import Method, Pair
from fusion.saliency import atlas_estimate
from fusion.saliency.atlas_estimate import estimate
from fusion.saliency.atlas_store import AtlasStore, Tile, TileContent
from tests.unit.moved_clock import MovedClock


@pytest.fixture(scope="module")
def method() -> Method:
    return fusion.load_method("weighted_averaging", "cpu")


@pytest.fixture
def pair(rng: np.random.Generator) -> Pair:
    return Pair.from_arrays(rng.random((128, 192)), rng.random((128, 192)))


def test_writing_is_part_of_the_time(
    tmp_path: Path, method: Method, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders: list[Path] = []
    clock = MovedClock(tick=0.001)
    monkeypatch.setattr(atlas_estimate, "time", SimpleNamespace(perf_counter=clock))

    right = AtlasStore.write

    def slow(store: AtlasStore, tile: Tile, content: TileContent) -> None:
        folders.append(store.folder.parent)
        clock.now += 0.2
        right(store, tile, content)

    monkeypatch.setattr(AtlasStore, "write", slow)
    assert estimate(method, pair, (0, 6), tmp_path / "atlases" / "of" / "mine").seconds >= 6 * 0.2
    assert 2 * 0.2 <= estimate(method, pair, (4, 6)).seconds < 6 * 0.2
    assert estimate(method, pair, (6, 6)).seconds == 0
    assert folders[0].parent == tmp_path, "on the atlas's own disk"
    assert list(tmp_path.iterdir()) == [], "nothing is left of it"


def test_where_nothing_may_be_written_the_time_is_told_all_the_same(
    tmp_path: Path, method: Method, pair: Pair
) -> None:
    (tmp_path / "file").write_text("no folder")
    assert estimate(method, pair, (0, 6), tmp_path / "file").seconds > 0


def test_a_slow_method_is_timed_once(method: Method, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    clock = MovedClock(tick=0.001)
    monkeypatch.setattr(atlas_estimate, "time", SimpleNamespace(perf_counter=clock))

    def slow(method: Method, pair: Pair, pixels: list[tuple[int, int]]) -> None:
        calls.append(len(pixels))
        clock.now += 0.1

    monkeypatch.setattr(atlas_estimate, "TIMING_S", 0.05)
    monkeypatch.setattr(atlas_estimate, "computed_windows", slow)
    seconds = estimate(method, pair, (0, 6)).seconds
    assert calls == [64]
    assert seconds >= 0.1 * 128 * 192 / 64
