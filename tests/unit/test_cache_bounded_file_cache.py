"""The file cache: bounded in bytes, shared by threads and processes, never fatal, never unpickled."""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import shutil
import struct
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import flask
import flask_caching
import numpy as np
import pytest

from cache.bounded_file_cache import BoundedFileCache
from cache.entry_file import HEADER_BYTES
from cache.entry_folder import BLOCK_BYTES, Found

MEGABYTE = 2**20
ROOT = Path(__file__).parents[2]


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        self.now += 1e-3
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> BoundedFileCache:
    return BoundedFileCache(tmp_path / "memo", MEGABYTE, default_timeout=300, clock=clock)


def value(number: float, size: int = 4) -> dict[str, np.ndarray]:
    return {"values": np.full(size, number)}


def file_of(store: BoundedFileCache, key: str) -> Path:
    return Path(store._path(key))


def files_in(store: BoundedFileCache) -> list[Path]:
    return [path for path in store.folder.rglob("*") if path.is_file()]


def blocks_in(store: BoundedFileCache) -> int:
    return sum(-(-path.stat().st_size // BLOCK_BYTES) * BLOCK_BYTES for path in files_in(store))


def number_of(arrays: dict[str, np.ndarray] | None) -> float | None:
    return None if arrays is None else float(arrays["values"][0])


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


def test_a_second_cache_on_the_folder_sees_all(store: BoundedFileCache, clock: Clock) -> None:
    store.set("a", value(1))
    other = BoundedFileCache(store.folder, MEGABYTE, clock=clock)
    assert number_of(other.get("a")) == 1
    assert other.total_bytes == BLOCK_BYTES
    other.set("a", value(2))
    assert number_of(store.get("a")) == 2


def test_add_keeps_the_first(store: BoundedFileCache, clock: Clock) -> None:
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


def test_default_timeout(store: BoundedFileCache, clock: Clock) -> None:
    store.set("a", value(1))
    clock.now += 299
    assert number_of(store.get("a")) == 1
    assert store.has("a")
    clock.now += 2
    assert not store.has("a")
    assert store.get("a") is None
    assert files_in(store) == []
    assert store.total_bytes == 0


def test_explicit_timeout_and_never(store: BoundedFileCache, clock: Clock) -> None:
    store.set("short", value(1), timeout=5)
    store.set("long", value(2), timeout=5000)
    store.set("never", value(3), timeout=0)
    store.set("past", value(4), timeout=-1)
    assert store.get("past") is None
    clock.now += 6
    assert [number_of(store.get(key)) for key in ("short", "long", "never")] == [None, 2, 3]
    clock.now += 20 * 365 * 86400
    assert [number_of(store.get(key)) for key in ("short", "long", "never")] == [None, None, 3]


def test_use_does_not_prolong(store: BoundedFileCache, clock: Clock) -> None:
    store.set("a", value(1), timeout=10)
    for _ in range(9):
        clock.now += 1
        assert store.get("a") is not None
    clock.now += 2
    assert store.get("a") is None


def test_touching_the_file_does_not_prolong(store: BoundedFileCache, clock: Clock) -> None:
    store.set("a", value(1), timeout=10)
    later = int((clock.now + 10_000) * 1e9)
    os.utime(file_of(store, "a"), ns=(later, later))
    clock.now += 11
    assert store.get("a") is None


def test_a_new_cache_removes_what_expired(store: BoundedFileCache, clock: Clock) -> None:
    store.set("a", value(1), timeout=10)
    store.set("b", value(2), timeout=100)
    clock.now += 50
    BoundedFileCache(store.folder, MEGABYTE, clock=clock)
    assert files_in(store) == [file_of(store, "b")]


# Size


def test_never_exceeds_its_bytes(tmp_path: Path, clock: Clock) -> None:
    limit = 64 * BLOCK_BYTES
    store = BoundedFileCache(tmp_path, limit, clock=clock)
    sizes = np.random.default_rng(1).integers(1, 3000, size=200)
    for number, size in enumerate(sizes):
        assert store.set(f"key {number}", value(number, int(size)))
        assert blocks_in(store) <= limit
        assert store.total_bytes == blocks_in(store)
        assert number_of(store.get(f"key {number}")) == number
    assert blocks_in(store) > limit // 2


def test_least_recently_used_goes_first(tmp_path: Path, clock: Clock) -> None:
    store = BoundedFileCache(tmp_path, 10 * BLOCK_BYTES, clock=clock)
    for number in range(10):
        store.set(str(number), value(number))
    for used in ("0", "3"):
        assert store.get(used) is not None
    store.set("new", value(99))
    left = {key for key in [*map(str, range(10)), "new"] if store.has(key)}
    assert left == {"0", "3", "4", "5", "6", "7", "8", "9", "new"}


def test_expired_entries_go_before_used_ones(tmp_path: Path, clock: Clock) -> None:
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


def test_an_entry_larger_than_the_limit_is_not_kept(tmp_path: Path, clock: Clock) -> None:
    store = BoundedFileCache(tmp_path, 4 * BLOCK_BYTES, clock=clock)
    store.set("a", value(1))
    store.set("b", value(2))
    assert not store.set("a", value(3, 4 * BLOCK_BYTES // 8))
    assert store.get("a") is None, "the old value is not the value any more"
    assert number_of(store.get("b")) == 2
    assert store.total_bytes == BLOCK_BYTES


def test_an_entry_as_large_as_the_limit_is_kept_alone(tmp_path: Path, clock: Clock) -> None:
    store = BoundedFileCache(tmp_path, 4 * BLOCK_BYTES, clock=clock)
    store.set("a", value(1))
    assert store.set("b", value(2, (4 * BLOCK_BYTES - 300) // 8))
    assert files_in(store) == [file_of(store, "b")]
    assert number_of(store.get("b")) == 2


def test_an_existing_folder_is_brought_below_the_limit(tmp_path: Path, clock: Clock) -> None:
    large = BoundedFileCache(tmp_path, MEGABYTE, clock=clock)
    for number in range(20):
        large.set(str(number), value(number))
    small = BoundedFileCache(tmp_path, 10 * BLOCK_BYTES, clock=clock)
    assert {key for key in map(str, range(20)) if small.has(key)} == {str(number) for number in range(11, 20)}
    assert small.total_bytes == 9 * BLOCK_BYTES


def test_the_folder_is_not_scanned_for_each_entry(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
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


def test_what_other_processes_write_is_noticed(tmp_path: Path, clock: Clock) -> None:
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


def test_abandoned_temporary_files_are_removed(store: BoundedFileCache, clock: Clock) -> None:
    store.set("a", value(1))
    left = file_of(store, "a").with_name("0" * 64 + ".00ff.temporary")
    left.write_bytes(b"half of an ent")
    clock.now = left.stat().st_ctime + 60
    store.prune()
    assert left.exists()
    clock.now += 3600
    store.prune()
    assert not left.exists()


# Damage


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


# Pickles


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.mark,))


def test_nothing_in_the_folder_is_ever_unpickled(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
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


# Threads and processes


def test_threads_share_a_cache(tmp_path: Path, clock: Clock) -> None:
    limit = 32 * BLOCK_BYTES
    store = BoundedFileCache(tmp_path, limit)
    barrier = threading.Barrier(8)

    def work(seed: int) -> int:
        random = np.random.default_rng(seed)
        barrier.wait()
        hits = 0
        for _ in range(150):
            number = int(random.integers(50))
            found = store.get(f"key {number}")
            if found is None:
                store.set(f"key {number}", value(number, int(random.integers(1, 1500))))
            else:
                assert (found["values"] == number).all()
                hits += 1
        return hits

    with ThreadPoolExecutor(8) as pool:
        hits = list(pool.map(work, range(8)))
    assert sum(hits) > 0
    store.prune()
    assert store.total_bytes == blocks_in(store) <= limit
    assert all(path.name.endswith(".entry") for path in files_in(store))


WRITER = """
import sys
import numpy as np
from cache.bounded_file_cache import BoundedFileCache
folder, limit, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
store = BoundedFileCache(folder, limit)
random = np.random.default_rng(seed)
print("ready", flush=True)
sys.stdin.readline()
hits = 0
for _ in range(400):
    number = int(random.integers(60))
    found = store.get(f"key {number}")
    if found is not None:
        assert (found["values"] == number).all()
        hits += 1
    if found is None or random.random() < 0.3:
        assert store.set(f"key {number}", {"values": np.full(int(random.integers(1, 1500)), float(number))})
assert store.problem is None
print(hits, flush=True)
"""


def test_processes_share_a_folder(tmp_path: Path) -> None:
    limit = 64 * BLOCK_BYTES
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(limit), str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for seed in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    outcomes = []
    for process in processes:  # all have loaded everything: now they meet
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        outcomes.append(process.communicate(timeout=60))
    assert [
        (process.returncode, errors) for process, (_, errors) in zip(processes, outcomes, strict=True)
    ] == [(0, "")] * 3
    assert sum(int(output) for output, _ in outcomes) > 0
    store = BoundedFileCache(tmp_path, limit)
    assert store.total_bytes == blocks_in(store) <= limit
    assert all(path.name.endswith(".entry") for path in files_in(store))


# flask-caching


def test_as_a_back_end_of_flask_caching(tmp_path: Path) -> None:
    server = flask.Flask("test")
    cache = flask_caching.Cache(
        server,
        with_jinja2_ext=False,
        config={
            "CACHE_TYPE": "cache.bounded_file_cache.BoundedFileCache",
            "CACHE_DIR": str(tmp_path / "memo"),
            "CACHE_DEFAULT_TIMEOUT": 77,
            "CACHE_OPTIONS": {"limit_bytes": 12345},
        },
    )
    assert isinstance(cache.cache, BoundedFileCache)
    assert (cache.cache.limit_bytes, cache.cache.default_timeout) == (12345, 77)
    assert cache.set("a", value(1))
    assert number_of(cache.get("a")) == 1
    assert cache.get_many("a", "b")[1] is None
    assert cache.delete_many("a", "b") == ["a", "b"]
    assert not cache.has("a")
