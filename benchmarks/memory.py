"""How much memory hovering and guidance images take beyond an idle server: ``python -m benchmarks.memory`` (Linux)."""

from __future__ import annotations

import multiprocessing
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.figures import Figure, console, figures_table
from benchmarks.images import of_side
from benchmarks.inside import hover, services_for
from cache.services import Scene, Services

MEGABYTE = 1e6
VIEWER = "benchmark"
BOUNDS = {"hover": 100.0, "large": 512.0, "guidance": 1000.0}


def main(
    method: Annotated[str, typer.Option(help="Id of the method.")] = "deep_pedestrian",
    seconds: Annotated[float, typer.Option(min=0.1, help="Hovering.")] = 20.0,
    side: Annotated[int, typer.Option(min=16, help="Of the image, pixels.")] = 256,
    large: Annotated[int, typer.Option(min=16, help="Of the large image, pixels.")] = 2048,
) -> None:
    """Measure each in a process of its own, so that none has the memory of another."""
    cases = [
        Figure(f"hovering at {side}×{side}", measured("hover", method, side, seconds), "MB", BOUNDS["hover"]),
        Figure(
            f"hovering at {large}×{large}", measured("large", method, large, seconds), "MB", BOUNDS["large"]
        ),
        Figure(
            f"guidance images at {side}×{side}",
            measured("guidance", method, side, seconds),
            "MB",
            BOUNDS["guidance"],
        ),
    ]
    console.print(figures_table(f"Peak memory above idle, {method}", cases))


def measured(case: str, method: str, side: int, seconds: float) -> float:
    """Return the peak above idle of one case, MB."""
    console.print(f"Measuring {case} at {side}×{side} …")
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
    with services_for(of_side(side)) as (services, _):
        while not services.ready().ready:
            time.sleep(0.2)
        idle = resident("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
        scene = services.scene("own", method)
        services.fused(scene)
        if case == "guidance":
            finish_guidance(services, scene)
        else:
            for seed in range(4):
                hover(services, scene, seconds / 4, seed)
        sender.send((resident("VmHWM") - idle) / MEGABYTE)


def finish_guidance(services: Services, scene: Scene) -> None:
    """Compute guidance images to their end."""
    state = services.guidance_state(scene, VIEWER)
    while state.running:
        time.sleep(0.5)
        state = services.guidance_state(scene, VIEWER, start=False)


def resident(name: str) -> int:
    """Return a figure of this process from Linux, bytes: VmRSS is now, VmHWM the peak."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"This system does not tell {name}")


if __name__ == "__main__":
    typer.run(main)
