"""Pairs, methods and options that several measurements of pages take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

import fusion
from fusion.benchmark.command import TRAINED, load_images
from fusion.pair import Pair

METHODS = ("weighted_averaging", *TRAINED)
"""The paper's methods."""

NetworksOption = Annotated[
    list[str] | None, typer.Option("--method", help="Id; repeatable. Without: the four networks.")
]
MethodsOption = Annotated[
    list[str] | None, typer.Option("--method", help="Id; repeatable. Without: the paper's five.")
]
PairOption = Annotated[
    tuple[Path, Path] | None, typer.Option(metavar="MRI_FILE PET_FILE", help="Without: a sample.")
]
WidthOption = Annotated[int, typer.Option(help="Of the browser's window, pixels.")]
HeightOption = Annotated[int, typer.Option(help="Of the browser's window, pixels.")]


def sample() -> Pair:
    """Return the pair of a first visit, 256×256 pixels."""
    return load_images(None)


def link_to(files: tuple[Path, Path] | None) -> str:
    """Return the part of a page's address that chooses the user's pair; nothing for the sample of a first visit."""
    return "" if files is None else f"pair={fusion.load_pair(*files).id[:16]}&"


def written(pair: Pair, folder: Path) -> tuple[Path, Path]:
    """Write a pair into a folder as the files of the user's pair ``own``, and return them."""
    paths = folder / "mri_own.npy", folder / "pet_own.npy"
    for path, image in zip(paths, pair.images, strict=True):
        np.save(path, image)
    return paths


def of_side(side: int) -> Pair:
    """Return the sample laid beside itself until it is `side` pixels high and wide."""
    images = sample().images
    times = [-(-side // length) for length in images.shape[1:]]
    mri, pet = (np.tile(image, times)[:side, :side] for image in images)
    return fusion.Pair.from_arrays(mri, pet)
