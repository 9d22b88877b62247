"""One method measured: times of the baseline and ours in turn, and how far their results are apart."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

import fusion
from benchmarks.full_image import FullImageGradients
from fusion.methods.base import Method
from fusion.pair import Pair

BATCH = 64
TURN = 10
"""Pixels that one way computes before it is the other's turn."""
BATCHES = 3

EXACT = 1e-10
"""Largest relative error in float64 that counts as exact: another order of the same additions."""
SINGLE = 1e-2
"""Largest relative error in float32 that rounding may explain, where a network amplifies it."""
CHECKED_IN_DOUBLE = 2
"""Pixels compared in float64; each takes seconds."""

Pixel = tuple[int, int]
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Measurement:
    """Medians in seconds and relative errors of one method; `prepared` is what a pair costs once."""

    method: str
    image_pixels: int
    baseline: float
    prepared: float
    single: float
    batched: float
    guidance: float | None
    error_double: float
    error_single: float
    error_guidance: float | None

    @property
    def exact(self) -> bool:
        """Whether everything agrees with full-image autograd."""
        return (
            self.error_double <= EXACT
            and self.error_single <= SINGLE
            and (self.error_guidance is None or self.error_guidance <= SINGLE)
        )


def timed(
    compute: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
) -> tuple[float, Result]:
    """Return how many seconds a call took, and its result, which is in the CPU's memory by then."""
    start = time.perf_counter()
    result = compute(*arguments, **named)
    return time.perf_counter() - start, result


def relative_error(found: NDArray[np.floating], expected: NDArray[np.floating]) -> float:
    """Return max |found − expected| / max |expected|; infinite if anything is not finite."""
    scale = float(np.abs(expected).max())
    difference = float(np.abs(found - expected).max())
    if not np.isfinite(difference):
        return float("inf")
    return difference / scale if scale > 0 else difference


def random_pixels(count: int, shape: tuple[int, int], seed: int) -> list[Pixel]:
    """Return `count` pixels (row, col), anywhere in the image, borders included."""
    generator = np.random.default_rng(seed)
    return [(int(row), int(col)) for row, col in generator.integers((0, 0), shape, size=(count, 2))]


def measure(method: Method, pair: Pair, pixels: list[Pixel], with_guidance: bool) -> Measurement:
    """Time one method; baseline and ours take turns, so that both meet the machine in the same state.

    They do so ten pixels at a time: a hover follows a hover, and finds its numbers where the last one left them, not
    pushed out of the processor's memory by the graph of a whole image.
    """
    full = FullImageGradients(method, pair)
    full.jacobian(pixels[0])
    fusion.jacobian(method, pair, pixels[0])
    prepared, _ = timed(fusion.prepare, method, pair)
    baseline, single, errors = [], [], []
    diagonal = []
    for start in range(0, len(pixels), TURN):
        turn = pixels[start : start + TURN]
        slow = [timed(full.jacobian, pixel) for pixel in turn]
        fast = [timed(fusion.jacobian, method, pair, pixel) for pixel in turn]
        baseline += [seconds for seconds, _ in slow]
        single += [seconds for seconds, _ in fast]
        for pixel, (_, expected), (_, window) in zip(turn, slow, fast, strict=True):
            errors.append(relative_error(window.dense(), expected))
            diagonal.append(expected[:, *pixel])
    many = random_pixels(BATCH, pair.shape, seed=1)
    batched = [timed(fusion.jacobians, method, pair, many)[0] / BATCH for _ in range(BATCHES)]
    guidance_seconds, guidance_error = None, None
    if with_guidance:
        guidance_seconds, images = timed(fusion.guidance, method, pair)
        guidance_error = relative_error(np.array([images[:, *pixel] for pixel in pixels]), np.array(diagonal))
    return Measurement(
        method.title,
        pair.shape[0] * pair.shape[1],
        median(baseline),
        prepared,
        median(single),
        median(batched),
        guidance_seconds,
        error_in_double(method, pair, pixels[:CHECKED_IN_DOUBLE]),
        max(errors),
        guidance_error,
    )


def error_in_double(method: Method, pair: Pair, pixels: list[Pixel]) -> float:
    """Return the largest relative error of a Jacobian when both ways compute in float64."""
    full = FullImageGradients(method, pair, "float64")
    return max(
        relative_error(fusion.jacobian(method, pair, pixel, "float64").dense(), full.jacobian(pixel))
        for pixel in pixels
    )
