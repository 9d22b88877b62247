"""Equal computations at the same time are done once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotDone

import pytest

from cache.store.store import SingleFlight

THREADS = 16


class Computation:
    """Waits until it may go on, and counts its calls."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.calls = 0
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.error = error

    def __call__(self) -> object:
        self.calls += 1
        self.begun.set()
        assert self.go_on.wait(30)
        if self.error is not None:
            raise self.error
        return object()


def waiting(flights: SingleFlight[object], key: str) -> int:
    """Return how many threads wait for a computation of another."""
    return len(flights._flights[key].outcome._condition._waiters)  # type: ignore[attr-defined]


def test_one_thread_computes_for_all() -> None:
    flights: SingleFlight[object] = SingleFlight()
    compute = Computation()
    barrier = threading.Barrier(THREADS)

    def ask() -> object:
        barrier.wait(30)
        return flights.do("key", compute)

    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(ask) for _ in range(THREADS)]
        assert compute.begun.wait(30)
        deadline = time.monotonic() + 120
        while waiting(flights, "key") < THREADS - 1:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        compute.go_on.set()
        results = [future.result(30) for future in futures]
    assert compute.calls == 1
    assert len({id(result) for result in results}) == 1
    assert len(flights) == 0


def test_who_comes_while_it_runs_waits_for_it() -> None:
    flights: SingleFlight[object] = SingleFlight()
    compute = Computation()
    never = Computation()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(flights.do, "key", compute)
        assert compute.begun.wait(30)
        second = pool.submit(flights.do, "key", never)
        with pytest.raises(NotDone):
            second.result(0.05)
        compute.go_on.set()
        assert second.result(30) is first.result(30)
    assert never.calls == 0


def test_another_key_does_not_wait() -> None:
    flights: SingleFlight[object] = SingleFlight()
    slow = Computation()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(flights.do, "slow", slow)
        assert slow.begun.wait(30)
        assert flights.do("quick", lambda: 3) == 3
        assert len(flights) == 1
        slow.go_on.set()
        future.result(30)
    assert len(flights) == 0


@pytest.mark.parametrize("error", [ValueError("bad"), KeyboardInterrupt()])
def test_errors_reach_all_and_are_not_kept(error: BaseException) -> None:
    flights: SingleFlight[object] = SingleFlight()
    compute = Computation(error)
    caught: list[BaseException] = []

    def ask() -> None:
        try:
            flights.do("key", compute)
        except BaseException as found:  # noqa: BLE001
            caught.append(found)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    threads[0].start()
    assert compute.begun.wait(30)
    for thread in threads[1:]:
        thread.start()
    compute.go_on.set()
    for thread in threads:
        thread.join(30)
    assert len(caught) == 4
    assert all(found is error for found in caught)
    assert len(flights) == 0
    assert flights.do("key", lambda: "well") == "well"


def test_asking_for_ones_own_result_is_an_error_not_a_deadlock() -> None:
    flights: SingleFlight[object] = SingleFlight()
    with pytest.raises(RuntimeError, match="its own result"):
        flights.do("key", lambda: flights.do("key", lambda: 1))
    assert flights.do("key", lambda: flights.do("other", lambda: 2)) == 2
    assert len(flights) == 0


def test_nothing_is_left_of_many_keys() -> None:
    flights: SingleFlight[int] = SingleFlight()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: flights.do(number % 50, lambda: number), range(2000)))
    assert len(found) == 2000
    assert len(flights) == 0
