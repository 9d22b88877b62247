"""The steps of a backward chain from one grid to another, where networks stride, pool, resize or shuffle."""

# ruff: noqa: D102 - what calling a step does is said of its class.

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F  # noqa: N812 - torch's own name for it

from fusion.saliency.chain.graph import Reach
from fusion.saliency.chain.steps import FromOne, Pixels, Slots, middle


@dataclass(frozen=True, slots=True)
class Scatter(FromOne):
    """From a coarser grid to a finer one: channels become the pixels of squares; less at the edges by `inset`."""

    factor: int
    inset: Reach

    def __call__(self, slots: Slots, pixels: Pixels) -> None:
        side = self.factor
        values = slots[self.source].unflatten(3, (-1, side, side)).permute(0, 1, 4, 2, 5, 3)
        slots[self.target] = middle(values.flatten(3, 4).flatten(1, 2), self.inset)


@dataclass(frozen=True, slots=True)
class Gather(FromOne):
    """From a finer grid to a coarser one: pixels of squares as channels, after zeros were put around, or less left."""

    factor: int
    margin: Reach

    def __call__(self, slots: Slots, pixels: Pixels) -> None:
        side, (rows, columns) = self.factor, self.margin
        values = F.pad(slots[self.source], (0, 0, columns, columns, rows, rows))
        values = values.unflatten(2, (-1, side)).unflatten(1, (-1, side)).permute(0, 1, 3, 5, 2, 4)
        slots[self.target] = values.flatten(3)


@dataclass(frozen=True, slots=True)
class SumSquares(FromOne):
    """From a finer grid to a coarser one: the sum of each square, after zeros were put around, or less left."""

    factor: int
    margin: Reach

    def __call__(self, slots: Slots, pixels: Pixels) -> None:
        values, around, side = slots[self.source].permute(0, 3, 1, 2), self.margin, self.factor
        if not 0 <= min(around) <= max(around) <= side // 2:
            values = F.pad(values, (around[1], around[1], around[0], around[0]))
            around = (0, 0)
        # A pooling that divides by 1, which puts zeros around by itself.
        summed = F.avg_pool2d(values, side, side, around, divisor_override=1)
        slots[self.target] = summed.permute(0, 2, 3, 1)


@dataclass(frozen=True, slots=True)
class Spread(FromOne):
    """From a coarser grid to a finer one: to the pixels of each square, times the derivative of what came of them."""

    factor: int
    map_number: int
    block: int

    def __call__(self, slots: Slots, pixels: Pixels) -> None:
        slots[self.target] = pixels.spread(slots[self.source], self.map_number, self.block, self.factor)


@dataclass(frozen=True, slots=True)
class RepeatChannels(FromOne):
    """Repeat each channel so many times."""

    times: int

    def __call__(self, slots: Slots, pixels: Pixels) -> None:
        slots[self.target] = slots[self.source].repeat_interleave(self.times, dim=3)
