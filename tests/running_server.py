"""A real server with a pair of the user's own, for tests that go through HTTP."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
START_SECONDS = 90
SHAPE = (48, 60)


@dataclass(frozen=True)
class Server:
    """A running server and the user's pair that it was given."""

    url: str
    pair_paths: tuple[Path, Path]
    pair: str


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_pair(folder: Path) -> tuple[Path, Path]:
    """Draw a small pair afresh: blocks with some noise."""
    generator = np.random.default_rng()
    paths = (folder / "mri_own.npy", folder / "pet_own.npy")
    for path in paths:
        blocks = generator.random((SHAPE[0] // 4, SHAPE[1] // 4)).repeat(4, axis=0).repeat(4, axis=1)
        np.save(path, blocks + 0.2 * generator.random(SHAPE))
    return paths


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for /readyz, and show the server's log if it never comes."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"The server did not become ready:\n{log.read_text()}")


@contextmanager
def running_server(folder: Path) -> Iterator[Server]:
    """Start ``python -m app`` with a pair of the user's own; its log may not hold a traceback at the end."""
    paths = write_pair(folder)
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FUSEVIS_")}
    environment |= {
        "FUSEVIS_CACHE_DIR": str(folder / "cache"),
        "FUSEVIS_ATLAS_DIR": str(folder / "atlas"),
        "FUSEVIS_REGION_DIR": str(folder / "regions"),
        "FUSEVIS_DEVICE": "cpu",
    }
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "--port", str(port), "--pair", *map(str, paths)],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until_ready(url, process, log)
            yield Server(url, paths, "own")
        finally:
            process.terminate()
            process.wait(30)
    assert "Traceback" not in log.read_text(), log.read_text()
