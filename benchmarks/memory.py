"""Memory that hovering and guidance images take beyond an idle server: ``python -m benchmarks.memory`` (Linux).

Hovering and guidance images are measured in a process that has the services of a server and nothing else, and hovering
once more as a user does it: by HTTP, of the server's own processes.
"""

from __future__ import annotations

import multiprocessing
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Annotated

import flask
import typer

import fusion
from app.settings import Settings
from benchmarks import limits
from benchmarks.inputs import METHODS, MethodsOption, of_side, written
from benchmarks.server import benchmark_server, memory_of
from benchmarks.walking import POINTER_GAP_S, STEP, User, opened
from cache.services.scenes import Scene
from cache.services.services import Services, build_services
from fusion.benchmark.figures import Figure, RecordOption, StrictOption, console, figures_table, finish
from fusion.benchmark.limits import SIDE
from fusion.pair import Pair

MEGABYTE = 1e6

VIEWER = "benchmark"

REST_SECONDS = 2.0
"""An idle server has loaded everything, and returned what it does not need any more."""


def main(
    method: MethodsOption = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="Hovering, each.")] = 20.0,
    side: Annotated[int, typer.Option(min=16, help="Of the image, pixels.")] = SIDE,
    large: Annotated[int, typer.Option(min=16, help="Of the large image, pixels.")] = limits.LARGE_SIDE,
    strict: StrictOption = False,
    record: RecordOption = None,
) -> None:
    """Measure each in a process of its own, so that none has the memory of another."""
    figures: list[Figure] = []
    for id in method or METHODS:
        figures += method_figures(id, seconds, side, large)
    console.print(figures_table("Peak memory above idle", figures))
    finish("memory", figures, strict, record)


def method_figures(method: str, seconds: float, side: int, large: int) -> list[Figure]:
    """Measure one method; limits are for images of the sides that they name."""
    usual, is_large = side == SIDE, large == limits.LARGE_SIDE
    cases = (
        ("hover", side, f"hovering at {side}×{side}", limits.MEMORY_HOVER if usual else None),
        ("large", large, f"hovering at {large}×{large}", limits.MEMORY_LARGE if is_large else None),
        ("guidance", side, f"guidance images at {side}×{side}", limits.MEMORY_GUIDANCE if usual else None),
    )
    figures = [
        Figure.beside(f"{method}: {name}", measured(case, method, edge, seconds), "MB", limit)
        for case, edge, name, limit in cases
    ]
    console.print(f"Measuring {method}: the server at {side}×{side} …")
    idle, peak = server_memory(method, side, seconds)
    return [
        *figures,
        Figure.beside(
            f"{method}: the server, hovering at {side}×{side} over HTTP", peak - idle, "MB", cases[0][3]
        ),
        Figure(f"{method}: the server in all, at that peak", peak, "MB"),
    ]


def measured(case: str, method: str, side: int, seconds: float) -> float:
    """Return the peak above idle of one case, MB."""
    console.print(f"Measuring {method}: {case} at {side}×{side} …")
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(case, method, side, seconds, sender))
    process.start()
    sender.close()
    try:
        return float(receiver.recv())
    finally:
        process.join()


def _child(case: str, method: str, side: int, seconds: float, sender: Connection) -> None:
    with services_for(of_side(side)) as services:
        while not services.ready().ready:
            time.sleep(0.2)
        idle = memory_of("self", "VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
        scene = services.scenes.open("own", method)
        services.scenes.fused(scene)
        if case == "guidance":
            finish_guidance(services, scene)
        else:
            for seed in range(4):
                hover(services, scene, seconds / 4, seed)
        sender.send((memory_of("self", "VmHWM") - idle) / MEGABYTE)


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


def hover(services: Services, scene: Scene, seconds: float, seed: int) -> list[float]:
    """Walk at random over a scene, a move every 16 ms or as soon as the last is answered; return answers' seconds."""
    generator = random.Random(seed)
    row, column = generator.randrange(scene.height), generator.randrange(scene.width)
    times: list[float] = []
    end = time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        services.windows.of(scene, row, column)
        times.append(time.monotonic() - began)
        row = min(max(row + generator.randint(-STEP, STEP), 0), scene.height - 1)
        column = min(max(column + generator.randint(-STEP, STEP), 0), scene.width - 1)
        time.sleep(max(0.0, began + POINTER_GAP_S - time.monotonic()))
    return times


def finish_guidance(services: Services, scene: Scene) -> None:
    """Compute guidance images to their end."""
    state = services.guidance.state(scene, VIEWER)
    while state.running:
        time.sleep(0.5)
        state = services.guidance.state(scene, VIEWER, start=False)


def server_memory(method: str, side: int, seconds: float) -> tuple[float, float]:
    """Return what a server's processes hold when it is idle, and at most while a pointer hovers, MB."""
    with tempfile.TemporaryDirectory(prefix="fusevis_benchmark_") as folder:
        files = written(of_side(side), Path(folder))
        with benchmark_server(files) as server:
            time.sleep(REST_SECONDS)
            idle = server.resident_bytes()
            server.forget_peak()
            user = User()
            opened(server.url, fusion.load_pair(*files), method, POINTER_GAP_S).go(user, 0, seconds)
            if user.errors:
                raise RuntimeError(f"The server did not answer a hover: {user.errors[0]}")
            return idle / MEGABYTE, server.peak_bytes() / MEGABYTE


if __name__ == "__main__":
    typer.run(main)
