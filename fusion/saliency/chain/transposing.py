"""Transposed convolutions of windows: which step is quickest for each."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fusion.saliency.chain.graph import Reach, minus, narrower, plus
from fusion.saliency.chain.steps import (
    MixChannels,
    Step,
    TransposedConvolution,
    TransposedFromPoint,
    TransposedToFew,
)

FEW_CHANNELS = 2
"""Up to so many input channels, one matrix product and a sum are quicker than a convolution (on the CPU)."""


@dataclass(frozen=True)
class TransposedSpec:
    """A transposed convolution from windows of one reach to windows of another.

    Attributes
    ----------
    source, target : int
        Slots.
    before, after : tuple of int
        Their reaches.
    weight : torch.Tensor
        (channels of the source, channels of the target, rows, columns).
    dilation : tuple of int
        Of the convolution.
    block : int
        Pixels of its grid along the side of a square that is treated all alike, from which on it reaches.
    """

    source: int
    target: int
    before: Reach
    after: Reach
    weight: Tensor
    dilation: tuple[int, int]
    block: int = 1


def transposed_step(wanted: TransposedSpec, dtype: torch.dtype, device: torch.device) -> tuple[Step, int]:
    """Return the step that computes it, and how many multiplications it takes for a pixel."""
    weight = wanted.weight.to(device=device, dtype=dtype)
    outputs, inputs, *kernel = weight.shape
    far = (wanted.dilation[0] * (kernel[0] // 2), wanted.dilation[1] * (kernel[1] // 2))
    # What lies further out than this cannot reach the wanted window.
    before = narrower(wanted.before, plus(wanted.after, far))
    inset = minus(wanted.before, before)
    padding = minus(plus(before, far), wanted.after)
    rows, columns = (
        _taps(wanted.block, before[axis], wanted.after[axis], far[axis], wanted.dilation[axis])
        for axis in (0, 1)
    )
    multiplications = rows * columns * outputs * inputs
    common = (wanted.source, wanted.target, inset)
    shape = (2 * wanted.after[0] + wanted.block, 2 * wanted.after[1] + wanted.block)
    # Captured graphs of a GPU leave matrix products out: torch may free the memory that these work in with any graph.
    on_cpu = device.type == "cpu"
    if tuple(kernel) == (1, 1) and on_cpu:
        return MixChannels(*common, weight[:, :, 0, 0].contiguous()), multiplications
    if (wanted.block, *before) == (1, 0, 0) and wanted.dilation == (1, 1) and on_cpu:
        kept = [slice(cut, size - cut) for cut, size in zip(padding, kernel, strict=True)]
        flat = weight[:, :, *kept].permute(0, 2, 3, 1).reshape(outputs, -1).contiguous()
        return TransposedFromPoint(*common, flat, (*shape, inputs)), multiplications
    if inputs <= FEW_CHANNELS and on_cpu:
        flat = weight.permute(1, 2, 3, 0).reshape(-1, outputs).contiguous()
        size = (kernel[0], kernel[1])
        return TransposedToFew(*common, flat, shape, size, wanted.dilation, padding), multiplications
    weight = weight.contiguous(memory_format=torch.channels_last)
    return TransposedConvolution(*common, weight, padding, wanted.dilation), multiplications


def _taps(block: int, before: int, after: int, far: int, dilation: int) -> int:
    """Count, along one axis, the pairs of a pixel of the first window and one of the second a kernel joins."""
    return sum(
        -after <= position + offset < block + after
        for position in range(-before, block + before)
        for offset in range(-far, far + 1, dilation)
    )
