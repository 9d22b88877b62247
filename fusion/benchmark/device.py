"""Figures of a GPU beside the ratios: one Jacobian, guidance images, and all Jacobians of a pair.

Each stands beside its arithmetic floor: how long the device would take for the multiplications of the chain, were
nothing else to do. How fast it multiplies in float32 is measured in the same run, so that no table of names of cards is
needed: by large matrix products and by convolutions of the kind that networks have, whichever is faster. Everything
here runs on a CPU too, which is how it is tested.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it

import fusion
from fusion.benchmark import limits
from fusion.benchmark.figures import Figure
from fusion.benchmark.measurement import Pixel, settle, timed
from fusion.methods.base import Method
from fusion.pair import Pair
from fusion.saliency.atlas import Atlas
from fusion.saliency.chain.windows import chain_of

ROUNDS = 3
"""Of the guidance images, of which the median counts; the first one chooses and loads what it needs, and does not."""

AT_ONCE = 8_192
"""Pixels whose windows are held in memory at a time."""

BATCH = 1_024
"""Pixels that are computed at once: a GPU is idle with 64."""

REPEATS = 5
"""Of which the fastest counts."""

TRIAL_SECONDS = 0.2
"""About how long each repeat takes."""

CHANNELS, KERNEL = 64, 3


@dataclass(frozen=True)
class Work:
    """Multiplications of a method's chain for one pixel, each with one addition.

    Attributes
    ----------
    window : int
        For both Jacobian images.
    diagonal : int
        For both guidance images.
    """

    window: int
    diagonal: int


@dataclass(frozen=True)
class DeviceTimes:
    """Seconds on a device; ``None`` where something was not measured.

    Attributes
    ----------
    method : str
        Its title.
    work : Work or None
        Multiplications of its chain for a pixel.
    pixels : int
        Of the image.
    jacobian : float
        One Jacobian, both inputs, in the computer's memory: the median.
    guidance : float or None
        Both guidance images: the median.
    jacobians : float or None
        All Jacobians, one after another into the computer's memory.
    atlas : float or None
        The same as an atlas on the disk of temporary files, complete.
    """

    method: str
    work: Work | None
    pixels: int
    jacobian: float
    guidance: float | None
    jacobians: float | None
    atlas: float | None


def device_times(
    method: Method, pair: Pair, pixels: list[Pixel], with_guidance: bool = True, with_atlas: bool = True
) -> DeviceTimes:
    """Measure a method on its own device.

    Parameters
    ----------
    method, pair
        What to differentiate.
    pixels : list of (row, col)
        Of whose Jacobians the median is taken.
    with_guidance, with_atlas : bool
        True to measure guidance images, and all Jacobians.
    """
    fusion.prepare(method, pair)
    fusion.jacobian(method, pair, pixels[0])
    settle(method.device)
    # What is returned lies in the computer's memory: the device has done all that it was given by then.
    single = median(timed(fusion.jacobian, method, pair, pixel)[0] for pixel in pixels)
    guidance, jacobians, atlas = None, None, None
    if with_guidance:
        fusion.guidance(method, pair)
        guidance = median(timed(fusion.guidance, method, pair)[0] for _ in range(ROUNDS))
    if with_atlas and method.locality.radius is not None:
        jacobians = timed(all_jacobians, method, pair)[0]
        with tempfile.TemporaryDirectory(prefix="fusevis_benchmark_") as folder:
            atlas = timed(complete_atlas, Path(folder) / "atlas", method, pair)[0]
    height, width = pair.shape
    return DeviceTimes(method.title, work_of(method), height * width, single, guidance, jacobians, atlas)


def all_jacobians(method: Method, pair: Pair) -> int:
    """Compute the Jacobian images of all pixels, keep none, and return how many there were."""
    height, width = pair.shape
    every = [(row, column) for row in range(height) for column in range(width)]
    return sum(
        len(fusion.jacobians(method, pair, every[start : start + AT_ONCE], batch_size=BATCH))
        for start in range(0, len(every), AT_ONCE)
    )


def complete_atlas(folder: Path, method: Method, pair: Pair) -> Atlas:
    """Make an atlas from its first tile to its last."""
    atlas = Atlas(folder, method, pair)
    atlas.fill(method, pair)
    return atlas


def work_of(method: Method) -> Work | None:
    """Count the multiplications of a method's chain in float32; ``None`` where there is no chain."""
    chain = chain_of(method, torch.float32)
    return None if chain is None else Work(chain.windows.multiplications, chain.diagonal.multiplications)


