"""The command that measures this machine: Table 2 of the paper."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated

import typer

from fusion.cli.options import DeviceOption
from fusion.errors import FuseVisError


class BenchmarkError(FuseVisError):
    """The measurements are not there."""


def benchmark_command(
    method: Annotated[
        list[str] | None,
        typer.Option(
            "--method", "-m", metavar="ID", help="Repeatable; the paper's four networks unless named."
        ),
    ] = None,
    pixels: Annotated[
        int,
        typer.Option(
            min=2,
            help="Random pixels, of whose times the median is taken. Full-image autograd takes 0.2 to 3 s for each.",
        ),
    ] = 100,
    guidance: Annotated[
        bool,
        typer.Option("--guidance/--no-guidance", help="Guidance images too, which takes minutes on a CPU."),
    ] = True,
    pair: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            metavar="MRI_FILE PET_FILE", help="Without: a sample of 256×256 pixels.", show_default=False
        ),
    ] = None,
    device: DeviceOption = "auto",
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="CPU threads of both ways; torch's own unless given.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(help="Chooses the pixels.")] = 0,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with exit code 3 if a figure misses what it must reach.")
    ] = False,
    record: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Append the figures to this file as well, a JSON object a line.",
            show_default=False,
        ),
    ] = None,
    atlas: Annotated[
        bool, typer.Option("--atlas/--no-atlas", help="On a GPU: all Jacobians too, as a complete atlas.")
    ] = True,
) -> None:
    """Measure how long Jacobian and guidance images take on this machine: Table 2 of the paper.

    Full-image autograd, which is what the paper's tool does, and this program take turns in one run, so that their
    ratio does not depend on what else the machine does. Results are compared too: exit code 1 if they are not equal.
    Each figure is printed beside what it must reach. With the sample and 100 pixels this takes ten to twenty
    minutes on two CPU cores, most of it in full-image autograd. A GPU has figures of its own (--device cuda).
    """
    try:
        # Beside the package, not in it: measurements are no part of what is measured.
        measurements = importlib.import_module("benchmarks.jacobian_guidance")
    except ModuleNotFoundError as error:
        raise BenchmarkError(
            "The folder benchmarks is not here. Run this from the folder that fusion is in."
        ) from error
    measurements.main(method, pixels, guidance, pair, device, threads, seed, strict, record, atlas)
