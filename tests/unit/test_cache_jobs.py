"""Jobs: stages, progress, partial results, errors, and the end of the process."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cache.jobs.manager import UNEXPECTED, Jobs, JobState, Report, Stage
from fusion.errors import Cancelled, NetworkError
from tests.unit.job_tasks import WAIT_S, Task, ended, named, state_of
from tests.unit.moved_clock import MovedClock

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def jobs(clock: MovedClock) -> Iterator[Jobs[str]]:
    manager: Jobs[str] = Jobs({"quick": 1, "long": 1}, lease_s=15, forget_after_s=60, clock=clock)
    yield manager
    manager.close(WAIT_S)


def test_progress_partial_results_and_result(jobs: Jobs[str], clock: MovedClock) -> None:
    task = Task()
    assert not jobs.busy()
    view = jobs.submit(named("job"), task.stages, "ann")
    assert jobs.busy()
    assert (view.fraction, view.partial, view.revision, view.error) == (0, None, 0, None)
    assert view.state in (JobState.QUEUED, JobState.RUNNING)
    assert task.begun.wait(WAIT_S)
    revisions = [0]
    for step in range(1, 5):
        clock.now += 2
        task.step()
        view = state_of(jobs, viewer="ann")
        if step < 4:
            assert (view.state, view.fraction, view.partial) == (JobState.RUNNING, step / 4, f"step {step}")
            assert view.revision > revisions[-1]
            assert view.seconds == 2 * step
            revisions.append(view.revision)
    view = ended(jobs)
    assert (view.state, view.fraction, view.partial, view.error) == (JobState.DONE, 1, "result", None)
    assert view.revision > revisions[-1]
    clock.now += 5
    assert state_of(jobs).seconds == 8 and not jobs.busy()


def test_progress_without_news_keeps_the_revision(jobs: Jobs[str]) -> None:
    reported, go_on = threading.Event(), threading.Event()

    def work(report: Report[str], cancelled: Callable[[], bool]) -> str:
        report(0.25, "something")
        report(0.5, None)
        reported.set()
        assert go_on.wait(WAIT_S)
        return "result"

    jobs.submit(named("job"), lambda: [Stage(work, "long")], "ann")
    assert reported.wait(WAIT_S)
    view = state_of(jobs)
    assert (view.fraction, view.partial, view.revision) == (0.5, "something", 1)
    go_on.set()
    ended(jobs)


def test_one_at_a_time_in_order(jobs: Jobs[str]) -> None:
    tasks = [Task(steps=1) for _ in range(3)]
    for number, task in enumerate(tasks):
        jobs.submit(named(str(number)), task.stages, "ann")
    assert tasks[0].begun.wait(WAIT_S)
    for number, task in enumerate(tasks):
        assert state_of(jobs, str(number)).state is JobState.RUNNING
        assert not any(later.begun.is_set() for later in tasks[number + 1 :])
        task.finish()
        if number < 2:
            assert tasks[number + 1].begun.wait(WAIT_S)
    assert [ended(jobs, str(number)).state for number in range(3)] == [JobState.DONE] * 3


def test_a_quick_stage_does_not_wait_for_anothers_long_one(jobs: Jobs[str]) -> None:
    blocking, quick, long = Task(), Task(steps=1), Task(steps=1)
    jobs.submit(named("blocking"), blocking.stages, "ann")
    assert blocking.begun.wait(WAIT_S)
    jobs.submit(named("job"), lambda: [Stage(quick, "quick"), Stage(long, "long")], "ben")
    quick.finish()
    assert not long.begun.is_set()
    view = state_of(jobs)
    assert (view.state, view.partial) == (JobState.RUNNING, "step 1")
    blocking.finish()
    long.finish()
    assert ended(jobs).state is JobState.DONE
    assert (quick.calls, long.calls) == (1, 1)


def test_a_job_cancelled_between_its_stages_stops(jobs: Jobs[str]) -> None:
    blocking, quick, long = Task(), Task(steps=1), Task(steps=1)
    jobs.submit(named("blocking"), blocking.stages, "ann")
    assert blocking.begun.wait(WAIT_S)
    jobs.submit(named("job"), lambda: [Stage(quick, "quick"), Stage(long, "long")], "ben")
    quick.finish()
    jobs.cancel(named("job"), "ben")
    blocking.finish()
    assert ended(jobs).state is JobState.CANCELLED
    assert long.calls == 0


def test_errors_for_the_user_are_kept_as_they_are(jobs: Jobs[str], caplog: pytest.LogCaptureFixture) -> None:
    task = Task(steps=1, error=NetworkError("The network needs even sizes."))
    jobs.submit(named("job"), task.stages, "ann")
    task.finish()
    view = ended(jobs)
    assert (view.state, view.error) == (JobState.FAILED, "The network needs even sizes.")
    assert view.partial == "step 1"
    assert caplog.records == []


def test_other_errors_are_logged_and_said_plainly(jobs: Jobs[str], caplog: pytest.LogCaptureFixture) -> None:
    task = Task(steps=1, error=ZeroDivisionError("a secret detail"))
    with caplog.at_level(logging.ERROR):
        jobs.submit(named("job"), task.stages, "ann")
        task.finish()
        view = ended(jobs)
    assert (view.state, view.error) == (JobState.FAILED, UNEXPECTED)
    assert "Traceback" in caplog.text
    assert "a secret detail" in caplog.text


def test_the_worker_survives_errors(jobs: Jobs[str]) -> None:
    for number in range(3):
        bad = Task(steps=0, error=ValueError("no"))
        jobs.submit(named(f"bad {number}"), bad.stages, "ann")
    good = Task(steps=0)
    jobs.submit(named("good"), good.stages, "ann")
    assert ended(jobs, "good").state is JobState.DONE


def test_a_failed_job_can_be_started_again(jobs: Jobs[str]) -> None:
    bad, good = Task(steps=0, error=NetworkError("no")), Task(steps=0)
    jobs.submit(named("job"), bad.stages, "ann")
    assert ended(jobs).error == "no"
    assert jobs.submit(named("job"), good.stages, "ann").error is None
    assert ended(jobs).state is JobState.DONE


def test_a_job_that_is_done_is_not_started_again(jobs: Jobs[str]) -> None:
    first, second = Task(steps=0), Task(steps=0)
    jobs.submit(named("job"), first.stages, "ann")
    ended(jobs)
    view = jobs.submit(named("job"), second.stages, "ben")
    assert (view.state, view.partial, second.calls) == (JobState.DONE, "result", 0)


def test_ended_jobs_are_forgotten(jobs: Jobs[str], clock: MovedClock) -> None:
    done, failed, running = Task(steps=0), Task(steps=0, error=NetworkError("no")), Task()
    jobs.submit(named("done"), done.stages, "ann")
    jobs.submit(named("failed"), failed.stages, "ann")
    ended(jobs, "done")
    ended(jobs, "failed")
    jobs.submit(named("running"), running.stages, "ann")
    clock.now += 59
    assert state_of(jobs, "done").partial == "result"
    clock.now += 2
    jobs.submit(named("running"), running.stages, "ann")
    assert jobs.poll(named("done"), "ann") is None
    assert jobs.poll(named("failed"), "ann") is None
    assert len(jobs) == 1
    running.finish()
    ended(jobs, "running")


def test_an_ended_job_holds_on_to_nothing_but_its_result(jobs: Jobs[str]) -> None:
    bad, never = Task(steps=0, error=NetworkError("no")), Task()
    jobs.submit(named("job"), lambda: [Stage(bad, "quick"), Stage(never, "long")], "ann")
    assert ended(jobs).state is JobState.FAILED
    assert jobs._jobs[named("job")].stages == ()


def test_unknown_jobs(jobs: Jobs[str]) -> None:
    assert jobs.poll(named("job"), "ann") is None
    jobs.cancel(named("job"), "ann")
    assert len(jobs) == 0


def test_work_can_ask_whether_it_is_wanted(jobs: Jobs[str]) -> None:
    asked: list[bool] = []
    begun, go_on = threading.Event(), threading.Event()

    def work(report: Report[str], cancelled: Callable[[], bool]) -> str:
        asked.append(cancelled())
        begun.set()
        assert go_on.wait(WAIT_S)
        asked.append(cancelled())
        raise Cancelled("as asked")

    jobs.submit(named("job"), lambda: [Stage(work, "long")], "ann")
    assert begun.wait(WAIT_S)
    jobs.cancel(named("job"), "ann")
    go_on.set()
    assert ended(jobs).state is JobState.CANCELLED
    assert asked == [False, True]


def test_a_job_that_stopped_because_calls_came_late_goes_on_for_those_who_follow_it(
    jobs: Jobs[str], clock: MovedClock
) -> None:
    task = Task(steps=2)
    for viewer in ("ann", "ben", "cleo"):
        jobs.submit(named("job"), task.stages, viewer)
    task.step()
    jobs.cancel(named("job"), "ben")
    clock.now += 16
    task.permits.release()
    assert ended(jobs).state is JobState.CANCELLED
    assert (task.ended.wait(WAIT_S), task.calls) == (True, 1)
    for other in ("ben", "eve"):
        view = jobs.follow(named("job"), other)
        assert view is not None
        assert view.state is JobState.CANCELLED
    view = jobs.follow(named("job"), "ann")
    assert view is not None
    assert not view.state.ended
    clock.now += 10
    assert jobs.follow(named("job"), "cleo") is not None
    clock.now += 10  # of the two, cleo alone keeps it
    task.finish()
    assert ended(jobs).state is JobState.DONE
    assert task.calls == 2


def test_closing_stops_all_jobs(clock: MovedClock) -> None:
    manager: Jobs[str] = Jobs({"long": 1}, clock=clock)
    running, waiting = Task(), Task()
    manager.submit(named("running"), running.stages, "ann")
    manager.submit(named("waiting"), waiting.stages, "ann")
    running.step()
    closing = threading.Thread(target=manager.close, args=(WAIT_S,))
    closing.start()
    while not manager._closed:
        time.sleep(0.001)
    running.permits.release()
    closing.join(WAIT_S)
    assert not closing.is_alive()
    assert not any(thread.is_alive() for thread in manager._threads)
    assert ended(manager, "running").state is JobState.CANCELLED
    assert waiting.calls == 0
    with pytest.raises(Cancelled):
        manager.submit(named("another"), waiting.stages, "ann")
    manager.close()


ENDLESS = """
import threading, time
from cache.jobs.manager import Jobs, Stage
from cache.store.addresses import SceneAddress
begun = threading.Event()
def work(report, cancelled):
    begun.set()
    while True:
        {body}
jobs = Jobs({{"long": 1}})
job = SceneAddress("pair", "method", "weights", device="cpu")
jobs.submit(job, lambda: [Stage(work, "long")], "ann")
assert begun.wait(120)
"""


def test_the_interpreter_ends_while_a_job_runs() -> None:
    polite, deaf = "report(0.5, None); time.sleep(0.01)", "time.sleep(0.01)"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ENDLESS.format(body=body)], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        for body in (polite, deaf)
    ]
    for process in processes:
        _, errors = process.communicate(timeout=240)
        assert (process.returncode, errors) == (0, "")
