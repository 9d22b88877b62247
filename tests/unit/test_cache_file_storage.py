"""The file cache keeps what it is given, as long as it should, within its bytes."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from cache.store.file_cache import BLOCK_BYTES, BoundedFileCache, Found
from tests.unit.cache_entries import MEGABYTE, blocks_in, file_of, files_in, number_of, value
from tests.unit.moved_clock import MovedClock


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock(tick=1e-3)


@pytest.fixture
def store(tmp_path: Path, clock: MovedClock) -> BoundedFileCache:
    return BoundedFileCache(tmp_path / "memo", MEGABYTE, default_timeout=300, clock=clock)


def test_keeps_what_it_is_given(store: BoundedFileCache) -> None:
    assert store.get("a") is None
    assert not store.has("a")
    assert store.set("a", value(1))
    assert store.set("b", value(2))
    assert store.has("a")
    assert [number_of(store.get(key)) for key in "abc"] == [1, 2, None]
    assert store.set("a", value(3))
    assert number_of(store.get("a")) == 3
    assert store.total_bytes == blocks_in(store) == 2 * BLOCK_BYTES


def test_a_second_cache_on_the_folder_sees_all(store: BoundedFileCache, clock: MovedClock) -> None:
    store.set("a", value(1))
    other = BoundedFileCache(store.folder, MEGABYTE, clock=clock)
    assert number_of(other.get("a")) == 1
    assert other.total_bytes == BLOCK_BYTES
    other.set("a", value(2))
    assert number_of(store.get("a")) == 2


def test_add_keeps_the_first(store: BoundedFileCache, clock: MovedClock) -> None:
    assert store.add("a", value(1), timeout=10)
    assert not store.add("a", value(2))
    assert number_of(store.get("a")) == 1
    clock.now += 11
    assert store.add("a", value(3))
    assert number_of(store.get("a")) == 3


def test_delete_and_clear(store: BoundedFileCache) -> None:
    for key in "abc":
        store.set(key, value(1))
    assert store.delete("a")
    assert not store.delete("a")
    assert store.get("a") is None
    assert store.total_bytes == 2 * BLOCK_BYTES
    assert store.clear()
    assert files_in(store) == []
    assert store.total_bytes == 0


def test_files_are_private(store: BoundedFileCache) -> None:
    store.set("a", value(1))
    assert store.folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in files_in(store)} == {0o600}


def test_only_arrays_are_kept(store: BoundedFileCache) -> None:
    with pytest.raises(TypeError):
        store.set("a", "text")
    assert files_in(store) == []


# Expiry


def test_default_timeout(store: BoundedFileCache, clock: MovedClock) -> None:
    store.set("a", value(1))
    clock.now += 299
    assert number_of(store.get("a")) == 1
    assert store.has("a")
    clock.now += 2
    assert not store.has("a")
    assert store.get("a") is None
    assert files_in(store) == []
    assert store.total_bytes == 0


def test_explicit_timeout_and_never(store: BoundedFileCache, clock: MovedClock) -> None:
    store.set("short", value(1), timeout=5)
    store.set("long", value(2), timeout=5000)
    store.set("never", value(3), timeout=0)
    store.set("past", value(4), timeout=-1)
    assert store.get("past") is None
    clock.now += 6
    store.prune()
    assert [number_of(store.get(key)) for key in ("short", "long", "never")] == [None, 2, 3]
    clock.now += 20 * 365 * 86400
    assert [number_of(store.get(key)) for key in ("short", "long", "never")] == [None, None, 3]


def test_use_does_not_prolong(store: BoundedFileCache, clock: MovedClock) -> None:
    store.set("a", value(1), timeout=10)
    for _ in range(9):
        clock.now += 1
        assert store.get("a") is not None
    clock.now += 2
    assert store.get("a") is None


def test_touching_the_file_does_not_prolong(store: BoundedFileCache, clock: MovedClock) -> None:
    store.set("a", value(1), timeout=10)
    later = int((clock.now + 10_000) * 1e9)
    os.utime(file_of(store, "a"), ns=(later, later))
    clock.now += 11
    assert store.get("a") is None


def test_a_new_cache_removes_what_expired(store: BoundedFileCache, clock: MovedClock) -> None:
    store.set("a", value(1), timeout=10)
    store.set("b", value(2), timeout=100)
    clock.now += 50
    BoundedFileCache(store.folder, MEGABYTE, clock=clock)
    assert files_in(store) == [file_of(store, "b")]


# Size


def test_never_exceeds_its_bytes(tmp_path: Path, clock: MovedClock) -> None:
    limit = 64 * BLOCK_BYTES
    store = BoundedFileCache(tmp_path, limit, clock=clock)
    sizes = np.random.default_rng(1).integers(1, 3000, size=200)
    for number, size in enumerate(sizes):
        assert store.set(f"key {number}", value(number, int(size)))
        assert blocks_in(store) <= limit
        assert store.total_bytes == blocks_in(store)
        assert number_of(store.get(f"key {number}")) == number
    assert blocks_in(store) > limit // 2


def test_least_recently_used_goes_first(tmp_path: Path, clock: MovedClock) -> None:
    store = BoundedFileCache(tmp_path, 10 * BLOCK_BYTES, clock=clock)
    for number in range(10):
        store.set(str(number), value(number))
    for used in ("0", "3"):
        assert store.get(used) is not None
    store.set("new", value(99))
    left = {key for key in [*map(str, range(10)), "new"] if store.has(key)}
    assert left == {"0", "3", "4", "5", "6", "7", "8", "9", "new"}


def test_expired_entries_go_before_used_ones(tmp_path: Path, clock: MovedClock) -> None:
    store = BoundedFileCache(tmp_path, 10 * BLOCK_BYTES, clock=clock)
    for number in range(5):
        store.set(f"old {number}", value(number), timeout=1000)
    for number in range(5):
        store.set(f"expired {number}", value(number), timeout=10)
    clock.now += 11
    store.set("new", value(99))
    assert set(files_in(store)) == {
        file_of(store, key) for key in [*(f"old {number}" for number in range(5)), "new"]
    }


def test_an_entry_larger_than_the_limit_is_not_kept(tmp_path: Path, clock: MovedClock) -> None:
    store = BoundedFileCache(tmp_path, 4 * BLOCK_BYTES, clock=clock)
    store.set("a", value(1))
    store.set("b", value(2))
    assert not store.set("a", value(3, 4 * BLOCK_BYTES // 8))
    assert store.get("a") is None, "the old value is not the value any more"
    assert number_of(store.get("b")) == 2
    assert store.total_bytes == BLOCK_BYTES


def test_an_entry_as_large_as_the_limit_is_kept_alone(tmp_path: Path, clock: MovedClock) -> None:
    store = BoundedFileCache(tmp_path, 4 * BLOCK_BYTES, clock=clock)
    store.set("a", value(1))
    assert store.set("b", value(2, (4 * BLOCK_BYTES - 300) // 8))
    assert files_in(store) == [file_of(store, "b")]
    assert number_of(store.get("b")) == 2


def test_an_existing_folder_is_brought_below_the_limit(tmp_path: Path, clock: MovedClock) -> None:
    large = BoundedFileCache(tmp_path, MEGABYTE, clock=clock)
    for number in range(20):
        large.set(str(number), value(number))
    small = BoundedFileCache(tmp_path, 10 * BLOCK_BYTES, clock=clock)
    assert {key for key in map(str, range(20)) if small.has(key)} == {str(number) for number in range(11, 20)}
    assert small.total_bytes == 9 * BLOCK_BYTES


def test_the_folder_is_not_scanned_for_each_entry(
    tmp_path: Path, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = BoundedFileCache(tmp_path, 1000 * BLOCK_BYTES, clock=clock)
    scans = []

    def counted() -> list[Found]:
        scans.append(1)
        return BoundedFileCache._scan(store)

    monkeypatch.setattr(store, "_scan", counted)
    for number in range(60):
        store.set(str(number), value(number))
        store.get(str(number))
    assert len(scans) == 0
    for number in range(60, 1000):
        store.set(str(number), value(number))
    assert 10 <= len(scans) <= 16


def test_what_other_processes_write_is_noticed(tmp_path: Path, clock: MovedClock) -> None:
    limit = 160 * BLOCK_BYTES
    ours, theirs = (BoundedFileCache(tmp_path, limit, clock=clock) for _ in range(2))
    for number in range(200):
        ours.set(f"ours {number}", value(number))
        theirs.set(f"theirs {number}", value(number))
        assert blocks_in(ours) <= limit * (1 + 2 / 16)
    assert blocks_in(ours) > limit // 2


def test_other_files_are_left_alone(store: BoundedFileCache) -> None:
    others = [store.folder / "README", store.folder / "ab" / "notes.txt", store.folder / "long" / ("0" * 64)]
    for path in others:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * 100_000)
    store.set("a", value(1))
    store.limit_bytes = BLOCK_BYTES
    store.prune()
    assert store.total_bytes == BLOCK_BYTES
    assert store.clear()
    assert all(path.exists() for path in others)


def test_abandoned_temporary_files_are_removed(store: BoundedFileCache, clock: MovedClock) -> None:
    store.set("a", value(1))
    left = file_of(store, "a").with_name("0" * 64 + ".00ff.temporary")
    left.write_bytes(b"half of an ent")
    clock.now = left.stat().st_ctime + 60
    store.prune()
    assert left.exists()
    clock.now += 3600
    store.prune()
    assert not left.exists()
