"""The engines: the same units here and on a cluster, which is one without processes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import fusion
from fusion.work import engines
from fusion.work.addresses import Kind, Work
from fusion.work.engines import Engine, Here, OnDask, Security, require_allowed
from fusion.work.store import ChunkStore
from fusion.work.tasks import Job, Task, WorkError
from tests.unit.threads_cluster import threads_cluster

SHAPE = (11, 14)
WAIT_S = 120.0


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a cluster without processes."""
    with threads_cluster() as address:
        yield address


@pytest.fixture
def job(tmp_path: Path, rng: np.random.Generator) -> Job:
    store = ChunkStore(tmp_path / "store")
    pair = fusion.Pair.from_arrays(*rng.random((2, *SHAPE)))
    store.put_pair(pair)
    return Job(
        Work.of(Kind.GUIDANCE, fusion.load_method("deepfuse", "cpu"), pair.id), SHAPE, store.url, gently=False
    )


def require_all_computed(engine: Engine, job: Job) -> None:
    missing = engine.missing(job)
    assert len(missing) > 1
    outcomes = list(engine.run(Task(job, number) for number in missing))
    assert [outcome.problem for outcome in outcomes] == [None] * len(missing)
    assert {outcome.task.number for outcome in outcomes} == set(missing)
    assert engine.missing(job) == []


def test_in_this_process(job: Job) -> None:
    require_all_computed(Here(), job)


def test_on_the_workers_of_a_scheduler(job: Job, scheduler: str) -> None:
    with OnDask(scheduler) as engine:
        require_all_computed(engine, job)


def test_what_cannot_be_computed_is_told_and_ends_no_others(job: Job, scheduler: str, tmp_path: Path) -> None:
    absent = Job(job.work, SHAPE, str(tmp_path / "elsewhere"))
    with OnDask(scheduler) as on_dask:
        for engine in (Here(), on_dask):
            outcomes = {
                outcome.task.job: outcome.problem for outcome in engine.run([Task(absent, 0), Task(job, 0)])
            }
            assert outcomes[job] is None
            assert "does not have the images" in str(outcomes[absent])
            with pytest.raises(fusion.FuseVisError, match="does not have the images"):
                engine.missing(absent)


BEGUN: list[int] = []
GO_ON = threading.Event()


def held(task: Task) -> int:
    BEGUN.append(task.number)
    assert GO_ON.wait(WAIT_S)
    return 0


def test_few_units_are_handed_over_at_once(job: Job, scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "run_unit", held)
    taken: list[int] = []

    def tasks() -> Iterator[Task]:
        for number in range(100):
            taken.append(number)
            yield Task(job, number)

    with OnDask(scheduler) as engine:
        outcomes = engine.run(tasks())
        released = threading.Timer(0.2, GO_ON.set)
        released.start()
        next(outcomes)
        assert len(taken) <= 2 * 2
        outcomes.close()  # type: ignore[attr-defined]  # a generator
        released.join()
    assert len(BEGUN) <= 4, "what nobody waits for any more is taken back"


@pytest.mark.parametrize(
    ("address", "trusted", "allowed"),
    [
        ("tcp://127.0.0.1:8786", False, True),
        ("tcp://localhost:8786", False, True),
        ("tcp://[::1]:8786", False, True),
        ("tcp://10.0.0.7:8786", False, False),
        ("tcp://10.0.0.7:8786", True, True),
        ("tcp://127.0.0.1.example.org:8786", False, False),
        ("tcp://localhost.example.org:8786", False, False),
        ("tls://10.0.0.7:8786", True, False),
        ("inproc://x", True, False),
        ("10.0.0.7:8786", True, False),
    ],
)
def test_addresses_that_are_not_protected_are_refused(address: str, trusted: bool, allowed: bool) -> None:
    if allowed:
        require_allowed(address, None, trusted)
    else:
        with pytest.raises(WorkError):
            require_allowed(address, None, trusted)


def test_encryption_is_allowed_with_certificates() -> None:
    require_allowed("tls://10.0.0.7:8786", Security("a.pem", "c.pem", "k.pem"), False)


def test_a_scheduler_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "CONNECT_SECONDS", 0.3)
    with (
        pytest.raises(WorkError, match=r"no dask scheduler at tcp://127.0.0.1:9"),
        OnDask("tcp://127.0.0.1:9"),
    ):
        pass
