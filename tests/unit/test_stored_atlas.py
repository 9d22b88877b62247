"""Atlases of a store that is no folder: the same numbers, nothing damaged is read, and hovers do not wait for them."""

from __future__ import annotations

import logging
import time
import uuid
from pathlib import Path

import numpy as np
import pytest

import fusion
from cache.services import stored_atlases
from cache.services.atlases import AtlasFolder
from cache.services.stored_atlases import LOOK_AGAIN_S, REST_S, StoredAtlases
from fusion import Method, Pair
from fusion.errors import AtlasError
from fusion.saliency.atlas import TILE, Atlas
from fusion.work.addresses import Kind, Work
from fusion.work.atlas_units import AtlasUnits
from fusion.work.engines import Here
from fusion.work.store import ChunkStore
from fusion.work.stored_atlas import atlas_of, found_atlas
from fusion.work.tasks import Job, Task
from tests.unit.command_line import run
from tests.unit.moved_clock import MovedClock

SHAPE = (12, 20)
WAIT_S = 120.0


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have several tiles in a small image: two rows of three."""
    monkeypatch.setattr("fusion.saliency.atlas_store.TILE_SIDES", (TILE,))


@pytest.fixture(scope="module")
def method() -> Method:
    return fusion.load_method("weighted_averaging", "cpu")


@pytest.fixture
def pair(rng: np.random.Generator) -> Pair:
    return Pair.from_arrays(*rng.random((2, *SHAPE)))


@pytest.fixture(params=["folder", "objects"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ChunkStore:
    return ChunkStore(tmp_path / "store" if request.param == "folder" else f"memory://{uuid.uuid4()}/store")


def filled(store: ChunkStore, method: Method, pair: Pair) -> Atlas:
    atlas_of(store, method, pair).fill(method, pair)
    atlas = found_atlas(store, method, pair)
    assert atlas is not None and atlas.complete
    return atlas


def chunk(store: ChunkStore, name: str) -> str:
    (found,) = [one for one in store.files.find(store.root) if one.endswith(name)]
    return str(found)


def found(atlases: StoredAtlases, method: Method, pair: Pair) -> Atlas:
    """Return what is found beside."""
    deadline = time.monotonic() + WAIT_S
    while (atlas := atlases.find(method, pair)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return atlas


def test_units_make_it_and_its_numbers_are_those_of_an_atlas_in_a_folder(
    store: ChunkStore, method: Method, pair: Pair, tmp_path: Path
) -> None:
    assert found_atlas(store, method, pair) is None
    store.put_pair(pair)
    job = Job(Work.of(Kind.ATLAS, method, pair.id), SHAPE, store.url)
    missing = Here().missing(job)
    assert sorted(missing) == list(range(6))
    assert [one.problem for one in Here().run([Task(job, number) for number in missing[:2]])] == [None] * 2
    begun = found_atlas(store, method, pair)
    assert begun is not None and begun.tiles_done == (2, 6)
    assert sorted(Here().missing(job)) == sorted(missing[2:]), "it goes on where it was"
    list(Here().run([Task(job, number) for number in missing[2:]]))
    assert AtlasUnits(method, pair, store).missing() == []

    atlas = found_atlas(store, method, pair)
    own = Atlas(tmp_path / "own", method, pair)
    own.fill(method, pair)
    assert atlas is not None
    for pixel in ((0, 0), (5, 13), (11, 19)):
        np.testing.assert_array_equal(atlas.window(*pixel).values, own.window(*pixel).values)


@pytest.mark.parametrize("array", ["values/c.0.0.0.0.0", "scales/c.0.0"])
@pytest.mark.parametrize("damage", ["bit", "cut", "gone"])
def test_damage_is_never_read_and_is_computed_anew(
    store: ChunkStore, method: Method, pair: Pair, array: str, damage: str
) -> None:
    right = filled(store, method, pair).window(3, 4).values
    place = chunk(store, array)
    content = bytearray(store.files.cat_file(place))
    if damage == "gone":
        store.files.rm(place)
    else:
        content[len(content) // 2] ^= 1
        store.files.pipe_file(place, bytes(content[:9] if damage == "cut" else content))
    atlas = found_atlas(store, method, pair)
    assert atlas is not None
    with pytest.raises(AtlasError):
        atlas.window(3, 4)
    assert atlas.missing_tiles() == [0]
    again = filled(store, method, pair)
    np.testing.assert_array_equal(again.window(3, 4).values, right)


def test_a_damaged_description_is_told(store: ChunkStore, method: Method, pair: Pair) -> None:
    filled(store, method, pair)
    place = chunk(store, "values/zarr.json")
    store.files.pipe_file(place, b"no JSON")
    with pytest.raises(AtlasError, match="cannot be opened"):
        found_atlas(store, method, pair)


def test_hovers_read_what_a_command_has_left(
    tmp_path: Path, method: Method, rng: np.random.Generator
) -> None:
    for modality in ("mri", "pet"):
        np.save(tmp_path / f"{modality}_1.npy", rng.random(SHAPE))
    url = f"memory://{uuid.uuid4()}"
    command = ("precompute", "--store", url, "--data-dir", str(tmp_path), "-p", "1", "-m", method.id)
    assert "7 units were computed" in run(*command).stderr
    assert "; 0 units were computed" in run(*command).stderr
    pair = fusion.load_pair(tmp_path / "mri_1.npy", tmp_path / "pet_1.npy")
    stored = StoredAtlases(ChunkStore(url))
    shelf = AtlasFolder(tmp_path / "atlas", stored=stored)
    found(stored, method, pair)
    window = shelf.window(method, pair, 7, 9)
    assert window is not None and window.path == "atlas"
    exact = fusion.jacobian(method, pair, (7, 9)).values
    np.testing.assert_allclose(window.values, exact, atol=2**-11 * np.abs(exact).max())
    furthest = shelf.furthest(method, pair)
    assert furthest is not None and furthest.complete and shelf.find(method, pair) is None
    assert not (tmp_path / "atlas").exists(), "nothing is copied"


def test_what_is_not_there_yet_is_looked_for_again(store: ChunkStore, method: Method, pair: Pair) -> None:
    clock = MovedClock()
    stored = StoredAtlases(store, clock)
    assert stored.window(method, pair, 0, 0) is None
    settle(stored, method, pair)
    filled(store, method, pair)
    assert stored.find(method, pair) is None, "not before its time"
    clock.now += LOOK_AGAIN_S
    assert found(stored, method, pair).complete
    assert stored.window(method, pair, 0, 0) is not None


def settle(stored: StoredAtlases, method: Method, pair: Pair) -> None:
    """Wait until nobody looks any more."""
    deadline = time.monotonic() + WAIT_S
    while stored._of(method, pair).looking:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_damaged_tile_costs_its_own_hovers_alone(
    store: ChunkStore, method: Method, pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    filled(store, method, pair)
    store.files.pipe_file(chunk(store, "values/c.0.0.0.0.0"), b"nothing")
    stored = StoredAtlases(store)
    found(stored, method, pair)
    with caplog.at_level(logging.WARNING):
        assert stored.window(method, pair, 0, 0) is None
    assert "computed instead" in caplog.text
    assert stored.window(method, pair, 0, 8) is not None


def test_a_store_that_does_not_answer_is_left_alone_for_a_while(
    store: ChunkStore, method: Method, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(store, method, pair)
    clock, asked = MovedClock(), list[None]()
    stored = StoredAtlases(store, clock)
    atlas = found(stored, method, pair)

    def gone(*_: object) -> None:
        asked.append(None)
        raise AtlasError("the store cannot be used") from OSError("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(type(atlas._store), "read", gone)
        patch.setattr(stored_atlases, "found_atlas", gone)
        for _ in range(3):
            assert stored.window(method, pair, 0, 0) is None
        assert len(asked) == 1, "the first hover has found out for all"
        clock.now += REST_S
        assert stored.find(method, pair) is None
        settle(stored, method, pair)
        assert len(asked) == 2 and stored.find(method, pair) is None
    clock.now += REST_S
    assert found(stored, method, pair).complete
