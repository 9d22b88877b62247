"""Times of Jacobian and guidance images, against full-image autograd, in one run on the same threads.

``make bench-numerics`` or ``python -m benchmarks.jacobian_guidance``: `fusion.benchmark`, on the CPU unless told.
"""

from __future__ import annotations

from typing import Annotated

import typer

from benchmarks.inputs import NetworksOption, PairOption
from fusion.benchmark.command import PIXELS, TRAINED, BenchmarkOptions, run_benchmark
from fusion.benchmark.figures import RecordOption, StrictOption

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
    methods = method or TRAINED
    run_benchmark(
        BenchmarkOptions(methods, pixels, guidance, pair, device, threads, seed, strict, record, atlas)
    )


if __name__ == "__main__":
    typer.run(main)
