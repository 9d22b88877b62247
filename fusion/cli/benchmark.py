"""The command that measures this machine: Table 2 of the paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fusion.benchmark.command import PIXELS, TRAINED, BenchmarkOptions, run_benchmark
from fusion.benchmark.figures import RecordOption, StrictOption
from fusion.cli.options import DeviceOption

NetworksOption = Annotated[
    list[str] | None,
    typer.Option("--method", "-m", metavar="ID", help="Repeatable; the paper's four networks unless named."),
]
PixelsOption = Annotated[
    int,
    typer.Option(
        min=2,
        help="Random pixels, of whose times the median is taken. Full-image autograd takes 0.2 to 3 s for each.",
    ),
]
GuidanceOption = Annotated[
    bool,
    typer.Option("--guidance/--no-guidance", help="Guidance images too, which takes minutes on a CPU."),
]
FilesOption = Annotated[
    tuple[Path, Path] | None,
    typer.Option(
        metavar="MRI_FILE PET_FILE", help="Without: a sample of 256×256 pixels.", show_default=False
    ),
]
ThreadsOption = Annotated[
    int | None,
    typer.Option(min=1, help="CPU threads of both ways; torch's own unless given.", show_default=False),
]
SeedOption = Annotated[int, typer.Option(help="Chooses the pixels.")]
AtlasOption = Annotated[
    bool, typer.Option("--atlas/--no-atlas", help="On a GPU: all Jacobians too, as a complete atlas.")
]


def benchmark_command(
    method: NetworksOption = None,
    pixels: PixelsOption = PIXELS,
    guidance: GuidanceOption = True,
    pair: FilesOption = None,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    seed: SeedOption = 0,
    strict: StrictOption = False,
    record: RecordOption = None,
    atlas: AtlasOption = True,
) -> None:
    """Measure how long Jacobian and guidance images take on this machine: Table 2 of the paper.

    Full-image autograd, which is what the paper's tool does, and this program take turns in one run, so that their
    ratio does not depend on what else the machine does. Results are compared too: exit code 1 if they are not equal.
    Each figure is printed beside what it must reach. With the sample and 100 pixels this takes ten to twenty
    minutes on two CPU cores, most of it in full-image autograd. A GPU has figures of its own (--device cuda).
    """
    methods = method or TRAINED
    run_benchmark(
        BenchmarkOptions(methods, pixels, guidance, pair, device, threads, seed, strict, record, atlas)
    )
