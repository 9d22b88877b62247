"""Sizes of atlases, and the time they take, beside the paper's: ``python -m benchmarks.atlas_sizes``."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

import fusion
from benchmarks import limits
from benchmarks.inputs import NetworksOption, of_side
from fusion import Method, Pair
from fusion.benchmark.command import TRAINED
from fusion.benchmark.figures import Figure, RecordOption, StrictOption, console, figures_table, finish
from fusion.benchmark.limits import SIDE
from fusion.saliency.atlas import Atlas
from fusion.saliency.atlas_estimate import estimate


def main(
    method: NetworksOption = None,
    side: Annotated[int, typer.Option(min=16, help="Of the image, pixels.")] = SIDE,
    make: Annotated[
        bool, typer.Option("--make", help="Make each atlas as well, and hold what was announced against it.")
    ] = False,
    strict: StrictOption = False,
    record: RecordOption = None,
) -> None:
    """Tell the size of each atlas, and the time it is announced to take."""
    pair = of_side(side)
    found = []
    for id in method or TRAINED:
        found += figures_of(fusion.load_method(id, "cpu"), pair, make)
    console.print(figures_table(f"Atlases at {side}×{side}, beside the paper's 3 GB a modality", found))
    finish("sizes", found, strict, record)


def figures_of(method: Method, pair: Pair, make: bool) -> list[Figure]:
    """Return what is announced of an atlas, and what comes of it if it is made."""
    with TemporaryDirectory() as folder:
        atlas = Atlas(Path(folder) / "atlas", method, pair)
        needs = estimate(method, pair, atlas.tiles_done, Path(folder))
        size = limits.ATLAS_GIGABYTES if max(pair.shape) == SIDE else None
        found = [
            Figure.beside(f"{method.title}: both modalities", needs.size / 1e9, "GB", size),
            Figure(f"{method.title}: announced time", needs.seconds, "s"),
        ]
        if make:
            began = time.perf_counter()
            atlas.fill(method, pair)
            seconds = time.perf_counter() - began
            files = [path.stat() for path in atlas.folder.rglob("*") if path.is_file()]
            found += [
                Figure(f"{method.title}: time", seconds, "s"),
                Figure(f"{method.title}: time ÷ announced time", seconds / needs.seconds, "×"),
                Figure(
                    f"{method.title}: on the disk", sum(file.st_blocks * 512 for file in files) / 1e9, "GB"
                ),
                Figure(f"{method.title}: files", len(files), ""),
            ]
    return found


if __name__ == "__main__":
    typer.run(main)
