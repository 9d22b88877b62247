"""One method measured: times of the baseline and ours in turn, and how far their results are apart."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import ParamSpec, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

import fusion
from benchmarks.full_image import FullImageGradients
from fusion.methods.base import Method
from fusion.pair import Pair

BATCH = 64
TURN = 10
"""Pixels that one way computes before it is the other's turn."""
BATCHES = 3
"""At least so many batches are computed, spread over the turns."""
BESIDE_GUIDANCE = 10
"""Pixels that the baseline computes while guidance images are computed."""

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
    """Medians in seconds and relative errors of one method.

    Attributes
    ----------
    id, method : str
        Its id and title.
    shape : tuple of int
        Height and width of the image.
    baseline, single, batched : float
        Of one pixel: full-image autograd, and ours alone and in batches, which took turns with it.
    prepared : float
        What a pair costs once.
    guidance, baseline_beside_guidance : float or None
        Of both guidance images, and of one pixel of full-image autograd in breaks of their computation.
    error_double, error_single, error_guidance : float
        See `relative_error`.
    """

    id: str
    method: str
    shape: tuple[int, int]
    baseline: float
    prepared: float
    single: float
    batched: float
    guidance: float | None
    baseline_beside_guidance: float | None
    error_double: float
    error_single: float
    error_guidance: float | None

    @property
    def guidance_baseline(self) -> float | None:
        """How long full-image autograd would take for all pixels, seconds."""
        if self.baseline_beside_guidance is None:
            return None
        return self.shape[0] * self.shape[1] * self.baseline_beside_guidance

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


def settle(device: torch.device) -> None:
    """Wait until a device has done what it was given; a CPU has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def measure(method: Method, pair: Pair, pixels: list[Pixel], with_guidance: bool) -> Measurement:
    """Time one method; baseline and ours take turns, so that both meet the machine in the same state.

    They do so ten pixels at a time: a hover follows a hover, and finds its numbers where the last one left them, not
    pushed out of the processor's memory by the graph of a whole image.
    """
    full = FullImageGradients(method, pair)
    full.jacobian(pixels[0])
    fusion.jacobian(method, pair, pixels[0])
    prepared, _ = timed(prepare, method, pair)
    baseline, single, batched, errors = [], [], [], []
    diagonal = []
    turns = [pixels[start : start + TURN] for start in range(0, len(pixels), TURN)]
    many = random_pixels(BATCH, pair.shape, seed=1)
    for turn in turns:
        slow = [timed(full.jacobian, pixel) for pixel in turn]
        fast = [timed(fusion.jacobian, method, pair, pixel) for pixel in turn]
        batches = [timed(fusion.jacobians, method, pair, many) for _ in range(-(-BATCHES // len(turns)))]
        baseline += [seconds for seconds, _ in slow]
        single += [seconds for seconds, _ in fast]
        batched += [seconds / BATCH for seconds, _ in batches]
        for pixel, (_, expected), (_, window) in zip(turn, slow, fast, strict=True):
            errors.append(relative_error(window.dense(), expected))
            diagonal.append(expected[:, *pixel])
    guidance_seconds, beside, guidance_error = None, None, None
    if with_guidance:
        breaks = Breaks(full, pixels[:BESIDE_GUIDANCE])
        elapsed, images = timed(fusion.guidance, method, pair, breaks)
        guidance_seconds, beside = elapsed - breaks.total, median(breaks.seconds)
        guidance_error = relative_error(np.array([images[:, *pixel] for pixel in pixels]), np.array(diagonal))
    return Measurement(
        method.id,
        method.title,
        pair.shape,
        median(baseline),
        prepared,
        median(single),
        median(batched),
        guidance_seconds,
        beside,
        error_in_double(method, pair, pixels[:CHECKED_IN_DOUBLE]),
        max(errors),
        guidance_error,
    )


def prepare(method: Method, pair: Pair) -> None:
    """Do `fusion.prepare`, and wait for the device."""
    fusion.prepare(method, pair)
    settle(method.device)


class Breaks:
    """The progress of guidance images: now and then their computation pauses, and the baseline computes a pixel.

    Guidance images take as long as many pixels of the baseline. Measured before or after them, it would meet the
    machine in another state.

    Parameters
    ----------
    full : FullImageGradients
        The baseline.
    pixels : list of (row, col)
        What it computes, spread evenly over the computation.

    Attributes
    ----------
    seconds : list of float
        What each pixel took.
    total : float
        How long the computation paused, seconds.
    """

    def __init__(self, full: FullImageGradients, pixels: list[Pixel]) -> None:
        self._full = full
        self._pixels = pixels
        self.seconds: list[float] = []
        self.total = 0.0

    def __call__(self, done: int, total: int, partial: NDArray[np.floating]) -> None:
        """See `fusion.saliency.guidance.Progress`."""
        began = time.perf_counter()
        due = len(self._pixels) * done // total
        for pixel in self._pixels[len(self.seconds) : due]:
            self.seconds.append(timed(self._full.jacobian, pixel)[0])
        self.total += time.perf_counter() - began


def error_in_double(method: Method, pair: Pair, pixels: list[Pixel]) -> float:
    """Return the largest relative error of a Jacobian when both ways compute in float64."""
    full = FullImageGradients(method, pair, "float64")
    return max(
        relative_error(fusion.jacobian(method, pair, pixel, "float64").dense(), full.jacobian(pixel))
        for pixel in pixels
    )
