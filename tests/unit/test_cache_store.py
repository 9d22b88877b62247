"""The store: memory in front, a back end behind, each result computed once."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import flask
import flask_caching
import numpy as np
import pytest

from cache.store.addresses import JacobianAddress
from cache.store.store import ENTRY_OVERHEAD_BYTES, ArrayStore, MemoryTier
from tests.unit.moved_clock import MovedClock

ADDRESS = JacobianAddress("a" * 64, "masknet", "b" * 64, 3, 41, device="cpu")


def connect(folder: Path, clock: MovedClock | None = None) -> flask_caching.Cache:
    options: dict[str, Any] = {"limit_bytes": 2**20} | ({} if clock is None else {"clock": clock})
    return flask_caching.Cache(
        flask.Flask("test"),
        with_jinja2_ext=False,
        config={
            "CACHE_TYPE": "cache.store.file_cache.BoundedFileCache",
            "CACHE_DIR": str(folder),
            "CACHE_OPTIONS": options,
        },
    )


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture(params=[2**20, 0], ids=["memory", "no memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: MovedClock) -> ArrayStore:
    return ArrayStore(connect(tmp_path, clock), timeout_s=60, memory_bytes=request.param, clock=clock)


def value(number: float) -> dict[str, np.ndarray]:
    return {"values": np.full((2, 3), number, dtype=np.float32)}


def number_of(arrays: dict[str, np.ndarray] | None) -> float | None:
    return None if arrays is None else float(arrays["values"][0, 0])


def forbidden() -> dict[str, np.ndarray]:
    raise AssertionError("this was to be known already")


def test_keeps_under_addresses(store: ArrayStore) -> None:
    assert store.get(ADDRESS) is None
    store.put(ADDRESS, value(1))
    store.put(replace(ADDRESS, col=42), value(2))
    assert number_of(store.get(ADDRESS)) == 1
    assert number_of(store.get_or_compute(ADDRESS, forbidden)) == 1
    assert number_of(store.get(replace(ADDRESS, col=42))) == 2
    assert store.problem is None


@pytest.mark.parametrize("change", [{"weights": "c" * 64}, {"pair": "c" * 64}, {"device": "cuda"}])
def test_changed_weights_or_pair_never_meet_an_old_result(store: ArrayStore, change: dict[str, Any]) -> None:
    store.put(ADDRESS, value(1))
    changed = replace(ADDRESS, **change)
    assert store.get(changed) is None
    assert number_of(store.get_or_compute(changed, lambda: value(2))) == 2
    assert number_of(store.get(ADDRESS)) == 1


def test_results_are_read_only_copies(store: ArrayStore) -> None:
    own = value(1)
    for found in (store.put(ADDRESS, own), store.get(ADDRESS), store.get_or_compute(ADDRESS, forbidden)):
        assert found is not None
        assert not found["values"].flags.writeable
        found["more"] = np.zeros(1)
        del found["values"]
    own["values"][:] = 9
    assert number_of(store.get(ADDRESS)) == 1
    assert list(store.get(ADDRESS) or {}) == ["values"]


def test_expiry_is_the_stated_one(store: ArrayStore, clock: MovedClock) -> None:
    store.put(ADDRESS, value(1))
    clock.now += 59
    assert number_of(store.get(ADDRESS)) == 1
    clock.now += 1.5
    assert store.get(ADDRESS) is None
    assert number_of(store.get_or_compute(ADDRESS, lambda: value(2))) == 2


def test_memory_does_not_prolong_what_another_process_wrote(tmp_path: Path, clock: MovedClock) -> None:
    ours, theirs = (ArrayStore(connect(tmp_path, clock), timeout_s=60, clock=clock) for _ in range(2))
    theirs.put(ADDRESS, value(1))
    clock.now += 50
    assert number_of(ours.get(ADDRESS)) == 1
    clock.now += 11
    assert ours.get(ADDRESS) is None


def test_timeout_zero_is_for_ever(tmp_path: Path, clock: MovedClock) -> None:
    store = ArrayStore(connect(tmp_path, clock), timeout_s=0, clock=clock)
    store.put(ADDRESS, value(1))
    clock.now += 20 * 365 * 86400
    assert number_of(store.get(ADDRESS)) == 1
    fresh = ArrayStore(connect(tmp_path, clock), timeout_s=0, clock=clock)
    assert number_of(fresh.get(ADDRESS)) == 1


def test_results_outlive_the_process(tmp_path: Path) -> None:
    ArrayStore(connect(tmp_path), timeout_s=60).put(ADDRESS, value(1))
    assert number_of(ArrayStore(connect(tmp_path), timeout_s=60).get_or_compute(ADDRESS, forbidden)) == 1


def test_memory_answers_without_the_back_end(tmp_path: Path) -> None:
    store = ArrayStore(connect(tmp_path), timeout_s=60)
    store.put(ADDRESS, value(1))
    for path in tmp_path.rglob("*.entry"):
        path.unlink()
    assert number_of(store.get(ADDRESS)) == 1


@pytest.mark.parametrize("end", [0, 1, 100, -1])
def test_a_damaged_entry_is_computed_anew(tmp_path: Path, end: int, caplog: pytest.LogCaptureFixture) -> None:
    store = ArrayStore(connect(tmp_path), timeout_s=60, memory_bytes=0)
    store.put(ADDRESS, value(1))
    (path,) = tmp_path.rglob("*.entry")
    path.write_bytes(path.read_bytes()[:end])
    with caplog.at_level(logging.WARNING):
        assert number_of(store.get_or_compute(ADDRESS, lambda: value(2))) == 2
    assert "damaged" in caplog.text
    assert number_of(store.get_or_compute(ADDRESS, forbidden)) == 2


def test_equal_requests_compute_once(store: ArrayStore) -> None:
    threads = 12
    barrier = threading.Barrier(threads)
    calls: list[int] = []

    def compute() -> dict[str, np.ndarray]:
        calls.append(threading.get_ident())
        return value(len(calls))

    def ask() -> float | None:
        barrier.wait(30)
        return number_of(store.get_or_compute(ADDRESS, compute))

    with ThreadPoolExecutor(threads) as pool:
        for round_number in range(1, 21):
            futures = [pool.submit(ask) for _ in range(threads)]
            assert {future.result(30) for future in futures} == {round_number}
            assert len(calls) == round_number
            store._cache.clear()
            store._memory.clear()
    assert len(store._flights) == 0


def test_errors_reach_all_and_are_not_kept(store: ArrayStore) -> None:
    threads = 6
    begun, go_on = threading.Event(), threading.Event()

    def fail() -> dict[str, np.ndarray]:
        begun.set()
        assert go_on.wait(30)
        raise ArithmeticError("no")

    with ThreadPoolExecutor(threads) as pool:
        first = pool.submit(store.get_or_compute, ADDRESS, fail)
        assert begun.wait(120)
        others = [pool.submit(store.get_or_compute, ADDRESS, fail) for _ in range(threads - 1)]
        go_on.set()
        for future in (first, *others):
            with pytest.raises(ArithmeticError):
                future.result(30)
    assert number_of(store.get_or_compute(ADDRESS, lambda: value(1))) == 1


def test_what_cannot_be_kept_is_a_programming_error(store: ArrayStore) -> None:
    with pytest.raises(TypeError):
        store.get_or_compute(ADDRESS, lambda: {"values": "text"})  # type: ignore[dict-item]
    assert store.get(ADDRESS) is None


def test_a_store_that_cannot_write_still_answers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    obstacle = tmp_path / "file"
    obstacle.write_text("x")
    with caplog.at_level(logging.WARNING):
        store = ArrayStore(connect(obstacle / "memo"), timeout_s=60, memory_bytes=0)
        for number in range(3):
            assert number_of(store.get_or_compute(ADDRESS, partial(value, number))) == number
    assert len(caplog.records) == 1
    assert store.problem is not None


# Memory


def test_memory_is_bounded_in_bytes() -> None:
    memory: MemoryTier[int] = MemoryTier(100, lambda number: 101 if number < 0 else 1 + number % 40)
    for number in range(1000):
        memory.put(str(number), number)
        assert memory.total_bytes <= 100
        assert memory.get(str(number)) == number
    assert memory.total_bytes > 50
    memory.put("999", -1)
    assert memory.get("999") is None, "the old value is not the value any more"


def test_memory_forgets_what_was_not_used_for_longest() -> None:
    memory: MemoryTier[int] = MemoryTier(3, lambda number: 1)
    for number in range(3):
        memory.put(str(number), number)
    memory.get("0")
    memory.put("3", 3)
    assert [memory.get(str(number)) for number in range(4)] == [0, None, 2, 3]


def test_memory_counts_overwritten_values_once() -> None:
    memory: MemoryTier[int] = MemoryTier(10, lambda number: 6)
    for number in range(5):
        memory.put("a", number)
    assert memory.total_bytes == 6
    assert memory.get("a") == 4


def test_many_small_results_do_not_fill_the_memory(tmp_path: Path) -> None:
    store = ArrayStore(connect(tmp_path), timeout_s=60, memory_bytes=10 * (ENTRY_OVERHEAD_BYTES + 24))
    for col in range(40):
        store.put(replace(ADDRESS, col=col), value(col))
    kept = [col for col in range(40) if store._memory.get(replace(ADDRESS, col=col)) is not None]
    assert kept == list(range(30, 40))
