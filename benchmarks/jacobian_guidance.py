"""How long Jacobian and guidance images take, against full-image autograd, in one run on the same threads.

``make bench-numerics`` or ``python -m benchmarks.jacobian_guidance``. The results are compared as well as the times:
a result that is not exact ends the run with exit code 1, however fast it was. A figure that misses its limit is said,
and is a failure (exit code 3) only with ``--strict``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
import typer

import fusion
from benchmarks.figures import Figure, console, figures_table, finish
from benchmarks.floor import throughput
from benchmarks.gpu import device_figures, device_times, has_limits, rate_figure
from benchmarks.measurement import Measurement, measure, random_pixels
from benchmarks.options import TRAINED, NetworksOption, PairOption, RecordOption, StrictOption
from benchmarks.ratios import ratio_figures
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

PIXELS = 100

PixelsOption = Annotated[
    int,
    typer.Option(
        min=2,
        help="Random pixels, of whose times the median is taken. Full-image autograd takes 0.2 to 3 s for each.",
    ),
]
GuidanceOption = Annotated[bool, typer.Option(help="Guidance images too, which takes minutes on a CPU.")]
AtlasOption = Annotated[bool, typer.Option(help="On a GPU: all Jacobians too, as a complete atlas.")]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:n.")]
ThreadsOption = Annotated[int | None, typer.Option(min=1, help="CPU threads of both ways. Without: torch's.")]
SeedOption = Annotated[int, typer.Option(help="Chooses the pixels.")]


def main(
    method: NetworksOption = None,
    pixels: PixelsOption = PIXELS,
    guidance: GuidanceOption = True,
    pair: PairOption = None,
    device: DeviceOption = "cpu",
    threads: ThreadsOption = None,
    seed: SeedOption = 0,
    strict: StrictOption = False,
    record: RecordOption = None,
    atlas: AtlasOption = True,
) -> None:
    """Compare times and results of Jacobian and guidance images with full-image autograd.

    With the sample and 100 pixels that takes ten to twenty minutes on two CPU cores, most of it in full-image
    autograd. With --device cuda it also measures one Jacobian, guidance images and the complete atlas against their
    limits on a GPU, and against how fast the GPU can multiply.
    """
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
    on_device: list[Figure] = []
    missing: list[str] = []
    # Once, and first: later the card may have grown warm and slower than at the start.
    rate = throughput(where) if where.type == "cuda" else None
    for id in method or TRAINED:
        try:
            loaded = fusion.load_method(id, device)
        except FuseVisError as error:
            missing.append(f"{id} was not measured: {error}")
            continue
        console.print(f"Measuring {loaded.title} …")
        measurements.append(measure(loaded, images, chosen, guidance))
        if rate is not None:
            times = device_times(loaded, images, chosen, guidance, atlas)
            on_device += device_figures(times, rate, has_limits(where, images.shape))
    tables(measurements, guidance)
    figures = ratio_figures(measurements, on_cpu=rate is None)
    if figures:
        console.print(figures_table("Full-image autograd ÷ ours", figures))
    if rate is None:
        console.print(
            "One Jacobian, guidance images and the complete atlas on a GPU are figures of their own, which need CUDA: "
            "--device cuda."
        )
    else:
        on_device.insert(0, rate_figure(rate))
        console.print(
            figures_table(
                "On this GPU (limits are for the H200's class), and how far from its arithmetic", on_device
            )
        )
    conclude(measurements, missing, figures + on_device, strict, record)


def load_images(pair: tuple[Path, Path] | None) -> Pair:
    """Load the user's pair, or the sample of a first visit."""
    if pair is not None:
        return fusion.load_pair(*pair)
    catalogue = Catalogue()
    return catalogue.load(catalogue.default())


def tables(measurements: list[Measurement], guidance: bool) -> None:
    """Print all times and errors."""
    if not measurements:
        return
    console.print(jacobian_table(measurements))
    console.print(preparation_table(measurements))
    if guidance:
        console.print(guidance_table(measurements))
    console.print(error_table(measurements))
    console.print(paper_table(measurements))


def conclude(
    measurements: list[Measurement],
    missing: list[str],
    figures: list[Figure],
    strict: bool,
    record: Path | None,
) -> None:
    """Sum up; end with exit code 1 if something was wrong or nothing could be measured."""
    for line in missing:
        console.print(line)
    wrong = [entry.method for entry in measurements if not entry.exact]
    if wrong:
        console.print(f"NOT EXACT: {', '.join(wrong)}", style="bold red")
    failed = bool(wrong) or not measurements
    finish("numerics", figures, strict and not failed, record)
    if failed:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
