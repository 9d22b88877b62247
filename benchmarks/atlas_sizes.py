"""How large atlases are, and how long they take, beside the paper's: ``python -m benchmarks.atlas_sizes``."""

from __future__ import annotations

from typing import Annotated

import typer

import fusion
from benchmarks.figures import Figure, console, figures_table
from benchmarks.images import of_side
from fusion.saliency.atlas_estimate import estimate
from fusion.saliency.atlas_layout import radius_of, tile_side, tiles_of

PAPER_GIGABYTES = 6.0
"""The paper's Jacobian images of one pair, 3 GB for each of both modalities."""
TRAINED = ("funfusean", "masknet", "deepfuse", "deep_pedestrian")


def main(
    method: Annotated[
        list[str] | None, typer.Option(help="Id; repeatable. Without: the four networks.")
    ] = None,
    side: Annotated[int, typer.Option(min=16, help="Of the image, pixels.")] = 256,
) -> None:
    """Tell the size of each atlas, and the time it is announced to take."""
    pair = of_side(side)
    found = []
    for id in method or TRAINED:
        loaded = fusion.load_method(id, "cpu")
        rows, columns = tiles_of(pair.shape, tile_side(radius_of(loaded)))
        needs = estimate(loaded, pair, (0, rows * columns))
        found.append(Figure(f"{loaded.title}: both modalities", needs.size / 1e9, "GB", PAPER_GIGABYTES))
        found.append(Figure(f"{loaded.title}: announced time", needs.seconds, "s"))
    console.print(figures_table(f"Atlases at {side}×{side}, beside the paper's 3 GB a modality", found))


if __name__ == "__main__":
    typer.run(main)
