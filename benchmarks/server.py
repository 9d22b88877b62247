"""A server of its own for a benchmark or a test: an empty cache, a free port, ended at the end."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
START_SECONDS = 240
END_SECONDS = 60
"""Both are generous: a machine that is busy with something else is slow, and not broken."""
LOG = "server.log"
COMMAND = (sys.executable, "-m", "app")


@dataclass(frozen=True)
class BenchmarkServer:
    """A running server.

    Attributes
    ----------
    url : str
        Its address, with a slash at the end.
    process_id : int
        Of the server.
    seconds_to_ready : float
        From the start of the process to the first answer of ``/readyz`` that says so.
    """

    url: str
    process_id: int
    seconds_to_ready: float

    def resident_bytes(self) -> int:
        """Return how much memory the server and its children hold now, bytes (Linux)."""
        return self._bytes("VmRSS")

    def peak_bytes(self) -> int:
        """Return how much memory they held at most since `forget_peak`, each by itself, bytes (Linux)."""
        return self._bytes("VmHWM")

    def forget_peak(self) -> None:
        """Let the peak count from now on (Linux)."""
        for process_id in _family(self.process_id):
            Path(f"/proc/{process_id}/clear_refs").write_text("5")

    def _bytes(self, name: str) -> int:
        return sum(memory_of(process_id, name) for process_id in _family(self.process_id))


@contextmanager
def benchmark_server(
    pair: tuple[Path, Path] | None = None, settings: dict[str, str] | None = None
) -> Iterator[BenchmarkServer]:
    """Start ``python -m app`` in a folder of its own, see `server_in`."""
    with (
        tempfile.TemporaryDirectory(prefix="fusevis_benchmark_", ignore_cleanup_errors=True) as folder,
        server_in(Path(folder), pair, settings) as server,
    ):
        yield server


@contextmanager
def server_in(
    folder: Path,
    pair: tuple[Path, Path] | None = None,
    settings: dict[str, str] | None = None,
    command: Sequence[str] = COMMAND,
    working_folder: Path = ROOT,
) -> Iterator[BenchmarkServer]:
    """Start ``python -m app`` with the user's pair, if any, and settings beside the defaults.

    Parameters
    ----------
    folder : Path
        Gets the cache, the atlases, and the server's log as `LOG`.
    pair : tuple of Path, optional
        The two files of a pair.
    settings : dict of str to str, optional
        Environment variables of the server.
    command : sequence of str
        Starts the page; an installed FuseVis has one of its own.
    working_folder : Path
        Where it is started.

    Raises
    ------
    RuntimeError
        If the server does not become ready, or does not end when told to, with its log.
    """
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FUSEVIS_")}
    own = {
        "FUSEVIS_CACHE_DIR": f"{folder}/cache",
        "FUSEVIS_ATLAS_DIR": f"{folder}/atlas",
        "FUSEVIS_REGION_DIR": f"{folder}/regions",
        "FUSEVIS_VIEW_DIR": f"{folder}/views",
        # Tests set it for all servers that they start.
        "FUSEVIS_WORKER": os.environ.get("FUSEVIS_WORKER", "local"),
    }
    environment |= own | (settings or {})
    arguments = ["--port", str(port)]
    if pair is not None:
        arguments += ["--pair", *map(str, pair)]
    log = folder / LOG
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, *arguments],
            cwd=working_folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        url = f"http://127.0.0.1:{port}/"
        try:
            _wait(url, process, log, started + START_SECONDS)
            yield BenchmarkServer(url, process.pid, time.monotonic() - started)
        finally:
            _end(process, log)


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str, process: subprocess.Popen[bytes], log: Path, end: float) -> None:
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    state = "is still starting" if process.poll() is None else f"has ended with {process.returncode}"
    raise RuntimeError(f"The server did not become ready and {state}. Its log:\n{log.read_text()}")


def _end(process: subprocess.Popen[bytes], log: Path) -> None:
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        raise RuntimeError(f"The server did not end when told to. Its log:\n{log.read_text()}") from None


def _family(process_id: int) -> list[int]:
    children = Path(f"/proc/{process_id}/task/{process_id}/children")
    found = [int(child) for child in children.read_text().split()] if children.exists() else []
    return [process_id, *(one for child in found for one in _family(child))]


def memory_of(process_id: int | str, name: str) -> int:
    """Return a figure of a process from Linux, bytes: VmRSS is now, VmHWM the peak."""
    for line in Path(f"/proc/{process_id}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"This system does not tell {name}")
