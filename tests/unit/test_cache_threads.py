"""Threads of torch by the kind of work, and a lack of memory as a message."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
import torch

from cache.jobs.threads import computing
from fusion.errors import DeviceError


@pytest.fixture(autouse=True)
def same_threads_afterwards() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def in_thread(work: Callable[[], None]) -> None:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    if errors:
        raise errors[0]


def threads_used() -> int:
    """Compute something, and return with how many threads."""
    torch.nn.functional.conv2d(torch.ones(1, 8, 64, 64), torch.ones(8, 8, 3, 3))
    return torch.get_num_threads()


def test_each_thread_has_its_own_number() -> None:
    torch.set_num_threads(4)

    def hover() -> None:
        with computing(1):
            assert threads_used() == 1

            def long_work() -> None:
                with computing(3):
                    assert threads_used() == 3

            in_thread(long_work)
            assert threads_used() == 1

    in_thread(hover)
    assert threads_used() == 4


def test_a_fresh_thread_keeps_its_number_when_another_sets_its_own_before_the_first_operation() -> None:
    found: list[int] = []

    def hover() -> None:
        with computing(1):
            in_thread(lambda: torch.set_num_threads(3))
            found.append(threads_used())

    in_thread(hover)
    assert found == [1]


def test_the_trap_that_this_avoids_is_there() -> None:
    """Without asking first, the number set by this thread is lost: the negative control of the test above."""
    found: list[int] = []

    def naive() -> None:
        torch.set_num_threads(1)
        in_thread(lambda: torch.set_num_threads(3))
        found.append(threads_used())

    in_thread(naive)
    assert found == [3]


def test_too_little_memory_is_a_message() -> None:
    with pytest.raises(DeviceError, match="too little free memory"), computing(1):
        raise torch.OutOfMemoryError("CUDA out of memory")


def test_other_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError), computing(1):
        raise ZeroDivisionError
