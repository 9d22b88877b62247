"""Many users at once: each moves the pointer ten times a second over the same sample, one request in flight a user.

``python -m benchmarks.users``. As in the browser, a move that comes while a request is on its way replaces the one
that waits: only the newest is asked for.
"""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import numpy as np
import torch
import typer
from rich.console import Console
from rich.table import Table

import fusion
from benchmarks.report import machine_line
from benchmarks.server import benchmark_server
from fusion.data.catalogue import Catalogue

MOVES_A_SECOND = 10
STEP = 3
"""Pixels of the image from one move to the next, at most, in each direction."""

console = Console(width=max(100, Console().width), highlight=False)


@dataclass
class User:
    """One user's answers: seconds each took, and what went wrong."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def main(
    method: Annotated[str, typer.Option(help="Id of the method that all hover over.")] = "funfusean",
    users: Annotated[int, typer.Option(min=1, help="How many hover at once.")] = 20,
    seconds: Annotated[float, typer.Option(min=1, help="For how long.")] = 20.0,
    pair: Annotated[
        tuple[Path, Path] | None, typer.Option(metavar="MRI_FILE PET_FILE", help="Without: a sample.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the users' ways.")] = 0,
) -> None:
    """Measure how long answers take while many users hover."""
    console.print(machine_line(torch.device("cpu")))
    catalogue = Catalogue()
    images = fusion.load_pair(*pair) if pair else catalogue.load(catalogue.default())
    weights = fusion.load_method(method, "cpu").weights_id
    with benchmark_server(pair) as server:
        path = f"/jacobian/{images.id}/{method}/{weights}"
        _hover(server.url, path, images.shape, User(), seed, 1.0)
        memory = [server.resident_bytes()]
        everybody = [User() for _ in range(users)]
        # In the first half the maps of the image are kept; in the second nothing should come on top.
        for half in range(2):
            threads = [
                threading.Thread(
                    target=_hover,
                    args=(server.url, path, images.shape, one, seed + number + half * users, seconds / 2),
                )
                for number, one in enumerate(everybody, start=1)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            memory.append(server.resident_bytes())
    console.print(users_table(method, everybody, seconds, memory))
    errors = [error for one in everybody for error in one.errors]
    if errors:
        console.print(f"{len(errors)} errors, the first: {errors[0]}", style="bold red")
        raise typer.Exit(1)


def _hover(url: str, path: str, shape: tuple[int, int], user: User, seed: int, seconds: float) -> None:
    """Walk at random over the image; a move that was due while an answer was awaited is skipped."""
    generator = random.Random(seed)
    row, column = generator.randrange(shape[0]), generator.randrange(shape[1])
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    started = time.monotonic()
    due = started + generator.random() / MOVES_A_SECOND
    while due < started + seconds:
        time.sleep(max(0.0, due - time.monotonic()))
        sent = time.monotonic()
        try:
            connection.request("GET", f"{path}/{row}/{column}")
            answer = connection.getresponse()
            content = answer.read()
            if answer.status != 200 or not content:
                user.errors.append(f"status {answer.status}")
        except (OSError, http.client.HTTPException) as error:
            user.errors.append(f"{type(error).__name__}: {error}")
            connection.close()
        user.seconds.append(time.monotonic() - sent)
        while due <= time.monotonic():
            due += 1 / MOVES_A_SECOND
            row = min(max(row + generator.randint(-STEP, STEP), 0), shape[0] - 1)
            column = min(max(column + generator.randint(-STEP, STEP), 0), shape[1] - 1)
    connection.close()


def users_table(method: str, users: list[User], seconds: float, memory: Sequence[int]) -> Table:
    """Return the table that is printed: quantiles over all answers, of the slowest user, and memory, bytes."""
    everything = np.array([second for one in users for second in one.seconds])
    slowest = max(float(np.quantile(one.seconds, 0.95)) for one in users)
    table = Table(title=f"{len(users)} users hovering over {method} for {seconds:g} s", title_justify="left")
    table.add_column("figure")
    table.add_column("value", justify="right")
    rows = {
        "answers": f"{len(everything)}",
        "answers a second": f"{len(everything) / seconds:.0f}",
        "p50 of all answers, ms": f"{np.quantile(everything, 0.5) * 1e3:.0f}",
        "p95 of all answers, ms": f"{np.quantile(everything, 0.95) * 1e3:.0f}",
        "p95 of the slowest user, ms": f"{slowest * 1e3:.0f}",
        "errors": f"{sum(len(one.errors) for one in users)}",
        "server's memory before; half-way; after, MiB": "; ".join(f"{bytes / 2**20:.0f}" for bytes in memory),
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table


if __name__ == "__main__":
    typer.run(main)
