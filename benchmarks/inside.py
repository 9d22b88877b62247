"""The services of a server in this process, without HTTP, and a pointer that moves over one of their scenes."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import flask

from app.settings import Settings
from benchmarks.images import written
from cache.services.scenes import Scene
from cache.services.services import Services, build_services
from fusion.pair import Pair

MOVE_SECONDS = 0.016
STEP = 3
"""Pixels of the image from one move to the next, at most, in each direction."""


@contextmanager
def services_for(pair: Pair) -> Iterator[Services]:
    """Build services as a server has them, with an empty cache and this pair as their only own one, ``own``."""
    with tempfile.TemporaryDirectory(prefix="fusevis_benchmark_") as name:
        folder = Path(name)
        paths = written(pair, folder)
        server = flask.Flask("benchmark")
        settings = Settings(cache_dir=folder / "cache", atlas_dir=folder / "atlas", device="cpu")
        services = build_services(server, settings, [paths])
        try:
            yield services
        finally:
            services.close()


def hover(
    services: Services, scene: Scene, seconds: float, seed: int, meanwhile: Callable[[], None] = lambda: None
) -> list[float]:
    """Walk at random over a scene, a move every 16 ms or as soon as the last is answered.

    Parameters
    ----------
    services : Services
        What answers.
    scene : Scene
        What is hovered over.
    seconds : float
        For how long.
    seed : int
        Of the way.
    meanwhile : callable
        Called between moves, about once a second.

    Returns
    -------
    list of float
        What each answer took, seconds.
    """
    generator = random.Random(seed)
    row, column = generator.randrange(scene.height), generator.randrange(scene.width)
    times: list[float] = []
    end = time.monotonic() + seconds
    next_call = 0.0
    while (began := time.monotonic()) < end:
        services.windows.of(scene, row, column)
        times.append(time.monotonic() - began)
        if began >= next_call:
            meanwhile()
            next_call = began + 1.0
        row = min(max(row + generator.randint(-STEP, STEP), 0), scene.height - 1)
        column = min(max(column + generator.randint(-STEP, STEP), 0), scene.width - 1)
        time.sleep(max(0.0, began + MOVE_SECONDS - time.monotonic()))
    return times
