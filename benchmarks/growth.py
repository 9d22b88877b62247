"""Growth of times with the image: ``python -m benchmarks.growth``."""

from __future__ import annotations

from statistics import median
from typing import Annotated

import typer

import fusion
from benchmarks.inputs import NetworksOption, of_side
from fusion.benchmark import limits
from fusion.benchmark.command import TRAINED
from fusion.benchmark.figures import Figure, RecordOption, StrictOption, console, figures_table, finish
from fusion.benchmark.measurement import random_pixels, timed
from fusion.methods.base import Method


def main(
    method: NetworksOption = None,
    pixels: Annotated[
        int, typer.Option(min=2, help="Random pixels, of whose times the median is taken.")
    ] = 100,
    side: Annotated[int, typer.Option(min=16, help="Of the smaller image, pixels.")] = limits.SIDE,
    strict: StrictOption = False,
    record: RecordOption = None,
) -> None:
    """Measure Jacobian images at four times, and guidance images at twice the side."""
    found = []
    for id in method or TRAINED:
        loaded = fusion.load_method(id, "cpu")
        console.print(f"Measuring {loaded.title} …")
        found.append(jacobian_growth(loaded, side, pixels))
        found.append(guidance_growth(loaded, side))
    console.print(figures_table(f"Growth from {side}×{side} pixels", found))
    finish("growth", found, strict, record)


def jacobian_growth(method: Method, side: int, count: int) -> Figure:
    """Compare one Jacobian at 4·side with one at side; both take turns."""
    pairs = [of_side(side), of_side(4 * side)]
    for pair in pairs:
        fusion.prepare(method, pair)
    times: list[list[float]] = [[], []]
    chosen = [random_pixels(count, pair.shape, seed=0) for pair in pairs]
    for number in range(count):
        for which, pair in enumerate(pairs):
            times[which].append(timed(fusion.jacobian, method, pair, chosen[which][number])[0])
    ratio = median(times[1]) / median(times[0])
    limit = limits.JACOBIAN_GROWTH if side == limits.SIDE else None
    return Figure.beside(f"{method.title}: Jacobian, {4 * side} ÷ {side}", ratio, "×", limit)


def guidance_growth(method: Method, side: int) -> Figure:
    """Compare guidance images at 2·side with those at side."""
    # Once for the method, so that the smaller image is not charged with it.
    fusion.guidance(method, of_side(16))
    small, large = (timed(fusion.guidance, method, of_side(edge))[0] for edge in (side, 2 * side))
    limit = limits.GUIDANCE_GROWTH if side == limits.SIDE else None
    return Figure.beside(f"{method.title}: guidance, {2 * side} ÷ {side}", large / small, "×", limit)


if __name__ == "__main__":
    typer.run(main)
