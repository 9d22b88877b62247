"""A real server with a pair of the user's own, for tests that go through HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.server import LOG, server_in

SHAPE = (48, 60)
ALONE = {"FUSEVIS_DEVICE": "cpu", "FUSEVIS_WORKER": "none"}
"""Settings of a server that starts no process besides itself: that takes seconds of a processor."""


@dataclass(frozen=True)
class Server:
    """A running server and the user's pair that it was given."""

    url: str
    pair_paths: tuple[Path, Path]
    pair: str


def write_pair(folder: Path) -> tuple[Path, Path]:
    """Draw a small pair afresh: blocks with some noise."""
    generator = np.random.default_rng()
    paths = (folder / "mri_own.npy", folder / "pet_own.npy")
    for path in paths:
        blocks = generator.random((SHAPE[0] // 4, SHAPE[1] // 4)).repeat(4, axis=0).repeat(4, axis=1)
        np.save(path, blocks + 0.2 * generator.random(SHAPE))
    return paths


@contextmanager
def running_server(folder: Path, settings: dict[str, str] | None = None) -> Iterator[Server]:
    """Start ``python -m app`` with a pair of the user's own; its log may not hold a traceback at the end."""
    paths = write_pair(folder)
    with server_in(folder, paths, ALONE | (settings or {})) as running:
        yield Server(running.url, paths, "own")
    log = (folder / LOG).read_text()
    assert "Traceback" not in log, log
