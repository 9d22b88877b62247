"""One method measured: times of the baseline and ours in turn, and how far their results are apart.

The baseline computes derivatives by autograd over the whole image, the way the paper's tool does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import ParamSpec, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

import fusion
from fusion.methods.base import Method
from fusion.network import images_tensor, torch_dtype
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
        """Time that full-image autograd would take for all pixels, seconds."""
        if self.baseline_beside_guidance is None:
            return None
        return self.shape[0] * self.shape[1] * self.baseline_beside_guidance

    @property
    def exact(self) -> bool:
        """True if everything agrees with full-image autograd."""
        return (
            self.error_double <= EXACT
            and self.error_single <= SINGLE
            and (self.error_guidance is None or self.error_guidance <= SINGLE)
        )


def measure(method: Method, pair: Pair, pixels: list[Pixel], with_guidance: bool) -> Measurement:
    """Time one method; baseline and ours take turns, so that both meet the machine in the same state.

    Parameters
    ----------
    method, pair
        To differentiate.
    pixels : list of (row, col)
        Principal pixels of whose times the medians are taken; at least one.
    with_guidance : bool
        True to time both guidance images too.
    """
    full = FullImageGradients(method, pair)
    full.jacobian(pixels[0])
    fusion.jacobian(method, pair, pixels[0])
    prepared, _ = timed(prepare, method, pair)
    turns = _take_turns(full, method, pair, pixels)
    guidance_seconds, beside, guidance_error = None, None, None
    if with_guidance:
        breaks = Breaks(full, pixels[:BESIDE_GUIDANCE])
        elapsed, images = timed(fusion.guidance, method, pair, breaks)
        guidance_seconds, beside = elapsed - breaks.total, median(breaks.seconds)
        found = np.array([images[:, *pixel] for pixel in pixels])
        guidance_error = relative_error(found, np.array(turns.diagonal))
    return Measurement(
        id=method.id,
        method=method.title,
        shape=pair.shape,
        baseline=median(turns.baseline),
        prepared=prepared,
        single=median(turns.single),
        batched=median(turns.batched),
        guidance=guidance_seconds,
        baseline_beside_guidance=beside,
        error_double=error_in_double(method, pair, pixels[:CHECKED_IN_DOUBLE]),
        error_single=max(turns.errors),
        error_guidance=guidance_error,
    )


@dataclass
class _Turns:
    """Seconds of each pixel by all three ways, single Jacobians' errors, and the baseline's diagonal, 2 values each."""

    baseline: list[float] = field(default_factory=list)
    single: list[float] = field(default_factory=list)
    batched: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    diagonal: list[NDArray[np.floating]] = field(default_factory=list)


def _take_turns(full: FullImageGradients, method: Method, pair: Pair, pixels: list[Pixel]) -> _Turns:
    """Compute all pixels by all ways, ten at a time.

    A hover follows a hover, and finds its numbers where the last one left them, not pushed out of the processor's
    memory by the graph of a whole image.
    """
    found = _Turns()
    turns = [pixels[start : start + TURN] for start in range(0, len(pixels), TURN)]
    many = random_pixels(BATCH, pair.shape, seed=1)
    for turn in turns:
        slow = [timed(full.jacobian, pixel) for pixel in turn]
        fast = [timed(fusion.jacobian, method, pair, pixel) for pixel in turn]
        batches = [timed(fusion.jacobians, method, pair, many) for _ in range(-(-BATCHES // len(turns)))]
        found.baseline += [seconds for seconds, _ in slow]
        found.single += [seconds for seconds, _ in fast]
        found.batched += [seconds / BATCH for seconds, _ in batches]
        for pixel, (_, expected), (_, window) in zip(turn, slow, fast, strict=True):
            found.errors.append(relative_error(window.dense(), expected))
            found.diagonal.append(expected[:, *pixel])
    return found


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
        Time that the computation paused, seconds.
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


class FullImageGradients:
    """One forward pass over the whole image whose graph is kept, then one backward pass an input and pixel.

    Shares nothing with `fusion.saliency`, so that it can also judge what that computes.

    Parameters
    ----------
    method : Method
        The fusion method.
    pair : Pair
        The two input images.
    dtype : {"float32", "float64"}
        The precision of the whole computation.
    """

    def __init__(self, method: Method, pair: Pair, dtype: str = "float32") -> None:
        precision = torch_dtype(dtype)
        images = images_tensor(pair, precision, method.device)
        self._inputs = [image[None, None].clone().requires_grad_(True) for image in images]
        with torch.enable_grad(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            self._fused = method.network_as(precision)(*self._inputs)[0, 0]

    def jacobian(self, pixel: tuple[int, int]) -> NDArray[np.floating]:
        """Compute both Jacobian images of a pixel (equation 1 of the paper).

        Parameters
        ----------
        pixel : (row, col)
            The principal pixel, counted from 0.

        Returns
        -------
        ndarray
            (2, H, W) of dy(pixel)/dx1 and dy(pixel)/dx2, dimensionless, in the precision of the computation.
        """
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            images = [
                torch.autograd.grad(self._fused[pixel], image, retain_graph=True)[0][0, 0]
                for image in self._inputs
            ]
        return torch.stack(images).cpu().numpy()


def timed(
    compute: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
) -> tuple[float, Result]:
    """Return how many seconds a call took, and its result, which is in the CPU's memory by then."""
    start = time.perf_counter()
    result = compute(*arguments, **named)
    return time.perf_counter() - start, result


def relative_error(found: NDArray[np.floating], expected: NDArray[np.floating]) -> float:
    """Return max |found − expected| / max |expected|; infinite if anything is not finite.

    Parameters
    ----------
    found, expected : array
        Of one shape.
    """
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
