"""All of a measurement of numerics, as ``python -m fusion benchmark`` and ``make bench-numerics`` run it.

Jacobian and guidance images against full-image autograd, in one run on the same threads. The results are compared as
well as the times: a result that is not exact ends the run with exit code 1, however fast it was. A figure that misses
its limit is said, and is a failure (exit code 3) only where that is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import typer

import fusion
from fusion.benchmark.device import device_figures, device_times, has_limits, rate_figure, throughput
from fusion.benchmark.figures import Figure, console, figures_table, finish
from fusion.benchmark.measurement import Measurement, measure, random_pixels
from fusion.benchmark.tables import (
    error_table,
    guidance_table,
    jacobian_table,
    machine_line,
    paper_table,
    preparation_table,
    ratio_figures,
)
from fusion.data.catalogue import Catalogue
from fusion.device import resolve_device
from fusion.errors import FuseVisError
from fusion.pair import Pair

TRAINED = ("funfusean", "masknet", "deepfuse", "deep_pedestrian")
"""The paper's networks."""
PIXELS = 100


@dataclass(frozen=True)
class BenchmarkOptions:
    """Choices of whoever measures.

    Attributes
    ----------
    methods : sequence of str
        Ids.
    pixels : int
        Number of random pixels, of whose times the median is taken; at least 2.
    guidance : bool
        True to measure guidance images too.
    pair : tuple of Path, optional
        The two files of a pair; without, the sample of a first visit.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:n``.
    threads : int, optional
        CPU threads of both ways; without, torch's own number.
    seed : int
        Chooses the pixels.
    strict : bool
        True where a figure that misses its limit is a failure.
    record : Path, optional
        Gets the figures, a JSON object a line.
    atlas : bool
        True to measure all Jacobians too, on a GPU.
    """

    methods: Sequence[str] = TRAINED
    pixels: int = PIXELS
    guidance: bool = True
    pair: tuple[Path, Path] | None = None
    device: str = "cpu"
    threads: int | None = None
    seed: int = 0
    strict: bool = False
    record: Path | None = None
    atlas: bool = True


def run_benchmark(options: BenchmarkOptions) -> None:
    """Measure, print the tables of what was found, and judge it.

    Raises
    ------
    typer.BadParameter
        If the pair or the device cannot be used.
    typer.Exit
        With code 1 if something was wrong or nothing could be measured, 3 if a figure was missed and that is a failure.
    """
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    try:
        pair = load_images(options.pair)
        device = resolve_device(options.device)
    except FuseVisError as error:
        raise typer.BadParameter(str(error)) from None
    console.print(machine_line(device))
    height, width = pair.shape
    console.print(f"Image of {height}×{width} pixels, {options.pixels} random pixels, float32.")
    # Once, and first: later the card may have grown warm and slower than at the start.
    rate = throughput(device) if device.type == "cuda" else None
    measurements, on_device, missing = _measured(options, pair, device, rate)
    _print_tables(measurements, options.guidance)
    figures = ratio_figures(measurements, on_cpu=rate is None)
    if figures:
        console.print(figures_table("Full-image autograd ÷ ours", figures))
    if rate is None:
        console.print(
            "One Jacobian, guidance images and the complete atlas on a GPU are figures of their own, which need CUDA: "
            "--device cuda."
        )
    else:
        on_device = [rate_figure(rate), *on_device]
        title = "On this GPU (limits are for the H200's class), and how far from its arithmetic"
        console.print(figures_table(title, on_device))
    conclude(measurements, missing, figures + on_device, options.strict, options.record)


def load_images(files: tuple[Path, Path] | None) -> Pair:
    """Load the user's pair, or the sample of a first visit.

    Raises
    ------
    FuseVisError
        If the files are no pair.
    """
    if files is not None:
        return fusion.load_pair(*files)
    catalogue = Catalogue()
    return catalogue.load(catalogue.default())


def _measured(
    options: BenchmarkOptions, pair: Pair, device: torch.device, rate: float | None
) -> tuple[list[Measurement], list[Figure], list[str]]:
    """Return what was measured of each method, its figures on a GPU, and why others could not be measured."""
    pixels = random_pixels(options.pixels, pair.shape, options.seed)
    measurements: list[Measurement] = []
    on_device: list[Figure] = []
    missing: list[str] = []
    for id in options.methods:
        try:
            method = fusion.load_method(id, options.device)
        except FuseVisError as error:
            missing.append(f"{id} was not measured: {error}")
            continue
        console.print(f"Measuring {method.title} …")
        measurements.append(measure(method, pair, pixels, options.guidance))
        if rate is not None:
            times = device_times(method, pair, pixels, options.guidance, options.atlas)
            on_device += device_figures(times, rate, has_limits(device, pair.shape))
    return measurements, on_device, missing


def _print_tables(measurements: list[Measurement], guidance: bool) -> None:
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
    """Sum up.

    Parameters
    ----------
    measurements : list of Measurement
        One a method.
    missing : list of str
        Sentences on what could not be measured.
    figures : list of Figure
        All of them.
    strict, record
        As in `BenchmarkOptions`.

    Raises
    ------
    typer.Exit
        With code 1 if something was wrong or nothing could be measured; else as `finish`.
    """
    for line in missing:
        console.print(line)
    wrong = [entry.method for entry in measurements if not entry.exact]
    if wrong:
        console.print(f"NOT EXACT: {', '.join(wrong)}", style="bold red")
    failed = bool(wrong) or not measurements
    finish("numerics", figures, strict and not failed, record)
    if failed:
        raise typer.Exit(1)
