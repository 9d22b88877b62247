"""A server whose process is killed, or whose disk is full: what is asked for next is answered, and nothing is lost."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import fusion
from benchmarks.server import LOG, server_in
from cache.jobs.workers import FOLDER
from fusion.work.host import HOST
from tests.faults.processes import wait_for
from tests.running_server import ALONE, write_pair

WAIT_S = 240
IDLE_STOP_S, BUSY_STOP_S = 2, 10
METHOD = "weighted_averaging"
CODE = b"b1.2.3.4"
VIEW = {"name": "Kept", "note": "", "page": "explore", "query": "?pair=own"}


def answered(address: str, values: Any = None) -> bytes:
    request = urllib.request.Request(address, headers={"Content-Type": "application/json"})
    if values is not None:
        request.data = values if isinstance(values, bytes) else json.dumps(values).encode()
    with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
        content: bytes = answer.read()
    return content


def again(address: str) -> bytes:
    """Ask until there is an answer, as a page does."""
    end = time.monotonic() + WAIT_S
    while True:
        try:
            return answered(address)
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.1)


def hover_of(url: str, paths: tuple[Path, Path], method: str = METHOD) -> str:
    weights = fusion.load_method(method, "cpu").weights_id
    return f"{url}jacobian/{fusion.load_pair(*paths).id}/{method}/{weights}"


def worker_of(process_id: int) -> int:
    (worker,) = Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()
    return int(worker)


def test_a_killed_worker_is_replaced_while_pages_ask(tmp_path: Path) -> None:
    paths = write_pair(tmp_path)
    with server_in(tmp_path, paths, ALONE) as server:
        hover = hover_of(server.url, paths)
        right = [answered(f"{hover}/{look}/{look}") for look in range(20)]
        saved = json.loads(answered(f"{server.url}views", VIEW))
        begun = threading.Event()

        def walk() -> list[bytes]:
            begun.set()
            return [again(f"{hover}/{look}/{look}") for _ in range(10) for look in range(20)]

        with ThreadPoolExecutor(1) as thread:
            walking = thread.submit(walk)
            begun.wait()
            os.kill(worker_of(server.process_id), signal.SIGKILL)
            assert walking.result() == 10 * right
        assert json.loads(again(f"{server.url}views")) == {"views": [saved]}


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 64 KiB in memory, and fill it."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_costs_no_hover_and_is_told(tmp_path: Path, full_disk: Path) -> None:
    folders = {
        f"FUSEVIS_{name.upper()}_DIR": f"{full_disk}/{name}" for name in ("cache", "atlas", "view", "region")
    }
    paths = write_pair(tmp_path)
    with server_in(tmp_path, paths, ALONE | folders) as server:
        kept = json.loads(answered(f"{server.url}views", VIEW))
        with contextlib.suppress(OSError):
            (full_disk / "filler").write_bytes(bytes(2**17))
        hover = hover_of(server.url, paths)
        first, second = (answered(f"{hover}/7/8") for _ in range(2))
        assert first == second and len(first) == 32 + 8
        assert "cannot be kept" in json.loads(answered(f"{server.url}views", VIEW))["error"]
        assert json.loads(answered(f"{server.url}views")) == {"views": [kept]}
        with pytest.raises(urllib.error.HTTPError) as refused:
            answered(f"{server.url}regions/codes", CODE)
        with refused.value as answer:
            assert answer.code == 404 and "cannot be kept" in json.load(answer)["error"]
        ready = json.loads(answered(f"{server.url}readyz"))
        assert ready["ready"] and "does not work" in ready["problems"][0]
        (full_disk / "filler").unlink()
        assert "id" in json.loads(answered(f"{server.url}views", {**VIEW, "name": "Later"}))
        assert len(json.loads(answered(f"{server.url}regions/codes", CODE))["id"]) == 32
        answered(f"{hover}/9/9")
        assert json.loads(answered(f"{server.url}readyz"))["problems"] == []
    assert "Traceback" not in (tmp_path / LOG).read_text()


@pytest.mark.parametrize("state", ["idle", "with a worker", "busy"])
def test_a_server_stops_soon(tmp_path: Path, state: str) -> None:
    paths = write_pair(tmp_path)
    place = {"FUSEVIS_WORKER": "local"} if state == "with a worker" else {}
    with server_in(tmp_path, paths, ALONE | place) as server, ThreadPoolExecutor(4) as threads:
        hover = hover_of(server.url, paths, "deep_pedestrian")

        def walk() -> None:
            try:
                for look in range(10_000):
                    answered(f"{hover}/{look % 40}/{look // 40 % 40}")
            except OSError:
                return

        walking = [threads.submit(walk) for _ in range(4 if state == "busy" else 0)]
        answered(f"{hover}/47/47")
        if place:
            locks = tmp_path / "cache" / FOLDER
            wait_for(lambda: any(lock.stat().st_size for lock in locks.glob(f"*/{HOST}")), "the worker")
        started = time.monotonic()
        os.kill(server.process_id, signal.SIGTERM)
        while Path(f"/proc/{server.process_id}/stat").read_text().split()[2] != "Z":
            time.sleep(0.02)
        seconds = time.monotonic() - started
        for one in walking:
            one.result()
    print(f"{state}: stopped after {seconds:.1f} s")
    assert seconds <= (BUSY_STOP_S if state == "busy" else IDLE_STOP_S)
