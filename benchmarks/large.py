"""Readers of a pair of 4096×4096 pixels, as pages read it by tiles: ``python -m benchmarks.large`` (Linux)."""

from __future__ import annotations

import json
import random
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Annotated

import typer

import fusion
from benchmarks import limits
from benchmarks.group import fetched
from benchmarks.inputs import of_side, written
from benchmarks.long_work import OtherPage
from benchmarks.server import benchmark_server
from cache.services.pyramids import TILE_SIDE
from fusion.benchmark.figures import Figure, RecordOption, StrictOption, console, figures_table, finish

METHOD = "weighted_averaging"
"""Its fused image takes no time of a network's: what is measured is what pages wait for besides."""
SHOWN_PIXELS = 512
"""Along the side of a picture on the screen."""
LOOKS = 20
"""Pixels that each reader points at, each somewhere else."""


def main(
    side: Annotated[int, typer.Option(min=TILE_SIDE)] = limits.PYRAMID_SIDE,
    readers: Annotated[int, typer.Option(min=1)] = limits.PYRAMID_READERS,
    strict: StrictOption = False,
    record: RecordOption = None,
) -> None:
    """Measure how long opening takes, and what memory readers take."""
    weights = fusion.load_method(METHOD, "cpu").weights_id
    with tempfile.TemporaryDirectory(prefix="fusevis_benchmark_") as name:
        pair = of_side(side)
        files = written(pair, Path(name))
        with benchmark_server(files, {"FUSEVIS_WHOLE_PIXELS": "1"}) as server:
            path = f"{server.url}pyramid/{pair.id}/{METHOD}/{weights}"
            seconds = opened(server.url, path, side)
            server.forget_peak()
            with ThreadPoolExecutor(readers) as threads:
                list(threads.map(lambda seed: read(server.url, path, side, seed), range(readers)))
            peak = server.peak_bytes() / 1e6
    standard = (side, readers) == (limits.PYRAMID_SIDE, limits.PYRAMID_READERS)
    found = [
        Figure.beside("first opening", seconds, "s", limits.PYRAMID_OPENED if standard else None),
        Figure.beside("peak of the server", peak, "MB", limits.PYRAMID_MEMORY if standard else None),
    ]
    console.print(figures_table(f"{readers} readers of {side}×{side} pixels", found))
    finish("large", found, strict, record)


def opened(url: str, path: str, side: int) -> float:
    """Open the pair as the page does, its three pictures in view; return how long that took, seconds."""
    began = time.monotonic()
    OtherPage(url, "own", METHOD)
    for kind in ("inputs", "fused"):
        with urllib.request.urlopen(f"{path}/{kind}") as answer:
            facts = json.load(answer)
        # The coarsest level that is as fine as the screen, which is a few tiles.
        level, length = 0, side
        while length >= 2 * SHOWN_PIXELS and level < facts["levels"] - 1:
            level, length = level + 1, -(-length // 2)
        for tile in product(range(-(-length // TILE_SIDE)), repeat=2):
            fetched(f"{path}/{kind}/{level}/{tile[0]}/{tile[1]}")
    return time.monotonic() - began


def read(url: str, path: str, side: int, seed: int) -> None:
    """Open the pair and point at pixels, whose neighbourhoods come as tiles of the images themselves."""
    chance = random.Random(seed)
    opened(url, path, side)
    for _ in range(LOOKS):
        row, col = chance.randrange(side), chance.randrange(side)
        fetched(f"{path.replace('/pyramid/', '/jacobian/')}/{row}/{col}")
        for kind in ("inputs", "fused"):
            fetched(f"{path}/{kind}/0/{row // TILE_SIDE}/{col // TILE_SIDE}")


if __name__ == "__main__":
    typer.run(main)
