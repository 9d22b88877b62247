"""Viewers keep jobs alive, share them, cancel them, and come back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from cache.jobs.manager import Jobs, JobState, Report, Stage, Steps
from fusion.errors import Cancelled
from tests.unit.job_tasks import WAIT_S, Task, ended, named, state_of
from tests.unit.moved_clock import MovedClock


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def jobs(clock: MovedClock) -> Iterator[Jobs[str]]:
    manager: Jobs[str] = Jobs({"quick": 1, "long": 1}, lease_s=15, forget_after_s=60, clock=clock)
    yield manager
    manager.close(WAIT_S)


def test_many_viewers_share_one_job(jobs: Jobs[str]) -> None:
    task = Task()
    never = Task()
    jobs.submit(named("job"), task.stages, "ann")
    threads = [
        threading.Thread(target=jobs.submit, args=(named("job"), never.stages, f"viewer {number}"))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    task.finish()
    assert ended(jobs).state is JobState.DONE
    assert (task.calls, never.calls) == (1, 0)


def test_cancelling_stops_the_job(jobs: Jobs[str]) -> None:
    task = Task()
    jobs.submit(named("job"), task.stages, "ann")
    task.step()
    jobs.cancel(named("job"), "ann")
    assert state_of(jobs, viewer="ann").withdrawn
    task.permits.release()
    view = ended(jobs)
    assert (view.state, view.partial, view.error) == (JobState.CANCELLED, "step 1", None)
    assert task.ended.is_set()


def test_cancelling_does_not_stop_what_others_watch(jobs: Jobs[str]) -> None:
    task = Task()
    jobs.submit(named("job"), task.stages, "ann")
    jobs.submit(named("job"), task.stages, "ben")
    task.step()
    jobs.cancel(named("job"), "ann")
    task.step()
    assert state_of(jobs, viewer="ann").withdrawn
    assert not state_of(jobs, viewer="ben").withdrawn
    assert state_of(jobs).state is JobState.RUNNING
    jobs.cancel(named("job"), "ben")
    task.permits.release()
    assert ended(jobs).state is JobState.CANCELLED


def test_a_stranger_cannot_cancel(jobs: Jobs[str]) -> None:
    task = Task()
    jobs.submit(named("job"), task.stages, "ann")
    jobs.cancel(named("job"), "stranger")
    jobs.cancel(named("another job"), "ann")
    task.finish()
    assert ended(jobs).state is JobState.DONE


def test_coming_back_before_it_stopped_keeps_the_job(jobs: Jobs[str]) -> None:
    task = Task()
    jobs.submit(named("job"), task.stages, "ann")
    task.step()
    jobs.cancel(named("job"), "ann")
    assert not jobs.submit(named("job"), task.stages, "ann").withdrawn
    task.finish()
    assert ended(jobs).state is JobState.DONE
    assert task.calls == 1


def test_coming_back_while_it_stops_starts_anew(jobs: Jobs[str]) -> None:
    begun, noticed, go_on = threading.Event(), threading.Event(), threading.Event()
    cancelled_now = threading.Event()

    def work(report: Report[str], cancelled: Callable[[], bool]) -> str:
        begun.set()
        assert cancelled_now.wait(WAIT_S)
        assert cancelled()
        noticed.set()
        assert go_on.wait(WAIT_S)
        raise Cancelled("as noticed")

    second = Task()
    jobs.submit(named("job"), lambda: [Stage(work, "long")], "ann")
    assert begun.wait(WAIT_S)
    jobs.cancel(named("job"), "ann")
    cancelled_now.set()
    assert noticed.wait(WAIT_S)
    jobs.submit(named("job"), second.stages, "ann")
    go_on.set()
    second.finish()
    assert ended(jobs).state is JobState.DONE


def test_a_cancelled_job_can_be_started_again(jobs: Jobs[str]) -> None:
    first, second = Task(), Task()
    jobs.submit(named("job"), first.stages, "ann")
    first.step()
    before = state_of(jobs).revision
    jobs.cancel(named("job"), "ann")
    first.permits.release()
    ended(jobs)
    assert not jobs.submit(named("job"), second.stages, "ann").withdrawn
    second.step()
    assert state_of(jobs).revision > before
    second.finish()
    assert ended(jobs).state is JobState.DONE


def test_a_job_that_nobody_watches_any_more_is_stopped(jobs: Jobs[str], clock: MovedClock) -> None:
    task = Task()
    jobs.submit(named("job"), task.stages, "ann")
    task.step()
    clock.now += 16
    task.permits.release()
    assert ended(jobs).state is JobState.CANCELLED


def test_polling_keeps_a_job_alive(jobs: Jobs[str], clock: MovedClock) -> None:
    task = Task(steps=10)
    jobs.submit(named("job"), task.stages, "ann")
    for _ in range(9):
        clock.now += 14
        state_of(jobs, viewer="ann")
        task.step()
    task.permits.release()
    assert ended(jobs).state is JobState.DONE


def test_polling_by_somebody_else_does_not(jobs: Jobs[str], clock: MovedClock) -> None:
    task = Task()
    jobs.submit(named("job"), task.stages, "ann")
    task.step()
    clock.now += 14
    state_of(jobs, viewer="stranger")
    clock.now += 2
    task.permits.release()
    assert ended(jobs).state is JobState.CANCELLED


def test_polling_after_cancelling_does_not(jobs: Jobs[str]) -> None:
    task = Task()
    jobs.submit(named("job"), task.stages, "ann")
    task.step()
    jobs.cancel(named("job"), "ann")
    state_of(jobs, viewer="ann")
    task.permits.release()
    assert ended(jobs).state is JobState.CANCELLED


def test_a_waiting_job_that_nobody_wants_is_never_begun(jobs: Jobs[str], clock: MovedClock) -> None:
    running, cancelled, deserted, wanted = (Task() for _ in range(4))
    jobs.submit(named("running"), running.stages, "ann")
    jobs.submit(named("cancelled"), cancelled.stages, "ann")
    jobs.submit(named("deserted"), deserted.stages, "ben")
    jobs.submit(named("wanted"), wanted.stages, "ann")
    jobs.cancel(named("cancelled"), "ann")
    clock.now += 14
    for name in ("running", "wanted"):
        assert state_of(jobs, name, "ann").state in (JobState.RUNNING, JobState.QUEUED)
    clock.now += 2
    running.finish()
    wanted.finish()
    assert ended(jobs, "wanted").state is JobState.DONE
    assert ended(jobs, "cancelled").state is JobState.CANCELLED
    assert ended(jobs, "deserted").state is JobState.CANCELLED
    assert (cancelled.calls, deserted.calls) == (0, 0)


def taking_turns(name: str, told: list[str], steps: int, others_wait: Callable[[], bool]) -> list[Stage[str]]:
    """Return the only stage of work that lets others go first after each step."""

    def work(report: Report[str], cancelled: Callable[[], bool]) -> Steps[str]:
        for step in range(1, steps + 1):
            told.append(name)
            report(step / steps, f"step {step}")
            if others_wait():
                yield
        return "result"

    return [Stage(work, "long")]


def test_viewers_take_turns_however_much_one_of_them_asks_for(jobs: Jobs[str]) -> None:
    first = Task(1)
    told: list[str] = []
    jobs.submit(named("first"), first.stages, "ann")
    assert first.begun.wait(WAIT_S)

    def turns(name: str) -> Callable[[], list[Stage[str]]]:
        return partial(taking_turns, name, told, 3, partial(jobs.others_wait, named(name)))

    for number in range(12):
        name = f"ann {number}"
        jobs.submit(named(name), turns(name), "ann")
    for viewer in ("ben", "eve"):
        jobs.submit(named(viewer), turns(viewer), viewer)
    first.finish()
    for name in (*(f"ann {number}" for number in range(12)), "ben", "eve"):
        view = ended(jobs, name)
        assert (view.state, view.partial) == (JobState.DONE, "result")
    # Each viewer in turn, until two have what they asked for; then one after another of what is left.
    assert told[:9] == ["ben", "eve", "ann 0"] * 3
    assert told[9:] == [f"ann {number}" for number in range(1, 12) for _ in range(3)]


def test_work_that_is_given_up_between_its_turns_is_closed(jobs: Jobs[str]) -> None:
    closed = threading.Event()
    begun = threading.Event()
    other = Task(1)

    def work(report: Report[str], cancelled: Callable[[], bool]) -> Steps[str]:
        begun.set()
        try:
            while True:
                report(0.5, "half")
                time.sleep(0.001)
                if jobs.others_wait(named("job")):
                    yield
        finally:
            closed.set()

    jobs.submit(named("job"), lambda: [Stage(work, "long")], "ann")
    assert begun.wait(WAIT_S)
    jobs.submit(named("other"), other.stages, "ben")
    assert other.begun.wait(WAIT_S)
    jobs.cancel(named("job"), "ann")
    assert not closed.is_set()
    other.finish()
    assert ended(jobs).state is JobState.CANCELLED
    assert closed.wait(WAIT_S)