def device_figures(times: DeviceTimes, operations_a_second: float, is_standard: bool) -> list[Figure]:
    """Return figures of one method: each time, with its limit where `is_standard`, and as times its floor."""
    work = times.work
    measured = (
        ("one Jacobian", times.jacobian, 1e3, "ms", limits.GPU_JACOBIAN, work and work.window),
        ("guidance images", times.guidance, 1, "s", limits.GPU_GUIDANCE, work and work.diagonal * times.pixels),
        ("all Jacobians, not kept", times.jacobians, 1, "s", None, work and work.window * times.pixels),
        ("complete atlas", times.atlas, 1, "s", limits.GPU_ATLAS, work and work.window * times.pixels),
    )  # fmt: skip
    found: list[Figure] = []
    for name, seconds, scale, unit, limit, multiplications in measured:
        if seconds is None:
            continue
        found.append(
            Figure.beside(f"{times.method}: {name}", seconds * scale, unit, limit if is_standard else None)
        )
        if multiplications:
            floor = floor_seconds(multiplications, operations_a_second)
            found.append(Figure(f"{times.method}: {name} ÷ arithmetic floor", seconds / floor, "×"))
    return found


def floor_seconds(multiplications: float, operations_a_second: float) -> float:
    """Return how long so many multiplications, each with its addition, take at least."""
    return 2 * multiplications / operations_a_second


def rate_figure(operations_a_second: float) -> Figure:
    """Return the figure that the floor rests on."""
    return Figure("float32 arithmetic of this device, measured", operations_a_second / 1e12, "TFLOP/s")


def has_limits(device: torch.device, shape: tuple[int, int]) -> bool:
    """Return True if the limits of a GPU are for this device and image."""
    return device.type == "cuda" and shape == (limits.SIDE, limits.SIDE)


def throughput(device: torch.device, side: int | None = None) -> float:
    """Measure how many float32 additions and multiplications a device does in a second, TF32 off.

    Parameters
    ----------
    device : torch.device
        What to measure.
    side : int, optional
        Of the matrices; without, one that a GPU or a CPU is well occupied with.
    """
    size = side or (8192 if device.type == "cuda" else 1024)
    return max(_of_matrices(device, size), _of_convolutions(device, size))


def _of_matrices(device: torch.device, side: int) -> float:
    first, second = (torch.rand(side, side, device=device) for _ in range(2))
    return _rate(lambda: torch.mm(first, second), 2 * side**3, device)


def _of_convolutions(device: torch.device, side: int) -> float:
    pixels = max(4, side // CHANNELS)
    images = torch.rand(CHANNELS, CHANNELS, pixels, pixels, device=device).contiguous(
        memory_format=torch.channels_last
    )
    weight = torch.rand(CHANNELS, CHANNELS, KERNEL, KERNEL, device=device)
    operations = 2 * images.numel() * CHANNELS * KERNEL**2
    return _rate(lambda: F.conv2d(images, weight, padding=KERNEL // 2), operations, device)


@torch.inference_mode()
def _rate(compute: Callable[[], object], operations: int, device: torch.device) -> float:
    """Return operations a second of something that is repeated until its time can be measured."""

    def seconds(times: int) -> float:
        settle(device)
        began = time.perf_counter()
        for _ in range(times):
            compute()
        settle(device)
        return time.perf_counter() - began

    # As the chain computes: torch takes TF32 for convolutions unless told, and never by itself for products.
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        seconds(2)  # the first calls choose and load what they need
        times = max(1, round(TRIAL_SECONDS / max(seconds(1), 1e-6)))
        return operations * times / min(seconds(times) for _ in range(REPEATS))
