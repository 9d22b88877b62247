"""A real scheduler and real workers on this machine: killed in the midst, encrypted, gone and back."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
import trustme

import fusion
from fusion.work.addresses import Kind, Work
from fusion.work.engines import OnDask, Security
from fusion.work.guidance_units import GuidanceUnits
from fusion.work.store import ChunkStore
from fusion.work.tasks import Job, Task, WorkError

ROOT = Path(__file__).parents[2]
WAIT_S = 180.0
SHAPE = (64, 96)


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {WAIT_S:.0f} s in vain: {what}"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def process(folder: Path, module: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run one of dask's commands, with all its processes in a group of their own, which is ended at the end."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with (folder / f"{module}.log").open("ab") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{module}", *arguments],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield started
    finally:
        kill(started)


def kill(started: subprocess.Popen[bytes]) -> None:
    """End a command with all that it has started, at once."""
    if started.poll() is None:
        os.killpg(started.pid, signal.SIGKILL)
    started.wait(WAIT_S)


def scheduler(folder: Path, port: int, *options: str, scheme: str = "tcp") -> ExitStack:
    """Start a scheduler, and wait until it listens."""
    stack = ExitStack()
    where = ("--host", f"{scheme}://127.0.0.1", "--port", str(port), "--no-dashboard", "--no-show")
    stack.enter_context(process(folder, "scheduler", *where, *options))

    def listens() -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", port)) == 0

    wait_for(listens, "the scheduler")
    return stack


def worker(folder: Path, address: str, *options: str) -> tuple[str, ...]:
    """Return the arguments that start a worker of one thread, without another process that would bring it back."""
    local = str(folder / f"worker-{time.monotonic_ns()}")
    return (
        "worker",
        address,
        "--nthreads",
        "1",
        "--no-nanny",
        "--no-dashboard",
        "--local-directory",
        local,
        *options,
    )


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
