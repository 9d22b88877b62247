"""A real scheduler and real workers on this machine: killed in the midst, encrypted, gone and back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trustme

import fusion
from benchmarks.server import free_port
from fusion.work.addresses import Kind, Work
from fusion.work.engines import OnDask, Security
from fusion.work.guidance_units import GuidanceUnits
from fusion.work.store import ChunkStore
from fusion.work.tasks import Job, Task, WorkError
from tests.faults.processes import kill, process, scheduler, wait_for, worker

SHAPE = (64, 96)


@pytest.fixture
def pair() -> fusion.Pair:
    return fusion.Pair.from_arrays(*np.random.default_rng().random((2, *SHAPE)))


@pytest.fixture
def job(tmp_path: Path, pair: fusion.Pair) -> Job:
    store = ChunkStore(tmp_path / "store")
    store.put_pair(pair)
    return Job(Work.of(Kind.GUIDANCE, fusion.load_method("deepfuse", "cpu"), pair.id), SHAPE, store.url)


def require_equal_to_the_whole(job: Job, pair: fusion.Pair) -> None:
    method = fusion.load_method("deepfuse", "cpu")
    units = GuidanceUnits(method, pair, ChunkStore(job.store))
    assert units.missing() == []
    image = np.full((2, *SHAPE), np.nan, dtype=np.float32)
    for number in range(len(units)):
        values = units.kept(number)
        assert values is not None
        units.put(number, values, image)
    whole = fusion.guidance(method, pair)
    np.testing.assert_allclose(image, whole, rtol=1e-4, atol=1e-5 * float(np.abs(whole).max()))


def test_a_worker_that_is_killed_in_the_midst_loses_no_unit(
    tmp_path: Path, job: Job, pair: fusion.Pair
) -> None:
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    with (
        scheduler(tmp_path, port),
        process(tmp_path, *worker(tmp_path, address)),
        process(tmp_path, *worker(tmp_path, address)) as doomed,
        OnDask(address) as engine,
    ):
        wait_for(lambda: len(engine.workers()) == 2, "two workers")
        missing = engine.missing(job)
        outcomes = []
        for outcome in engine.run(Task(job, number) for number in missing):
            outcomes.append(outcome)
            if len(outcomes) == len(missing) // 4:
                kill(doomed)
        assert len(engine.workers()) == 1
    assert [outcome.problem for outcome in outcomes] == [None] * len(missing)
    assert sorted(outcome.task.number for outcome in outcomes) == missing
    require_equal_to_the_whole(job, pair)


def compute_until_lost(engine: OnDask, job: Job, numbers: list[int], lose: Callable[[], None]) -> None:
    """Compute units, and call `lose` after the third."""
    for done, outcome in enumerate(engine.run(Task(job, number) for number in numbers), start=1):
        assert outcome.problem is None
        if done == 3:
            lose()


def test_a_scheduler_that_is_killed_is_told_and_the_work_goes_on_when_it_is_back(
    tmp_path: Path, job: Job, pair: fusion.Pair
) -> None:
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    with (
        scheduler(tmp_path, port) as running,
        process(tmp_path, *worker(tmp_path, address)),
        OnDask(address) as engine,
    ):
        missing = engine.missing(job)
        with pytest.raises(WorkError, match="connection to the cluster was lost"):
            compute_until_lost(engine, job, missing, running.close)
    with scheduler(tmp_path, port), process(tmp_path, *worker(tmp_path, address)), OnDask(address) as engine:
        left = engine.missing(job)
        assert len(left) <= len(missing) - 3, "what is computed is kept"
        outcomes = list(engine.run(Task(job, number) for number in left))
    assert [outcome.problem for outcome in outcomes] == [None] * len(left)
    require_equal_to_the_whole(job, pair)


def certificates(folder: Path) -> Security:
    """Make an authority, and a certificate of it that scheduler, workers and client use."""
    authority = trustme.CA()
    one = authority.issue_cert("127.0.0.1", "localhost")
    paths = [str(folder / name) for name in ("authority.pem", "certificate.pem", "key.pem")]
    authority.cert_pem.write_to_path(paths[0])
    one.cert_chain_pems[0].write_to_path(paths[1])
    one.private_key_pem.write_to_path(paths[2])
    return Security(*paths)


def test_an_encrypted_cluster_knows_its_own(tmp_path: Path, job: Job, pair: fusion.Pair) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    theirs.mkdir()
    security, other = certificates(ours), certificates(theirs)
    port = free_port()
    address = f"tls://127.0.0.1:{port}"
    files = (
        "--tls-ca-file",
        security.authority,
        "--tls-cert",
        security.certificate,
        "--tls-key",
        security.key,
    )
    with (
        scheduler(tmp_path, port, *files, scheme="tls"),
        process(tmp_path, *worker(tmp_path, address, *files)),
    ):
        with OnDask(address, security) as engine:
            missing = engine.missing(job)
            outcomes = list(engine.run(Task(job, number) for number in missing))
            assert [outcome.problem for outcome in outcomes] == [None] * len(missing)
        for intruder in (OnDask(address, other), OnDask(address.replace("tls", "tcp"))):
            with pytest.raises(WorkError, match="no dask scheduler"), intruder:
                pass
    require_equal_to_the_whole(job, pair)
