"""The arithmetic floor: how long a device would take for the multiplications of a chain, were nothing else to do.

How fast a device multiplies in float32 is measured in the same run, so that no table of names of cards is needed: by
large matrix products and by convolutions of the kind that networks have, whichever is faster.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it

from benchmarks.measurement import settle
from fusion.methods.base import Method
from fusion.saliency.chain.windows import chain_of

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


def work_of(method: Method) -> Work | None:
    """Return what a method's chain multiplies in float32; ``None`` where there is no chain."""
    chain = chain_of(method, torch.float32)
    return None if chain is None else Work(chain.windows.multiplications, chain.diagonal.multiplications)


def floor_seconds(multiplications: float, operations_a_second: float) -> float:
    """Return how long so many multiplications, each with its addition, take at least."""
    return 2 * multiplications / operations_a_second


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
