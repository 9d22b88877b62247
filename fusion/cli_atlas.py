"""The command that computes all Jacobian images of a pair."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Annotated

import typer

from fusion.cli_options import (
    DeviceOption,
    MethodOption,
    MriOption,
    PetOption,
    PixelLimitOption,
    SampleOption,
    choose_pair,
    console,
    load_job,
    progress_bar,
)
from fusion.errors import AtlasError
from fusion.methods.base import Method
from fusion.pair import Pair
from fusion.reading import DEFAULT_PIXEL_LIMIT
from fusion.saliency.atlas import TILE, Atlas, atlas_bytes, atlas_folder
from fusion.saliency.jacobian import jacobians

MEGABYTE = 2**20
FREE_SHARE = 0.9


def atlas_command(
    mri: MriOption = None,
    pet: PetOption = None,
    sample: SampleOption = None,
    method: MethodOption = "funfusean",
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Folder of atlases; the server reads the one that FUSEVIS_ATLAS_DIR names.",
        ),
    ] = Path("atlas"),
    device: DeviceOption = "auto",
    pixel_limit: PixelLimitOption = DEFAULT_PIXEL_LIMIT,
) -> None:
    """Compute the Jacobian images of every pixel of a fused image, and keep them.

    Says first how large they are and about how long it takes. What is computed stays when it is interrupted; the same
    command goes on. A server that finds the atlas reads windows instead of computing them.
    """
    entry = choose_pair(mri, pet, sample)
    with console.status("Loading"):
        job = load_job(entry, method, device, pixel_limit)
        size = atlas_bytes(job.method, job.pair.shape)
        folder = atlas_folder(output, job.method, job.pair)
        _check_space(output, size)
        atlas = Atlas(folder, job.method, job.pair)
        seconds = _seconds_a_tile(job.method, job.pair)
    done, total = atlas.tiles_done
    console.print(
        f"{size / MEGABYTE:,.0f} MiB in {total} tiles, {done} of them there already; "
        f"about {_spoken((total - done) * seconds)} to go.",
        highlight=False,
    )
    with progress_bar("Atlas") as show:
        atlas.fill(job.method, job.pair, show)
    typer.echo(folder)


def _seconds_a_tile(method: Method, pair: Pair) -> float:
    """Time one tile in the middle of the image."""
    row, column = (side // 2 for side in pair.shape)
    pixels = [
        (min(row + number // TILE, pair.shape[0] - 1), min(column + number % TILE, pair.shape[1] - 1))
        for number in range(TILE * TILE)
    ]
    began = time.perf_counter()
    jacobians(method, pair, pixels)
    return time.perf_counter() - began


def _check_space(folder: Path, size: int) -> None:
    existing = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if size > FREE_SHARE * free:
        raise AtlasError(
            f"{folder}: the atlas needs {size / MEGABYTE:,.0f} MiB, and there are {free / MEGABYTE:,.0f} MiB free. "
            "Choose another --output FOLDER."
        )


def _spoken(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"
