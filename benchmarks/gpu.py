"""What is measured on a GPU beside the ratios: one Jacobian, guidance images, and all Jacobians of a pair.

Each beside its arithmetic floor (`benchmarks.floor`). Everything here runs on a CPU too, which is how it is tested.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch

import fusion
from benchmarks import limits
from benchmarks.figures import Figure
from benchmarks.floor import Work, floor_seconds, work_of
from benchmarks.measurement import Pixel, settle, timed
from fusion.methods.base import Method
from fusion.pair import Pair
from fusion.saliency.atlas import Atlas

ROUNDS = 3
"""Of the guidance images, of which the median counts; the first one chooses and loads what it needs, and does not."""
AT_ONCE = 8_192
"""Pixels whose windows are held in memory at a time."""
BATCH = 1_024
"""Pixels that are computed at once: a GPU is idle with 64."""


@dataclass(frozen=True)
class DeviceTimes:
    """Seconds on a device; ``None`` where something was not measured.

    Attributes
    ----------
    method : str
        Its title.
    work : Work or None
        What its chain multiplies for a pixel.
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
        Whether to measure guidance images, and all Jacobians.
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


def rate_figure(operations_a_second: float) -> Figure:
    """Return what the floor rests on."""
    return Figure("float32 arithmetic of this device, measured", operations_a_second / 1e12, "TFLOP/s")


def has_limits(device: torch.device, shape: tuple[int, int]) -> bool:
    """Whether the limits of a GPU are for this."""
    return device.type == "cuda" and shape == (limits.SIDE, limits.SIDE)
