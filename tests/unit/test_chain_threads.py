"""Single Jacobian images take as many threads as is quicker now."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from fusion.saliency.chain.threads import LEARNING, PAUSES, RENEWAL, STALL, STALLS, TRIAL, ThreadChoice


class Machine:
    """A clock that goes on by what an image takes on as many threads as torch has."""

    def __init__(self, one: float, two: float) -> None:
        self.seconds = {1: one, 2: two}
        self.now = 0.0
        self.choice = ThreadChoice(lambda: self.now)

    def compute(self, images: int) -> list[int]:
        """Compute images, and return on how many threads each was."""
        threads = []
        for _ in range(images):
            with self.choice.threads():
                threads.append(torch.get_num_threads())
                self.now += self.seconds[threads[-1]]
            assert torch.get_num_threads() == 2, "given back"
        return threads


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_all_threads_where_they_are_quicker_and_one_now_and_then() -> None:
    machine = Machine(1.0, 0.7)
    assert machine.compute(LEARNING) == [1] * LEARNING
    assert machine.compute(RENEWAL) == [2] * RENEWAL
    assert machine.compute(LEARNING + 1) == [1] * LEARNING + [2]


def test_one_thread_where_it_is_quicker_and_trials_ever_more_rarely() -> None:
    machine = Machine(1.0, 1.1)
    machine.compute(LEARNING)
    for pause in (PAUSES[0], 2 * PAUSES[0], 4 * PAUSES[0]):
        assert machine.compute(TRIAL + pause) == [2] * TRIAL + [1] * pause
    used = machine.compute(20_000)
    assert used.count(2) / len(used) < 1.1 * TRIAL / PAUSES[1]


def test_stalls_end_a_trial_at_once() -> None:
    machine = Machine(1.0, STALL + 0.1)
    assert machine.compute(LEARNING + STALLS + PAUSES[0]) == [1] * LEARNING + [2] * STALLS + [1] * PAUSES[0]


def test_a_slow_image_after_other_work_ends_no_trial() -> None:
    machine = Machine(1.0, 0.7)
    machine.compute(LEARNING)
    for _ in range(4):
        machine.seconds[2] = 50.0
        assert machine.compute(1) == [2]
        machine.seconds[2] = 0.7
        assert machine.compute(TRIAL - 1) == [2] * (TRIAL - 1)


def test_a_machine_that_grows_idle_or_busy_is_noticed() -> None:
    machine = Machine(1.0, 1.5)
    machine.compute(1_000)
    machine.seconds[2] = 0.7
    machine.compute(PAUSES[1] + TRIAL)
    assert machine.compute(20) == [2] * 20
    machine.seconds[2] = 1.5
    assert machine.compute(2 * TRIAL + PAUSES[0]).count(1) >= PAUSES[0]
    # One thread has become slower as well: two are quicker again.
    machine.seconds = {1: 3.0, 2: 2.0}
    machine.compute(2 * PAUSES[0])
    assert machine.compute(20) == [2] * 20


def test_who_has_one_thread_keeps_it() -> None:
    torch.set_num_threads(1)
    choice = ThreadChoice(lambda: pytest.fail("nothing to learn"))
    with choice.threads():
        assert torch.get_num_threads() == 1


def test_what_fails_is_not_noted_and_gives_the_threads_back() -> None:
    machine = Machine(1.0, 0.7)
    with pytest.raises(ZeroDivisionError), machine.choice.threads():
        raise ZeroDivisionError
    assert torch.get_num_threads() == 2
    assert machine.compute(LEARNING + 1) == [1] * LEARNING + [2]
