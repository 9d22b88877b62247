"""Windows that wait at the same time are computed together, and are the same as alone."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest

import cache.services.windows
import fusion
from cache.errors import TooBusyError, UserError
from cache.services.windows import MOST_AT_ONCE, MOST_TOGETHER, MicroBatches, Pixel
from fusion import JacobianWindow, Method, Pair
from fusion.errors import NetworkError
from tests.unit.reference import random_pair, relative_error, whole_image_jacobian
from tests.unit.small_services import Small, wait_for


class Gate:
    """Computes as `fusion.jacobians` does, but the first call only when it is let go; remembers all calls."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls: list[list[Pixel]] = []
        self.entered, self.open = threading.Event(), threading.Event()
        self._error = error

    def __call__(self, method: Method, pair: Pair, pixels: list[Pixel]) -> list[JacobianWindow]:
        self.calls.append(list(pixels))
        if len(self.calls) == 1:
            self.entered.set()
            assert self.open.wait(30)
        elif self._error is not None:
            raise self._error
        return fusion.jacobians(method, pair, pixels, "float64")


@pytest.fixture
def method() -> Method:
    return Method.from_module(Small(), "small", "Small")


@pytest.fixture
def pair(rng: np.random.Generator) -> Pair:
    return random_pair(rng, (13, 17))


def gathered(
    batches: MicroBatches, gate: Gate, users: ThreadPoolExecutor, method: Method, pair: Pair, count: int
) -> list[Future[JacobianWindow]]:
    """Let `count` requests wait for one that is under way, then let that go."""
    first = users.submit(batches.window, method, pair, (0, 0))
    assert gate.entered.wait(30)
    others = [users.submit(batches.window, method, pair, (6, n)) for n in range(count)]

    def all_wait() -> bool:
        return sum(len(scene.waiting.pixels) for scene in batches._scenes.values() if scene.waiting) == count

    wait_for(all_wait)
    gate.open.set()
    return [first, *others]


def test_who_waits_is_computed_together_and_gets_autograds_own(
    method: Method, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache.services.windows, "LONGEST_WAIT_S", 30)
    gate = Gate()
    batches = MicroBatches(1, gate)
    with ThreadPoolExecutor(8) as users:
        windows = [future.result(30) for future in gathered(batches, gate, users, method, pair, 5)]
    assert [len(call) for call in gate.calls] == [1, 5]
    for window, pixel in zip(windows, [(0, 0), *((6, n) for n in range(5))], strict=True):
        assert (window.row, window.col) == pixel
        assert relative_error(window.dense(), whole_image_jacobian(method, pair, pixel)) <= 1e-10
    assert len(batches) == 0


def test_no_batch_is_too_large(method: Method, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache.services.windows, "LONGEST_WAIT_S", 30)
    gate = Gate()
    batches = MicroBatches(1, gate)
    monkeypatch.setattr(cache.services.windows, "MOST_TOGETHER", 4)
    with ThreadPoolExecutor(12) as users:
        first = users.submit(batches.window, method, pair, (0, 0))
        assert gate.entered.wait(30)
        others = [users.submit(batches.window, method, pair, (n, n)) for n in range(10)]
        wait_for(lambda: all(future.running() for future in others))
        gate.open.set()
        pixels = [(future.result(30).row, future.result(30).col) for future in (first, *others)]
    assert pixels == [(0, 0), *((n, n) for n in range(10))]
    assert max(map(len, gate.calls)) <= 4 < MOST_TOGETHER
    assert len(batches) == 0


def test_nobody_waits_long_for_another(method: Method, pair: Pair) -> None:
    gate = Gate()
    batches = MicroBatches(1, gate)
    with ThreadPoolExecutor(2) as users:
        slow = users.submit(batches.window, method, pair, (0, 0))
        assert gate.entered.wait(30)
        assert batches.window(method, pair, (3, 4)).col == 4
        assert not slow.done()
        gate.open.set()
        assert slow.result(30).col == 0


def test_an_error_reaches_all_and_spoils_nothing(
    method: Method, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache.services.windows, "LONGEST_WAIT_S", 30)
    gate = Gate(NetworkError("This image is too small."))
    batches = MicroBatches(1, gate)
    with ThreadPoolExecutor(8) as users:
        first, *others = gathered(batches, gate, users, method, pair, 3)
        assert first.result(30).row == 0
        for other in others:
            with pytest.raises(NetworkError, match="too small"):
                other.result(30)
    assert len(batches) == 0
    assert MicroBatches(1).window(method, pair, (2, 2)).path == "chain"


def test_no_more_may_wait_than_is_useful(method: Method, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache.services.windows, "LONGEST_WAIT_S", 30)
    gate = Gate()
    batches = MicroBatches(1, gate, most=4)
    with ThreadPoolExecutor(8) as users:
        first = users.submit(batches.window, method, pair, (0, 0))
        assert gate.entered.wait(30)
        others = [users.submit(batches.window, method, pair, (6, n)) for n in range(3)]
        wait_for(lambda: batches._inside == 4)
        for one in (method, Method.from_module(Small(seed=6), "other", "Other")):
            with pytest.raises(TooBusyError, match="ask again in a second"):
                batches.window(one, pair, (9, 9))
        gate.open.set()
        assert [future.result(30).col for future in (first, *others)] == [0, 0, 1, 2], (
            "who waits is not disturbed"
        )
    assert batches.window(method, pair, (9, 9)).row == 9, "there is room again"
    assert batches._inside == 0


def test_an_error_makes_room(method: Method, pair: Pair) -> None:
    def fail(*arguments: object) -> list[JacobianWindow]:
        raise NetworkError("This image is too small.")

    batches = MicroBatches(1, fail, most=1)
    for _ in range(3):
        with pytest.raises(NetworkError):
            batches.window(method, pair, (0, 0))


def test_a_refusal_is_for_the_user_and_says_when_to_ask_again() -> None:
    assert issubclass(TooBusyError, UserError)
    assert TooBusyError("").retry_after_s > 0
    assert MOST_AT_ONCE > 20, "twenty users at once, one request each, are never refused"
