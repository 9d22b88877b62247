"""Whatever lies in the folder of the file cache: a miss at worst, and never unpickled."""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import shutil
import struct
from pathlib import Path

import pytest

from cache.store.file_cache import HEADER_BYTES, BoundedFileCache
from tests.unit.cache_entries import MEGABYTE, Bomb, file_of, files_in, number_of, value
from tests.unit.moved_clock import MovedClock


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock(tick=1e-3)


@pytest.fixture
def store(tmp_path: Path, clock: MovedClock) -> BoundedFileCache:
    return BoundedFileCache(tmp_path / "memo", MEGABYTE, default_timeout=300, clock=clock)


def assert_forgotten(store: BoundedFileCache, key: str, caplog: pytest.LogCaptureFixture) -> None:
    """Assert that a damaged entry is a miss, is logged as a warning, is gone, and can be written again."""
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        assert store.get(key) is None
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "damaged" in caplog.text
    assert not os.path.lexists(file_of(store, key))
    assert store.set(key, value(5))
    assert number_of(store.get(key)) == 5


def test_every_truncation_is_a_miss(store: BoundedFileCache, caplog: pytest.LogCaptureFixture) -> None:
    store.set("a", value(1))
    path = file_of(store, "a")
    content = path.read_bytes()
    assert len(content) < 300
    for length in range(len(content)):
        path.write_bytes(content[:length])
        assert_forgotten(store, "a", caplog)


def test_every_flipped_byte_is_a_miss(store: BoundedFileCache, caplog: pytest.LogCaptureFixture) -> None:
    store.set("a", value(1))
    path = file_of(store, "a")
    content = path.read_bytes()
    for position in range(len(content)):
        for mask in (0x01, 0x80, 0xFF):
            damaged = bytearray(content)
            damaged[position] ^= mask
            path.write_bytes(damaged)
            assert_forgotten(store, "a", caplog)


def test_additions_are_a_miss(store: BoundedFileCache, caplog: pytest.LogCaptureFixture) -> None:
    store.set("a", value(1))
    with file_of(store, "a").open("ab") as file:
        file.write(b"\0")
    assert_forgotten(store, "a", caplog)


def test_the_entry_of_another_key_is_a_miss(
    store: BoundedFileCache, caplog: pytest.LogCaptureFixture
) -> None:
    store.set("a", value(1))
    store.set("b", value(2))
    shutil.copy(file_of(store, "b"), file_of(store, "a"))
    assert_forgotten(store, "a", caplog)
    assert number_of(store.get("b")) == 2


def test_a_folder_in_an_entrys_place_is_a_miss(
    store: BoundedFileCache, caplog: pytest.LogCaptureFixture
) -> None:
    (file_of(store, "a") / "deep" / "er").mkdir(parents=True)
    (file_of(store, "a") / "deep" / "file").write_text("x")
    assert_forgotten(store, "a", caplog)


def test_a_folder_in_an_entrys_place_can_be_overwritten(store: BoundedFileCache) -> None:
    (file_of(store, "a") / "deep").mkdir(parents=True)
    assert store.set("a", value(1))
    assert number_of(store.get("a")) == 1


def test_links_in_an_entrys_place_are_removed_not_followed(
    store: BoundedFileCache, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("x")
    for target in (precious, precious / "file"):
        path = file_of(store, "a")
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(target)
        assert_forgotten(store, "a", caplog)
    assert (precious / "file").read_text() == "x"


def test_a_huge_file_in_an_entrys_place_is_not_read(
    store: BoundedFileCache, caplog: pytest.LogCaptureFixture
) -> None:
    path = file_of(store, "a")
    path.parent.mkdir()
    with path.open("wb") as file:
        file.truncate(2**40)  # sparse: takes no space, but no memory could hold it
    assert_forgotten(store, "a", caplog)


def test_the_folder_may_disappear(store: BoundedFileCache) -> None:
    store.set("a", value(1))
    shutil.rmtree(store.folder)
    assert store.get("a") is None
    store.prune()
    assert store.set("a", value(2))
    assert number_of(store.get("a")) == 2
    assert store.problem is None


def test_a_folder_that_cannot_be_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    obstacle = tmp_path / "file"
    obstacle.write_text("x")
    with caplog.at_level(logging.INFO):
        store = BoundedFileCache(obstacle / "memo", MEGABYTE)
        for number in range(5):
            assert not store.set("a", value(number))
            assert store.get("a") is None
    assert len(caplog.records) == 1
    assert "computed anew" in caplog.text
    assert store.problem is not None
    assert str(obstacle) in store.problem
    obstacle.unlink()
    with caplog.at_level(logging.INFO):
        assert store.set("a", value(7))
    assert number_of(store.get("a")) == 7
    assert store.problem is None
    assert "works again" in caplog.text


def test_a_failed_write_leaves_the_old_entry_and_nothing_else(
    store: BoundedFileCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.set("a", value(1))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        assert not store.set("a", value(2))
    assert number_of(store.get("a")) == 1
    assert files_in(store) == [file_of(store, "a")]


def test_nothing_in_the_folder_is_ever_unpickled(
    tmp_path: Path, clock: MovedClock, caplog: pytest.LogCaptureFixture
) -> None:
    mark = tmp_path / "exploded"
    bomb = pickle.dumps(Bomb(mark))
    pickle.loads(bomb)  # noqa: S301
    assert mark.exists(), "the bomb must work, or this test shows nothing"
    mark.unlink()

    store = BoundedFileCache(tmp_path / "memo", MEGABYTE, clock=clock)
    store.set("valid", value(1))
    header = file_of(store, "valid").read_bytes()[:HEADER_BYTES]
    forms = [bomb, struct.pack("I", 0) + bomb, b"!" + bomb, header + bomb, header + b"!" + bomb]
    for form in forms:
        file_of(store, "valid").write_bytes(form)
        assert_forgotten(store, "valid", caplog)
    # Where cachelib's own back end would keep its count of files.
    count = hashlib.sha256(b"__wz_cache_count").hexdigest()
    for name in (count, f"{count}.entry", f"{count[:2]}/{count}.entry", "x.__wz_cache"):
        (store.folder / count[:2]).mkdir(exist_ok=True)
        (store.folder / name).write_bytes(struct.pack("I", 0) + bomb)
    for again in (store, BoundedFileCache(store.folder, MEGABYTE, clock=clock)):
        again.prune()
        again.get("__wz_cache_count")
        again.has("__wz_cache_count")
        again.set("b", value(2))
        again.get_many("a", "b", "valid")
        again.clear()
    assert not mark.exists()


def test_pickle_is_not_used(store: BoundedFileCache, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("pickle was used")

    for name in ("dump", "dumps", "load", "loads", "Pickler", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    store.set("a", value(1))
    assert number_of(store.get("a")) == 1
    store.add("b", value(2))
    store.prune()
    store.clear()
