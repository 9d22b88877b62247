"""Hovering while guidance images or an atlas are computed: ``python -m benchmarks.background``.

As users have it: a server, one client that hovers by HTTP, and a page of another method that lets the server compute.
Idle and busy take turns in one run.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

import fusion
from benchmarks import limits
from benchmarks.inputs import of_side, written
from benchmarks.long_work import KINDS, long_work
from benchmarks.server import benchmark_server
from benchmarks.walking import POINTER_GAP_S, User, Walk, opened
from fusion.benchmark.figures import Figure, RecordOption, StrictOption, console, figures_table, finish
from fusion.benchmark.limits import SIDE
from fusion.benchmark.tables import machine_line

PAIR = "own"
WARM_SECONDS = 2.0
WORDS = {"guidance": "guidance images", "atlas": "an atlas"}


def main(
    method: Annotated[
        list[str] | None,
        typer.Option(help="Id of the method that is hovered over; repeatable. Without: funfusean."),
    ] = None,
    other: Annotated[str, typer.Option(help="Id of the method of the long work.")] = "deep_pedestrian",
    seconds: Annotated[float, typer.Option(min=0.5, help="For each part.")] = 15.0,
    side: Annotated[int, typer.Option(min=16, help="Of the image, pixels.")] = SIDE,
    strict: StrictOption = False,
    record: RecordOption = None,
) -> None:
    """Measure answers on an idle server, beside guidance images, and beside an atlas."""
    console.print(machine_line(torch.device("cpu")))
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="fusevis_benchmark_") as folder:
        files = written(of_side(side), Path(folder))
        pair = fusion.load_pair(*files)
        for id in method or ["funfusean"]:
            console.print(f"Hovering over {id}, beside work on {other} …")
            with benchmark_server(files) as server:
                walk = opened(server.url, pair, id, POINTER_GAP_S)
                times = in_turn(walk, server.url, other, seconds)
            figures += busy_figures(id, times, side == SIDE)
    console.print(figures_table(f"Hovering beside work on {other}", figures))
    finish("background", figures, strict, record)


def in_turn(walk: Walk, url: str, other: str, seconds: float) -> dict[str, list[float]]:
    """Hover over an idle server before, between and after both kinds of long work; return answers' seconds by kind.

    Raises
    ------
    RuntimeError
        If an answer was an error, or the long work did not last.
    """
    times: dict[str, list[float]] = {"idle": [], **{kind: [] for kind in KINDS}}

    def hover(kind: str, seed: int) -> None:
        user = User()
        walk.go(user, seed, seconds)
        if user.errors:
            raise RuntimeError(f"The server did not answer a hover: {user.errors[0]}")
        times[kind] += user.seconds

    walk.go(User(), 0, WARM_SECONDS)
    hover("idle", 1)
    for number, kind in enumerate(KINDS, start=1):
        with long_work(kind, url, PAIR, other):
            hover(kind, 2 * number)
        hover("idle", 2 * number + 1)
    return times


def busy_figures(method: str, times: dict[str, list[float]], is_standard: bool) -> list[Figure]:
    """Return the p95 of an idle server, and how many times as long it is beside each kind of work."""
    slow = {kind: float(np.quantile(seconds, 0.95)) for kind, seconds in times.items()}
    limit = limits.BUSY_RATIO if is_standard else None
    return [
        Figure(f"{method}: p95 of an idle server", slow["idle"] * 1e3, "ms"),
        *(
            Figure.beside(f"{method}: p95 beside {WORDS[kind]} ÷ idle", slow[kind] / slow["idle"], "×", limit)
            for kind in KINDS
        ),
    ]


if __name__ == "__main__":
    typer.run(main)
