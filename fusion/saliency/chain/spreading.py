"""Which way a transposed convolution is computed."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fusion.saliency.chain.nodes import Reach
from fusion.saliency.chain.packing import packed_spread
from fusion.saliency.chain.reaches import minus, narrower, plus
from fusion.saliency.chain.steps import Mix, Spread, SpreadPoint, SpreadToFew, Step

FEW_CHANNELS = 2
"""Up to so many input channels, one matrix product and a sum are quicker than a convolution (on the CPU)."""


@dataclass(frozen=True)
class Spreading:
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
    """

    source: int
    target: int
    before: Reach
    after: Reach
    weight: Tensor
    dilation: tuple[int, int]


def spreading(wanted: Spreading, dtype: torch.dtype, device: torch.device) -> tuple[Step, int]:
    """Return the step that computes it, and how many multiplications it takes for a pixel."""
    weight = wanted.weight.to(device=device, dtype=dtype)
    outputs, inputs, *kernel = weight.shape
    far = (wanted.dilation[0] * (kernel[0] // 2), wanted.dilation[1] * (kernel[1] // 2))
    # What lies further out than this cannot reach the wanted window.
    before = narrower(wanted.before, plus(wanted.after, far))
    inset = minus(wanted.before, before)
    padding = minus(plus(before, far), wanted.after)
    taps = _taps(before[0], wanted.after[0], far[0], wanted.dilation[0]) * _taps(
        before[1], wanted.after[1], far[1], wanted.dilation[1]
    )
    multiplications = taps * outputs * inputs
    common = (wanted.source, wanted.target, inset)
    shape = (2 * wanted.after[0] + 1, 2 * wanted.after[1] + 1)
    # Captured graphs of a GPU leave matrix products out: torch may free the memory that these work in with any graph.
    on_cpu = device.type == "cpu"
    if tuple(kernel) == (1, 1) and on_cpu:
        return Mix(*common, weight[:, :, 0, 0].contiguous()), multiplications
    if before == (0, 0) and wanted.dilation == (1, 1) and on_cpu:
        rows, columns = (slice(cut, size - cut) for cut, size in zip(padding, kernel, strict=True))
        flat = weight[:, :, rows, columns].permute(0, 2, 3, 1).reshape(outputs, -1).contiguous()
        return SpreadPoint(*common, flat, (*shape, inputs)), multiplications
    if inputs <= FEW_CHANNELS and on_cpu:
        flat = weight.permute(1, 2, 3, 0).reshape(-1, outputs).contiguous()
        size = (kernel[0], kernel[1])
        return SpreadToFew(*common, flat, shape, size, wanted.dilation, padding), multiplications
    weight = weight.contiguous(memory_format=torch.channels_last)
    packed = packed_spread(weight, (2 * before[0] + 1, 2 * before[1] + 1), padding, wanted.dilation)
    return Spread(*common, weight, padding, wanted.dilation, packed), multiplications


def _taps(before: int, after: int, far: int, dilation: int) -> int:
    """Count, along one axis, the pairs of a pixel of the first window and one of the second a kernel joins."""
    return sum(
        abs(position + offset) <= after
        for position in range(-before, before + 1)
        for offset in range(-far, far + 1, dilation)
    )
