"""How far the inputs of a network spread, and under which shifts the network is the same everywhere."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fusion.network import apply_network
from fusion.saliency.crop_check import close
from fusion.saliency.probing import HUGE, farthest, line_of, pixel_of, sample, touched

SHIFTS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)


def nan_reaches(network: nn.Module, side: int) -> tuple[int, int]:
    """Return how far a NaN in the middle pixel of each input of side × side pixels spreads."""
    inputs = sample((side, side), seed=0)
    first, second = (_reach(network, inputs, index, torch.nan, None) for index in (0, 1))
    return first, second


@torch.no_grad()
def reaches_of_pixel(network: nn.Module, side: int) -> tuple[int, int]:
    """Return the same, and half the side where other values spread farther.

    Such a network hides NaNs. How far other values spread depends on what they meet, so that no radius is certain.
    """
    inputs = sample((side, side), seed=0)
    fused = apply_network(network, inputs)[0]
    found = list(nan_reaches(network, side))
    for index in (0, 1):
        if any(_reach(network, inputs, index, value, fused) > found[index] for value in (HUGE, -HUGE)):
            found[index] = side // 2
    return found[0], found[1]


def _reach(network: nn.Module, inputs: Tensor, index: int, value: float, fused: Tensor | None) -> int:
    middle = inputs.shape[2] // 2
    changed = pixel_of(inputs, index, middle, middle)
    return farthest(touched(network, inputs, changed, value, fused), (middle, middle))


@torch.no_grad()
def reach_of_phases(network: nn.Module, index: int, side: int, alignment: int) -> int:
    """Return how far NaNs spread over all phases of a strided network.

    A whole row (column) of NaNs at once stands for all column (row) phases, so that 2·alignment passes do.
    """
    reach = 0
    for phase in range(alignment):
        line = side // 2 - alignment // 2 + phase
        inputs = sample((side, side), seed=phase)
        for axis in (0, 1):
            found = touched(network, inputs, line_of(inputs, index, axis, line), torch.nan)
            lines = found.any(dim=1 - axis).nonzero()[:, 0]
            reach = max(reach, int((lines - line).abs().max()) if len(lines) else 0)
    return reach


def equivariant_shift(network: nn.Module, side: int, reach: int) -> int | None:
    """Return the smallest shift under which the fused image, and what it sees, move with its inputs."""
    for shift in SHIFTS:
        # Strided networks reach further in some phases than in the probed one.
        margin = reach + 2 * shift
        if 2 * margin + shift >= side:
            return None
        if _moves(network, side, shift, margin) and follows(network, side, shift, reach):
            return shift
    return None


@torch.no_grad()
def _moves(network: nn.Module, side: int, shift: int, margin: int) -> bool:
    """Whether the fused image moves with its inputs, away from the border."""
    inputs = sample((side, side), seed=1)
    fused = apply_network(network, inputs)[0]
    inner = slice(margin, side - margin)
    moved = slice(margin + shift, side - margin + shift)
    return all(
        close(apply_network(network, inputs.roll(shift, dims=axis + 2))[0][place], fused[inner, inner])
        for axis, place in ((0, (moved, inner)), (1, (inner, moved)))
    )


@torch.no_grad()
def follows(network: nn.Module, side: int, shift: int, reach: int) -> bool:
    """Whether a NaN one shift further spreads to what lies one shift further, whatever the values are.

    Values alone would not tell of a branch that strides but is asleep in the probe images.
    """
    inputs = sample((side, side), seed=1)
    middle = side // 2
    for index in (0, 1):
        first, second = (
            touched(network, inputs, pixel_of(inputs, index, at, at), torch.nan)
            for at in (middle, middle + shift)
        )
        width = min(reach + shift, middle, side - 1 - middle - shift)
        around, moved = (slice(at - width, at + width + 1) for at in (middle, middle + shift))
        if not torch.equal(first[around, around], second[moved, moved]):
            return False
    return True
