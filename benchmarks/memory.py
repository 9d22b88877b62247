"""How much memory hovering and guidance images take beyond an idle server: ``python -m benchmarks.memory`` (Linux).

Hovering and guidance images are measured in a process that has the services of a server and nothing else, and hovering
once more as a user does it: by HTTP, of the server's own processes.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Annotated

import typer

import fusion
from benchmarks import limits
from benchmarks.figures import Figure, console, figures_table, finish
from benchmarks.images import of_side, written
from benchmarks.inside import hover, services_for
from benchmarks.opened import opened
from benchmarks.options import METHODS, MethodsOption, RecordOption, StrictOption
from benchmarks.server import benchmark_server, memory_of
from benchmarks.walking import POINTER_GAP_S, User
from cache.services.scenes import Scene
from cache.services.services import Services

MEGABYTE = 1e6
VIEWER = "benchmark"
REST_SECONDS = 2.0
"""An idle server has loaded everything, and returned what it does not need any more."""


def main(
    method: MethodsOption = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="Hovering, each.")] = 20.0,
    side: Annotated[int, typer.Option(min=16, help="Of the image, pixels.")] = limits.SIDE,
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
    usual, is_large = side == limits.SIDE, large == limits.LARGE_SIDE
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


def _child(case: str, method: str, side: int, seconds: float, sender: Connection) -> None:
    with services_for(of_side(side)) as services:
        while not services.ready().ready:
            time.sleep(0.2)
        idle = resident("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
        scene = services.scenes.open("own", method)
        services.scenes.fused(scene)
        if case == "guidance":
            finish_guidance(services, scene)
        else:
            for seed in range(4):
                hover(services, scene, seconds / 4, seed)
        sender.send((resident("VmHWM") - idle) / MEGABYTE)


def finish_guidance(services: Services, scene: Scene) -> None:
    """Compute guidance images to their end."""
    state = services.guidance.state(scene, VIEWER)
    while state.running:
        time.sleep(0.5)
        state = services.guidance.state(scene, VIEWER, start=False)


def resident(name: str) -> int:
    """Return a figure of this process from Linux, bytes: VmRSS is now, VmHWM the peak."""
    return memory_of("self", name)


if __name__ == "__main__":
    typer.run(main)
