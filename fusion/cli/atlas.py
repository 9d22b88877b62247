"""The command that computes all Jacobian images of a pair."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fusion.cli.options import (
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
    say,
)
from fusion.reading import DEFAULT_PIXEL_LIMIT
from fusion.saliency.atlas import Atlas, atlas_bytes, atlas_folder
from fusion.saliency.atlas_estimate import check_space, estimate
from fusion.saliency.atlas_store import outdated_atlas


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
        folder = atlas_folder(output, job.method, job.pair)
        check_space(output, atlas_bytes(job.method, job.pair.shape))
        atlas = Atlas(folder, job.method, job.pair)
        needs = estimate(job.method, job.pair, atlas.tiles_done, output)
    if (outdated := outdated_atlas(output, job.method, job.pair)) is not None:
        say(outdated, warning=True)
    say(needs.sentence())
    with progress_bar("Atlas") as show:
        atlas.fill(job.method, job.pair, show)
    typer.echo(folder)
