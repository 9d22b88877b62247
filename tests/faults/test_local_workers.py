"""Workers of this machine, in processes of their own: shared, killed, ended with the last who uses them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

import fusion
from benchmarks.long_work import OtherPage
from benchmarks.server import server_in
from cache.jobs.workers import FOLDER, Workers
from fusion.training.tuning.instance import Instance, InstanceTraining
from fusion.training.tuning.workers import TuningWorkers, trainer
from fusion.work import host
from fusion.work.addresses import Kind, Work
from fusion.work.guidance_units import GuidanceUnits
from fusion.work.local import LocalWorkers
from fusion.work.store import ChunkStore
from fusion.work.tasks import Job
from tests.faults.processes import WAIT_S, wait_for
from tests.running_server import write_pair

SHAPE = (64, 96)
STOP_S = 10


def hosts(folder: Path) -> list[psutil.Process]:
    """Return the processes that have workers for a folder, or one below it."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        if host.__file__ in line and any(one.startswith(str(folder)) for one in line):
            found.append(process)
    return found


def ended(process: psutil.Process) -> bool:
    """Return whether a process is gone, or waits for nothing but to be noticed."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def worker_of(process: psutil.Process) -> psutil.Process:
    (worker,) = [one for one in process.children() if "resource_tracker" not in " ".join(one.cmdline())]
    return worker


def test_workers_of_a_folder_are_shared_come_back_and_end_with_the_last_user(tmp_path: Path) -> None:
    folder = tmp_path / "worker"
    first, second = LocalWorkers(folder, nice=0), LocalWorkers(folder, nice=0)
    assert first.find().address == second.find().address
    (only,) = hosts(folder)
    assert (folder / host.HOST).stat().st_mode & 0o077 == 0, "the key is this user's alone"

    pair = fusion.Pair.from_arrays(*np.random.default_rng().random((2, *SHAPE)))
    method = fusion.load_method("deepfuse", "cpu")
    store = ChunkStore(tmp_path / "store")
    store.put_pair(pair)
    job = Job(Work.of(Kind.GUIDANCE, method, pair.id), SHAPE, store.url, threads=1)
    workers = Workers(first.find, local=True, let_go=first.close)
    units = GuidanceUnits(method, pair, store)
    numbers = units.missing()
    done: list[int] = []
    for number in workers.computed(job, numbers, lambda: None):
        done.append(number)
        if len(done) == 3:
            worker = worker_of(only)
            worker.kill()
        if len(done) == len(numbers) // 2:
            only.kill()
            only.wait(WAIT_S)
    assert sorted(done) == numbers and units.missing() == []
    (another,) = hosts(folder)
    assert another.pid != only.pid

    image = np.full((2, *SHAPE), np.nan, dtype=np.float32)
    for number, values in units.known():
        units.put(number, values, image)
    np.testing.assert_array_equal(image, fusion.guidance(method, pair))

    workers.close()
    assert second.running(), "others use it"
    second.close()
    wait_for(lambda: not hosts(folder), "its end")


def test_what_cannot_be_started_is_told_with_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = LocalWorkers(tmp_path / "worker", nice=0)
    broken._options["preload"] = ["there.is.no.such.module"]
    with pytest.raises(fusion.FuseVisError, match=r"worker\.log"):
        broken.find()
    broken.close()


def test_a_search_has_processes_of_its_own_that_nobody_else_can_reach(tmp_path: Path) -> None:
    first, second = Instance(0.99, 0.5, 0.5), Instance(0.5, 0.5, 0.5)
    # A training of no steps is refused at once, but by its worker.
    training = InstanceTraining("funfusean", steps=0)
    with trainer(tmp_path, training, TuningWorkers(workers=2, device="cpu")) as run:
        outcomes = [*run([first]), *run([second])]
        (only,) = hosts(tmp_path)
        family = [only, *only.children(recursive=True)]
        listening = {
            found.laddr.ip
            for one in family
            for found in one.net_connections("inet")
            if found.status == "LISTEN"
        }
    assert [instance for instance, _ in outcomes] == [first, second]
    assert all(isinstance(outcome, str) and "steps" in outcome for _, outcome in outcomes), outcomes
    assert len(family) >= 3 and listening == {"127.0.0.1"}
    wait_for(lambda: all(map(ended, family)), "their end")


def complete(page: OtherPage) -> None:
    page.begin_guidance()
    wait_for(lambda: not page.follow_guidance(), "guidance images")


def test_two_servers_of_one_folder_share_one_worker(tmp_path: Path) -> None:
    paths = write_pair(tmp_path)
    shared = {
        "FUSEVIS_DEVICE": "cpu",
        "FUSEVIS_WORKER": "local",
        "FUSEVIS_CACHE_DIR": str(tmp_path / "cache"),
    }
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    with server_in(folders[0], paths, shared) as first:
        with server_in(folders[1], paths, shared) as second:
            for server, method in ((first, "deepfuse"), (second, "funfusean")):
                complete(OtherPage(server.url, "own", method))
            (only,) = hosts(tmp_path / "cache" / FOLDER)
            assert worker_of(only).memory_info().rss > 2**26, "it has torch"
        assert hosts(tmp_path / "cache" / FOLDER), "the first one uses it"
        OtherPage(first.url, "own", "deep_pedestrian").begin_guidance()
        started = time.monotonic()
        os.kill(first.process_id, signal.SIGTERM)
        psutil.Process(first.process_id).wait(WAIT_S)
        seconds = time.monotonic() - started
    print(f"busy: stopped after {seconds:.1f} s")
    assert seconds <= STOP_S
    wait_for(lambda: not hosts(tmp_path / "cache" / FOLDER), "its end")
    for folder in folders:
        assert "Traceback" not in (folder / "server.log").read_text()
