"""The list of jobs: who sees what of whose, what is stopped, and how long is left."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.guard.visitors import COOKIE, new_viewer
from cache.errors import TooBusyError
from cache.jobs.entries import Subject, owner_of
from cache.jobs.manager import MOST_JOBS, Jobs, JobState, Stage
from cache.services.maps import MAP_LANE
from cache.services.services import services_of
from fusion.saliency.maps import MapKind
from tests.unit.guarded import guarded_server
from tests.unit.job_tasks import WAIT_S, Task, ended, named
from tests.unit.moved_clock import MovedClock

PAGE = {"Accept": "text/html"}


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def tasks() -> Iterator[list[Task]]:
    """Five pieces of work, which end with the test."""
    made = [Task() for _ in range(5)]
    yield made
    for task in made:
        task.permits.release(task.steps)


@pytest.fixture
def jobs(clock: MovedClock) -> Iterator[Jobs[str]]:
    manager: Jobs[str] = Jobs({"long": 1}, lease_s=1000, clock=clock)
    yield manager
    manager.close(0)


def test_what_is_at_work_comes_first_and_the_rest_as_it_was_asked_for(
    jobs: Jobs[str], tasks: list[Task]
) -> None:
    first, second, third = tasks[:3]
    jobs.submit(named("a"), first.stages, "ann-1")
    assert first.begun.wait(WAIT_S)
    subject = Subject("Guidance images", "own", "Own", "masknet", "MaskNet")
    jobs.submit(named("b"), second.stages, "bob-1", subject)
    jobs.submit(named("c"), third.stages, "bob-2")
    jobs.submit(named("b"), second.stages, "ann-2")
    entries = jobs.entries()
    assert [entry.address for entry in entries] == [named("a"), named("b"), named("c")]
    assert [entry.state for entry in entries] == [JobState.RUNNING, JobState.QUEUED, JobState.QUEUED]
    assert [entry.owners for entry in entries] == [{"ann"}, {"ann", "bob"}, {"bob"}]
    assert entries[1].subject == subject


def test_the_time_left_is_by_the_pace_since_the_first_report(
    jobs: Jobs[str], tasks: list[Task], clock: MovedClock
) -> None:
    task = tasks[0]
    jobs.submit(named("job"), task.stages, "ann")
    assert task.begun.wait(WAIT_S)
    assert jobs.entries()[0].seconds_left is None
    clock.now += 100  # of preparing, which says nothing of the pace
    task.step()
    assert jobs.entries()[0].seconds_left is None
    clock.now += 4
    task.step()
    (entry,) = jobs.entries()
    # A quarter of it took 4 s, and half of it is left.
    assert (entry.fraction, entry.seconds_left, entry.seconds) == (0.5, 8, 104)


def test_an_owner_takes_one_turn_with_all_pages(jobs: Jobs[str], tasks: list[Task]) -> None:
    running, of_ann, of_bob = tasks[:3]
    jobs.submit(named("first"), running.stages, "ann-1")
    assert running.begun.wait(WAIT_S)
    jobs.submit(named("of ann"), of_ann.stages, "ann-2")
    jobs.submit(named("of bob"), of_bob.stages, "bob-1")
    for _ in range(4):
        running.step()
    assert of_bob.begun.wait(WAIT_S)
    assert not of_ann.begun.is_set()


def test_stopping_for_one_owner_leaves_it_to_the_others(jobs: Jobs[str], tasks: list[Task]) -> None:
    task = tasks[0]
    for viewer in ("ann-1", "ann-2", "bob-1"):
        jobs.submit(named("job"), task.stages, viewer)
    assert task.begun.wait(WAIT_S)
    assert not jobs.withdraw(named("job"), "eve")
    assert jobs.withdraw(named("job"), "ann")
    assert not jobs.withdraw(named("job"), "ann")
    assert jobs.entries()[0].owners == {"bob"}
    seen = jobs.poll(named("job"), "ann-2")
    assert seen is not None and seen.withdrawn and seen.state is JobState.RUNNING
    assert jobs.withdraw(named("job"), "bob")
    task.permits.release()
    assert ended(jobs).state is JobState.CANCELLED
    assert jobs.entries() == []


def test_nobody_has_more_jobs_than_all_can_bear(jobs: Jobs[str], tasks: list[Task]) -> None:
    stages = tasks[0].stages
    for number in range(MOST_JOBS):
        jobs.submit(named(f"job {number}"), stages, f"ann-{number % 7}")
    with pytest.raises(TooBusyError, match=f"{MOST_JOBS} computations"):
        jobs.submit(named("one more"), stages, "ann-8")
    jobs.submit(named("job 3"), stages, "ann-8")  # of those that there are
    jobs.submit(named("of bob"), stages, "bob-1")
    assert jobs.withdraw(named("job 5"), "ann")
    jobs.submit(named("one more"), stages, "ann-8")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with guarded_server(tmp_path_factory.mktemp("jobs")) as made:
        yield made


@pytest.fixture
def work(server: Flask) -> Iterator[Jobs[Any]]:
    """The queue of maps, which begins with nothing."""
    jobs = services_of(server).maps.jobs
    yield jobs
    for entry in jobs.entries():
        for owner in entry.owners:
            jobs.withdraw(entry.address, owner)


def viewer_of(server: Flask, client: FlaskClient) -> str:
    """Return the name that a page made for the browser would get."""
    cookie = client.get_cookie(COOKIE)
    with server.test_request_context(headers={"Cookie": f"{COOKIE}={cookie.value}"} if cookie else {}):
        server.preprocess_request()
        return new_viewer()


def test_a_page_gives_a_browser_one_cookie_and_keeps_it(server: Flask) -> None:
    client = server.test_client()
    given = client.get("/jobs", headers=PAGE).headers["Set-Cookie"]
    assert re.match(rf"{COOKIE}=[\w-]{{22}}; ", given)
    assert "HttpOnly" in given and "SameSite=Lax" in given and "Path=/" in given
    assert "Set-Cookie" not in client.get("/jobs", headers=PAGE).headers
    assert "Set-Cookie" not in server.test_client().get("/jobs.json").headers


def test_pages_of_a_browser_have_one_owner_which_says_nothing_of_its_cookie(server: Flask) -> None:
    ann, bob = server.test_client(), server.test_client()
    for client in (ann, bob):
        client.get("/jobs", headers=PAGE)
    first, second, other = viewer_of(server, ann), viewer_of(server, ann), viewer_of(server, bob)
    assert first != second
    assert owner_of(first) == owner_of(second) != owner_of(other)
    cookie = ann.get_cookie(COOKIE)
    assert cookie is not None and cookie.value[:8] not in first
    assert re.fullmatch(r"[0-9a-f]{16}-[0-9a-f]{32}", first)


@pytest.mark.parametrize("value", ["x", "a b" * 10, "ä" * 30, "x" * 65])
def test_a_cookie_that_is_none_of_ours_is_replaced(server: Flask, value: str) -> None:
    answer = server.test_client().get("/jobs", headers=PAGE | {"Cookie": f"{COOKIE}={value}"})
    assert answer.headers["Set-Cookie"].startswith(COOKIE)


def test_who_sees_and_stops_what(server: Flask, work: Jobs[Any], tasks: list[Task]) -> None:
    ann, bob = server.test_client(), server.test_client()
    for client in (ann, bob):
        client.get("/jobs", headers=PAGE)
    assert ann.get("/jobs.json").json == {"jobs": []}
    known = random.choice(services_of(server).scenes.entries())
    what = f"Map of the {MapKind.REACH}"
    subjects = [
        Subject(what, known.address, known.title, "masknet", "MaskNet"),
        Subject(what, "brought", "Brought by ann", "masknet", "MaskNet"),
    ]
    for number, (task, subject) in enumerate(zip(tasks, subjects, strict=False)):
        stages = partial(lambda one: [Stage(one, MAP_LANE)], task)
        work.submit(named(f"job {number}"), stages, viewer_of(server, ann), subject)
    of_ann, of_bob = (client.get("/jobs.json").json["jobs"] for client in (ann, bob))
    assert [job["pair"] for job in of_ann] == [known.title, "Brought by ann"]
    assert [job["pair"] for job in of_bob] == [known.title, "A pair of somebody's own"]
    assert [job["link"] for job in of_bob] == [of_ann[0]["link"], None]
    assert of_ann[1]["link"] == "./?pair=brought&method=masknet"
    assert [(job["yours"], job["others"]) for job in of_ann + of_bob] == [(True, 0)] * 2 + [(False, 1)] * 2
    id = of_ann[0]["id"]
    assert bob.post(f"/jobs/{id}/stop").status_code == 404
    assert len(ann.get("/jobs.json").json["jobs"]) == 2
    assert ann.post(f"/jobs/{id}/stop").json == {"stopped": True}
    (left,) = [job for job in ann.get("/jobs.json").json["jobs"] if job["yours"]]
    assert left["pair"] == "Brought by ann"


def test_the_page_has_no_address_of_its_own_and_runs_nothing_inline(server: Flask, tmp_path: Path) -> None:
    text = server.test_client().get("/jobs", headers=PAGE).text
    assert '<script type="module" src="assets/jobs.mjs"></script>' in text
    assert not re.findall(r"""(?:href|src)=["']/""", text)
