"""How long Jacobian and guidance images take, against full-image autograd, in one run on the same threads.

``make bench`` or ``python -m benchmarks.jacobian_guidance``. The results are compared as well as the times:
a result that is not exact ends the run with exit code 1, however fast it was.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console

import fusion
from benchmarks.measurement import Measurement, measure, random_pixels
from benchmarks.report import (
    error_table,
    guidance_table,
    jacobian_table,
    machine_line,
    paper_table,
    preparation_table,
)
from fusion.data.catalogue import Catalogue
from fusion.device import resolve_device
from fusion.errors import FuseVisError
from fusion.pair import Pair

TRAINED = ("funfusean", "masknet", "deepfuse", "deep_pedestrian")

MethodOption = Annotated[list[str] | None, typer.Option(help="Id; repeatable. Without: the four networks.")]
PixelsOption = Annotated[int, typer.Option(min=2, help="Random pixels, of whose times the median is taken.")]
GuidanceOption = Annotated[bool, typer.Option(help="Guidance images too, which takes minutes.")]
PairOption = Annotated[
    tuple[Path, Path] | None, typer.Option(metavar="MRI_FILE PET_FILE", help="Without: a sample.")
]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:n.")]
ThreadsOption = Annotated[int | None, typer.Option(min=1, help="CPU threads of both ways. Without: torch's.")]
SeedOption = Annotated[int, typer.Option(help="Chooses the pixels.")]

# Wide enough for the tables where the output is no terminal, as in a log.
console = Console(width=max(100, Console().width), highlight=False)


def main(
    method: MethodOption = None,
    pixels: PixelsOption = 30,
    guidance: GuidanceOption = True,
    pair: PairOption = None,
    device: DeviceOption = "cpu",
    threads: ThreadsOption = None,
    seed: SeedOption = 0,
) -> None:
    """Compare times and results of Jacobian and guidance images with full-image autograd."""
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        images = load_images(pair)
        where = resolve_device(device)
    except FuseVisError as error:
        raise typer.BadParameter(str(error)) from None
    console.print(machine_line(where))
    chosen = random_pixels(pixels, images.shape, seed)
    console.print(f"Image of {images.shape[0]}×{images.shape[1]} pixels, {pixels} random pixels, float32.")
    measurements: list[Measurement] = []
    missing: list[str] = []
    for id in method or TRAINED:
        try:
            loaded = fusion.load_method(id, device)
        except FuseVisError as error:
            missing.append(f"{id} was not measured: {error}")
            continue
        console.print(f"Measuring {loaded.title} …")
        measurements.append(measure(loaded, images, chosen, guidance))
    report(measurements, missing, guidance)


def load_images(pair: tuple[Path, Path] | None) -> Pair:
    """Load the user's pair, or the sample of a first visit."""
    if pair is not None:
        return fusion.load_pair(*pair)
    catalogue = Catalogue()
    return catalogue.load(catalogue.default())


def report(measurements: list[Measurement], missing: list[str], guidance: bool) -> None:
    """Print what was found, and end with exit code 1 if something was wrong or nothing could be measured."""
    if measurements:
        console.print(jacobian_table(measurements))
        console.print(preparation_table(measurements))
        if guidance:
            console.print(guidance_table(measurements))
        console.print(error_table(measurements))
        console.print(paper_table(measurements))
    for line in missing:
        console.print(line)
    wrong = [entry.method for entry in measurements if not entry.exact]
    if wrong:
        console.print(f"NOT EXACT: {', '.join(wrong)}", style="bold red")
    if wrong or not measurements:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
