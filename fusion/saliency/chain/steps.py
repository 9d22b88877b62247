"""The steps of a backward chain, each from some slots to others.

A slot holds the derivative of one or more fused pixels with respect to one value of the network: a tensor
(B, h, w, channels) whose middle is the fused pixel. Channels come last, which convolutions of such small
windows like best.
"""

# ruff: noqa: D102 - what calling a step does is said of its class.

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor

from fusion.saliency.chain.nodes import Reach
from fusion.saliency.chain.packing import PackedSpread
from fusion.saliency.chain.places import Places

Slots = list[Tensor]


class Step(Protocol):
    """One step of a chain."""

    @property
    def used(self) -> tuple[int, ...]:
        """The slots that it reads or writes."""

    def __call__(self, slots: Slots, places: Places) -> None: ...


def middle(values: Tensor, inset: Reach) -> Tensor:
    """Return the middle of windows, `inset` pixels less on each side."""
    rows, columns = inset
    if rows:
        values = values[:, rows:-rows]
    return values[:, :, columns:-columns] if columns else values


@dataclass(frozen=True, slots=True)
class _FromOne:
    """A step from one slot to another."""

    source: int
    target: int

    @property
    def used(self) -> tuple[int, ...]:
        return self.source, self.target


@dataclass(frozen=True, slots=True)
class Multiply(_FromOne):
    """Multiply by what is kept of a pointwise node, or of where the image ends."""

    kept: int
    inset: Reach
    in_place: bool
    sum_channels: bool = False

    def __call__(self, slots: Slots, places: Places) -> None:
        values = middle(slots[self.source], self.inset)
        product = places.multiplied(values, self.kept, self.in_place)
        slots[self.target] = product.sum(dim=3, keepdim=True) if self.sum_channels else product


@dataclass(frozen=True, slots=True)
class Rescale(_FromOne):
    """Multiply each channel by a constant."""

    factors: Tensor

    def __call__(self, slots: Slots, places: Places) -> None:
        slots[self.target] = slots[self.source] * self.factors


@dataclass(frozen=True, slots=True)
class Take(_FromOne):
    """Take some of the channels, and the middle of the window."""

    start: int
    stop: int
    inset: Reach

    def __call__(self, slots: Slots, places: Places) -> None:
        slots[self.target] = middle(slots[self.source], self.inset)[..., self.start : self.stop]


@dataclass(frozen=True, slots=True)
class Combine:
    """Add what comes from several users of one value; `base` may be written to, the others are as wide or narrower."""

    base: int
    others: Sequence[tuple[int, Reach]]

    @property
    def used(self) -> tuple[int, ...]:
        return self.base, *(slot for slot, _ in self.others)

    def __call__(self, slots: Slots, places: Places) -> None:
        result = slots[self.base]
        for slot, inset in self.others:
            middle(result, inset).add_(slots[slot])


@dataclass(frozen=True, slots=True)
class Widen(_FromOne):
    """Put zeros around a window, in memory of its own."""

    margin: Reach

    def __call__(self, slots: Slots, places: Places) -> None:
        rows, columns = self.margin
        slots[self.target] = F.pad(slots[self.source], (0, 0, columns, columns, rows, rows)).clone()


@dataclass(frozen=True, slots=True)
class Spread(_FromOne):
    """A transposed convolution: the window grows, or loses what cannot get back to the pixel any more."""

    inset: Reach
    weight: Tensor
    padding: Reach
    dilation: tuple[int, int]
    packed: PackedSpread | None = None

    def __call__(self, slots: Slots, places: Places) -> None:
        values = middle(slots[self.source], self.inset).permute(0, 3, 1, 2)
        if self.packed is not None and len(values) == 1:
            spread = self.packed(values)
        else:
            spread = F.conv_transpose2d(values, self.weight, None, 1, self.padding, 0, 1, self.dilation)
        slots[self.target] = spread.permute(0, 2, 3, 1)


@dataclass(frozen=True, slots=True)
class SpreadPoint(_FromOne):
    """The same from a single pixel: a weighted sum of kernels. `weight` is (outputs, rows · columns · inputs)."""

    inset: Reach
    weight: Tensor
    shape: tuple[int, int, int]

    def __call__(self, slots: Slots, places: Places) -> None:
        values = middle(slots[self.source], self.inset)
        slots[self.target] = torch.mm(values.reshape(-1, values.shape[3]), self.weight).view(-1, *self.shape)


@dataclass(frozen=True, slots=True)
class SpreadToFew(_FromOne):
    """The same for one or two input channels: all products, then one sum. `weight` is (inputs · taps, outputs)."""

    inset: Reach
    weight: Tensor
    shape: tuple[int, int]
    kernel: tuple[int, int]
    dilation: tuple[int, int]
    padding: Reach

    def __call__(self, slots: Slots, places: Places) -> None:
        values = middle(slots[self.source], self.inset)
        flat = values.reshape(values.shape[0], -1, values.shape[3]).transpose(1, 2)
        products = torch.matmul(self.weight, flat)
        summed = F.fold(products, self.shape, self.kernel, self.dilation, self.padding)
        slots[self.target] = summed.permute(0, 2, 3, 1)


@dataclass(frozen=True, slots=True)
class Mix(_FromOne):
    """The same for a kernel of one pixel. `weight` is (outputs, inputs)."""

    inset: Reach
    weight: Tensor

    def __call__(self, slots: Slots, places: Places) -> None:
        slots[self.target] = torch.matmul(middle(slots[self.source], self.inset), self.weight)
