"""Many users at once: each moves the pointer ten times a second over the same sample, one request in flight a user.

``python -m benchmarks.users``. As in the browser, a move that comes while a request is on its way replaces the one
that waits: only the newest is asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Annotated

import numpy as np
import torch
import typer
from rich.table import Table

import fusion
from benchmarks import limits
from benchmarks.inputs import PairOption
from benchmarks.server import BenchmarkServer, benchmark_server
from benchmarks.walking import USER_GAP_S, User, Walk
from fusion.benchmark.command import load_images
from fusion.benchmark.figures import Figure, RecordOption, StrictOption, console, figures_table, finish
from fusion.benchmark.limits import SIDE
from fusion.benchmark.tables import machine_line


def main(
    method: Annotated[str, typer.Option(help="Id of the method that all hover over.")] = limits.USERS_METHOD,
    users: Annotated[int, typer.Option(min=1, help="How many hover at once.")] = limits.USERS,
    seconds: Annotated[float, typer.Option(min=1, help="For how long.")] = 20.0,
    pair: PairOption = None,
    seed: Annotated[int, typer.Option(help="Of the users' ways.")] = 0,
    strict: StrictOption = False,
    record: RecordOption = None,
) -> None:
    """Measure how long answers take while many users hover."""
    console.print(machine_line(torch.device("cpu")))
    images = load_images(pair)
    weights = fusion.load_method(method, "cpu").weights_id
    with benchmark_server(pair) as server:
        walk = Walk(server.url, f"/jacobian/{images.id}/{method}/{weights}", images.shape, USER_GAP_S)
        everybody, memory = hovering(server, walk, users, seconds, seed)
    console.print(users_table(method, everybody, seconds, memory))
    is_standard = (method, users, images.shape) == (limits.USERS_METHOD, limits.USERS, (SIDE,) * 2)
    found = users_figures(everybody, memory, is_standard)
    console.print(figures_table("Many users at once", found))
    errors = [error for one in everybody for error in one.errors]
    if errors:
        console.print(f"{len(errors)} errors, the first: {errors[0]}", style="bold red")
    finish("users", found, strict and not errors, record)
    if errors:
        raise typer.Exit(1)


def hovering(
    server: BenchmarkServer, walk: Walk, users: int, seconds: float, seed: int
) -> tuple[list[User], list[int]]:
    """Let users hover; return them, and the server's memory before, half-way and after, bytes."""
    walk.go(User(), seed, 1.0)
    memory = [server.resident_bytes()]
    everybody = [User() for _ in range(users)]
    # In the first half the maps of the image are kept; in the second nothing should come on top.
    for half in range(2):
        threads = [
            threading.Thread(target=walk.go, args=(one, seed + number + half * users, seconds / 2))
            for number, one in enumerate(everybody, start=1)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        memory.append(server.resident_bytes())
    return everybody, memory


def slowest_user(users: Sequence[User]) -> float:
    """Return the 95 % quantile of the answers of the user who is served worst, seconds."""
    return max(float(np.quantile(one.seconds, 0.95)) for one in users)


def users_figures(users: Sequence[User], memory: Sequence[int], is_standard: bool) -> list[Figure]:
    """Return what has a limit; errors always have, times and memory only where `is_standard`."""
    slow = limits.USERS_SLOW if is_standard else None
    growth = limits.USERS_GROWTH if is_standard else None
    return [
        Figure.beside("p95 of the slowest user", slowest_user(users) * 1e3, "ms", slow),
        Figure.beside("errors", sum(len(one.errors) for one in users), "", limits.USERS_ERRORS),
        Figure.beside("server's memory, after ÷ half-way", memory[-1] / memory[-2], "×", growth),
    ]


def users_table(method: str, users: list[User], seconds: float, memory: Sequence[int]) -> Table:
    """Return the table that is printed: quantiles over all answers, of the slowest user, and memory, bytes."""
    everything = np.array([second for one in users for second in one.seconds])
    table = Table(title=f"{len(users)} users hovering over {method} for {seconds:g} s", title_justify="left")
    table.add_column("figure")
    table.add_column("value", justify="right")
    rows = {
        "answers": f"{len(everything)}",
        "answers a second": f"{len(everything) / seconds:.0f}",
        "p50 of all answers, ms": f"{np.quantile(everything, 0.5) * 1e3:.0f}",
        "p95 of all answers, ms": f"{np.quantile(everything, 0.95) * 1e3:.0f}",
        "p95 of the slowest user, ms": f"{slowest_user(users) * 1e3:.0f}",
        "errors": f"{sum(len(one.errors) for one in users)}",
        "server's memory before; half-way; after, MiB": "; ".join(f"{bytes / 2**20:.0f}" for bytes in memory),
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table


if __name__ == "__main__":
    typer.run(main)
