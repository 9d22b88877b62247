"""How large atlases are, and how long they take, beside the paper's: ``python -m benchmarks.atlas_sizes``."""

from __future__ import annotations

from typing import Annotated

import typer

import fusion
from benchmarks import limits
from benchmarks.figures import Figure, console, figures_table, finish
from benchmarks.images import of_side
from benchmarks.options import TRAINED, NetworksOption, RecordOption, StrictOption
from fusion.saliency.atlas_estimate import estimate
from fusion.saliency.atlas_layout import tiles_of


def main(
    method: NetworksOption = None,
    side: Annotated[int, typer.Option(min=16, help="Of the image, pixels.")] = limits.SIDE,
    strict: StrictOption = False,
    record: RecordOption = None,
) -> None:
    """Tell the size of each atlas, and the time it is announced to take."""
    pair = of_side(side)
    rows, columns = tiles_of(pair.shape)
    found = []
    for id in method or TRAINED:
        loaded = fusion.load_method(id, "cpu")
        needs = estimate(loaded, pair, (0, rows * columns))
        size = limits.ATLAS_GIGABYTES if side == limits.SIDE else None
        found.append(Figure.beside(f"{loaded.title}: both modalities", needs.size / 1e9, "GB", size))
        found.append(Figure(f"{loaded.title}: announced time", needs.seconds, "s"))
    console.print(figures_table(f"Atlases at {side}×{side}, beside the paper's 3 GB a modality", found))
    finish("sizes", found, strict, record)


if __name__ == "__main__":
    typer.run(main)
