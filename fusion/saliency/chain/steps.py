"""The steps of a backward chain, each from some slots to others, for one principal pixel or many.

A slot holds the derivative of one or more fused pixels with respect to one value of the network: a tensor
(B, rows, columns, channels) whose middle is the fused pixel. Channels come last, which convolutions of such small
windows like best. `Pixels` know where the windows of principal pixels lie in the derivative maps. Where a network
strides, the middle is the square of pixels that the fused one is in, of which there is one for each place of a grid, so
that the same steps do for all pixels: they begin with the one of the square that is the fused pixel (`begun`).
"""

# ruff: noqa: D102 - what calling a step does is said of its class.

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor

from fusion.saliency.chain.graph import Reach

Maps = Sequence[Tensor]
"""Derivative maps (rows, columns, channels), each with a margin as wide as its windows reach."""

INDEXED_NUMBERS = 2**13
"""Numbers in a window up to which a processor is quicker to gather many by their indices than one by one."""


class Pixels(Protocol):
    """Some principal pixels in an order of their own."""

    @property
    def count(self) -> int:
        """The number of pixels."""

    @property
    def stride(self) -> int:
        """Pixels along the side of the squares that a network treats all alike."""

    def begun(self, values: Tensor) -> Tensor:
        """Set the fused pixels in zeros (B, stride, stride, 1) to 1."""

    def spread(self, values: Tensor, map_number: int, block: int, factor: int) -> Tensor:
        """Multiply squares of `factor` × `factor` pixels, of which `values` has one each, by windows of a map."""

    def multiplied(self, values: Tensor, map_number: int, in_place: bool, block: int) -> Tensor:
        """Multiply windows (B, h, w, channels) by those of a map of so many pixels a square, whose margin fits."""

    def folded(self, values: Tensor, map_number: int, block: int) -> Tensor:
        """Add what lies beyond the image to the pixels that are read there, and leave zeros; see `Fold`.

        Parameters
        ----------
        values : torch.Tensor
            (B, h, w, channels), 0 where nothing is read. May be written to.
        map_number : int
            Of offsets: of the rows of a part with its margin, then of its columns.
        """


def _product(values: Tensor, factors: Tensor, in_place: bool) -> Tensor:
    return values.mul_(factors) if in_place else values * factors


@dataclass(frozen=True, slots=True)
class OnePixel:
    """One pixel; row and column count from where the maps' margins end, in pixels of the image."""

    tensors: Maps
    row: int
    column: int
    stride: int = 1

    @property
    def count(self) -> int:
        """One."""
        return 1

    def begun(self, values: Tensor) -> Tensor:
        """See `Pixels.begun`."""
        values[0, self.row % self.stride, self.column % self.stride] = 1
        return values

    def multiplied(self, values: Tensor, map_number: int, in_place: bool, block: int = 1) -> Tensor:
        """See `Pixels.multiplied`."""
        rows, columns = values.shape[1:3]
        top, left = self.row // self.stride * block, self.column // self.stride * block
        return _product(values, self.tensors[map_number][top : top + rows, left : left + columns], in_place)

    def spread(self, values: Tensor, map_number: int, block: int, factor: int) -> Tensor:
        """See `Pixels.spread`. At once, without the squares in memory."""
        _, rows, columns, channels = values.shape
        top, left = self.row // self.stride * block, self.column // self.stride * block
        height, width, _ = self.tensors[map_number].stride()
        windows = self.tensors[map_number].as_strided(
            (rows, factor, columns, factor, channels),
            (factor * height, height, factor * width, width, 1),
            self.tensors[map_number].storage_offset() + top * height + left * width,
        )
        return (values[:, :, None, :, None] * windows).view(1, rows * factor, columns * factor, channels)

    def folded(self, values: Tensor, map_number: int, block: int = 1) -> Tensor:
        """See `Pixels.folded`. Line by line: there are few."""
        starts = (self.row // self.stride * block, self.column // self.stride * block)
        for axis, offsets, start in zip((1, 2), self.tensors[map_number], starts, strict=True):
            found = offsets[start : start + values.shape[axis]]
            if found.any():
                for place, offset in enumerate(found.tolist()):
                    if offset:
                        beyond = values.select(axis, place)
                        values.select(axis, place + offset).add_(beyond)
                        beyond.zero_()
        return values


@dataclass(frozen=True, slots=True)
class PixelBatch:
    """Any pixels of one part; rows and columns, (B,) int64 on the maps' device, count as those of `OnePixel`."""

    tensors: Maps
    rows: Tensor
    columns: Tensor
    stride: int = 1

    @classmethod
    def of(cls, pixels: Sequence[OnePixel]) -> PixelBatch:
        """Put pixels of one part together.

        Raises
        ------
        ValueError
            If they are none, or of several parts.
        """
        if len({id(pixel.tensors) for pixel in pixels}) != 1:
            raise ValueError("pixels that are computed together must be in one part of the image")
        maps = pixels[0].tensors
        device = maps[0].device if maps else torch.device("cpu")
        rows, columns = torch.tensor([(pixel.row, pixel.column) for pixel in pixels], device=device).unbind(1)
        return cls(maps, rows, columns, pixels[0].stride)

    @property
    def count(self) -> int:
        """The number of pixels."""
        return len(self.rows)

    def begun(self, values: Tensor) -> Tensor:
        """See `Pixels.begun`."""
        which = torch.arange(len(values), device=values.device)
        values[which, self.rows % self.stride, self.columns % self.stride] = 1
        return values

    def _corners(self, block: int) -> tuple[Tensor, Tensor]:
        """Return where windows begin in a map of so many pixels a square."""
        if self.stride == block == 1:
            return self.rows, self.columns
        return self.rows // self.stride * block, self.columns // self.stride * block

    def multiplied(self, values: Tensor, map_number: int, in_place: bool, block: int = 1) -> Tensor:
        """See `Pixels.multiplied`."""
        factors_map = self.tensors[map_number]
        rows, columns = values.shape[1:3]
        tops, lefts = self._corners(block)
        if factors_map.device.type == "cpu" and rows * columns * factors_map.shape[2] > INDEXED_NUMBERS:
            corners = zip(tops.tolist(), lefts.tolist(), strict=True)
            windows = torch.stack([factors_map[r : r + rows, c : c + columns] for r, c in corners])
        else:
            # One operation however many pixels, and none whose result the processor would have to wait for.
            height, width, _ = factors_map.stride()
            windows = factors_map.as_strided(
                (
                    factors_map.shape[0] - rows + 1,
                    factors_map.shape[1] - columns + 1,
                    rows,
                    columns,
                    factors_map.shape[2],
                ),
                (height, width, height, width, 1),
            )[tops, lefts]
        return _product(values, windows, in_place)

    def spread(self, values: Tensor, map_number: int, block: int, factor: int) -> Tensor:
        """See `Pixels.spread`."""
        return self.multiplied(_enlarged(values, factor), map_number, True, block)

    def folded(self, values: Tensor, map_number: int, block: int = 1) -> Tensor:
        """See `Pixels.folded`."""
        return _folded(values, self.tensors[map_number], *self._corners(block))


@dataclass(frozen=True, slots=True)
class PixelLattice:
    """Pixels (row + i · down, column + j · right) for i < shape[0] and j < shape[1], rows first.

    Where networks stride, `down` and `right` are multiples of `stride`.
    """

    tensors: Maps
    row: int
    column: int
    down: int
    right: int
    shape: tuple[int, int]
    stride: int = 1

    @property
    def count(self) -> int:
        """The number of pixels."""
        return self.shape[0] * self.shape[1]

    def begun(self, values: Tensor) -> Tensor:
        """See `Pixels.begun`."""
        values[:, self.row % self.stride, self.column % self.stride] = 1
        return values

    def multiplied(self, values: Tensor, map_number: int, in_place: bool, block: int = 1) -> Tensor:
        """See `Pixels.multiplied`. The windows overlap in the map and are read where they are."""
        factors_map = self.tensors[map_number]
        height, width, _ = factors_map.stride()
        rows, columns = values.shape[1:3]
        top, left, down, right = self._in_map(block)
        windows = factors_map.as_strided(
            (*self.shape, rows, columns, factors_map.shape[2]),
            (down * height, right * width, height, width, 1),
            factors_map.storage_offset() + top * height + left * width,
        )
        product = _product(values.unflatten(0, self.shape), windows, in_place)
        return product.flatten(0, 1)

    def spread(self, values: Tensor, map_number: int, block: int, factor: int) -> Tensor:
        """See `Pixels.spread`."""
        return self.multiplied(_enlarged(values, factor), map_number, True, block)

    def _in_map(self, block: int) -> tuple[int, int, int, int]:
        """Return where windows begin, and how far apart they are, in a map of so many pixels a square."""
        top, left, down, right = (
            pixels // self.stride * block for pixels in (self.row, self.column, self.down, self.right)
        )
        return top, left, down, right

    def folded(self, values: Tensor, map_number: int, block: int = 1) -> Tensor:
        """See `Pixels.folded`."""
        device = values.device
        top, left, down, right = self._in_map(block)
        rows = top + down * torch.arange(self.shape[0], device=device)
        columns = left + right * torch.arange(self.shape[1], device=device)
        return _folded(
            values,
            self.tensors[map_number],
            rows.repeat_interleave(self.shape[1]),
            columns.repeat(self.shape[0]),
        )


def _enlarged(values: Tensor, factor: int) -> Tensor:
    """Repeat pixels (B, h, w, channels) down and across, in memory of their own."""
    batch, rows, columns, channels = values.shape
    squares = values[:, :, None, :, None].expand(-1, -1, factor, -1, factor, -1)
    return squares.reshape(batch, rows * factor, columns * factor, channels)


def _folded(values: Tensor, offsets: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Fold many windows at once. A processor skips those that do not reach the border; a GPU need not be asked."""
    height, width, channels = values.shape[1:]
    places = [torch.arange(size, device=values.device) for size in (height, width)]
    down = offsets[0][rows[:, None] + places[0]]
    right = offsets[1][columns[:, None] + places[1]]
    near: Tensor | slice = slice(None)
    if values.device.type == "cpu":
        near = ((down != 0).any(1) | (right != 0).any(1)).nonzero()[:, 0]
        if not len(near):
            return values
    targets = (places[0] + down[near])[:, :, None] * width + (places[1] + right[near])[:, None]
    flat = values[near].reshape(-1, height * width, channels)
    index = targets.reshape(-1, height * width, 1).expand_as(flat)
    values[near] = torch.zeros_like(flat).scatter_add_(1, index, flat).view(-1, height, width, channels)
    return values


Slots = list[Tensor]


class Step(Protocol):
    """One step of a chain."""

    @property
    def used(self) -> tuple[int, ...]:
        """The slots that it reads or writes."""

    def __call__(self, slots: Slots, pixels: Pixels) -> None: ...


def middle(values: Tensor, inset: Reach) -> Tensor:
    """Return the middle of windows, `inset` pixels less on each side."""
    rows, columns = inset
    if rows:
        values = values[:, rows:-rows]
    return values[:, :, columns:-columns] if columns else values


@dataclass(frozen=True, slots=True)
class FromOne:
    """A step from one slot to another."""

    source: int
    target: int

    @property
    def used(self) -> tuple[int, ...]:
        return self.source, self.target


@dataclass(frozen=True, slots=True)
class Multiply(FromOne):
    """Multiply by the derivative of a pointwise node, or of where the image ends."""

    map_number: int
    inset: Reach
    in_place: bool
    sum_channels: bool = False
    block: int = 1

    def __call__(self, slots: Slots, pixels: Pixels) -> None:
        values = middle(slots[self.source], self.inset)
        product = pixels.multiplied(values, self.map_number, self.in_place, self.block)
        slots[self.target] = product.sum(dim=3, keepdim=True) if self.sum_channels else product


@dataclass(frozen=True, slots=True)
class Fold(FromOne):
    """Bring back into the image what a convolution has read beyond it, which is its own pixels again.

    The transpose of padding by reflection or replication. What comes from a pixel beyond the border is added to the
    pixel that was read in its place, so that windows end at the border as those of zeros do.
    """

    map_number: int
    block: int = 1

    def __call__(self, slots: Slots, pixels: Pixels) -> None:
        slots[self.target] = pixels.folded(slots[self.source], self.map_number, self.block)


@dataclass(frozen=True, slots=True)
class Rescale(FromOne):
    """Multiply each channel by a constant."""

    factors: Tensor

    def __call__(self, slots: Slots, pixels: Pixels) -> None:
        slots[self.target] = slots[self.source] * self.factors


@dataclass(frozen=True, slots=True)
class Take(FromOne):
    """Take some of the channels, and the middle of the window."""

    start: int
    stop: int
    inset: Reach

    def __call__(self, slots: Slots, pixels: Pixels) -> None:
        slots[self.target] = middle(slots[self.source], self.inset)[..., self.start : self.stop]


@dataclass(frozen=True, slots=True)
class Combine:
    """Add what comes from several users of one value; `base` may be written to, the others are as wide or narrower."""

    base: int
    others: Sequence[tuple[int, Reach]]

    @property
    def used(self) -> tuple[int, ...]:
        return self.base, *(slot for slot, _ in self.others)

    def __call__(self, slots: Slots, pixels: Pixels) -> None:
        result = slots[self.base]
        for slot, inset in self.others:
            middle(result, inset).add_(slots[slot])


@dataclass(frozen=True, slots=True)
class Widen(FromOne):
    """Put zeros around a window, in memory of its own."""

    margin: Reach

    def __call__(self, slots: Slots, pixels: Pixels) -> None:
        rows, columns = self.margin
        slots[self.target] = F.pad(slots[self.source], (0, 0, columns, columns, rows, rows)).clone()


@dataclass(frozen=True, slots=True)
class TransposedConvolution(FromOne):
    """A transposed convolution: the window grows, or loses what cannot get back to the pixel any more."""

    inset: Reach
    weight: Tensor
    padding: Reach
    dilation: tuple[int, int]

    def __call__(self, slots: Slots, pixels: Pixels) -> None:
        values = middle(slots[self.source], self.inset).permute(0, 3, 1, 2)
        spread = F.conv_transpose2d(values, self.weight, None, 1, self.padding, 0, 1, self.dilation)
        slots[self.target] = spread.permute(0, 2, 3, 1)


@dataclass(frozen=True, slots=True)
class TransposedFromPoint(FromOne):
    """The same from a single pixel: a weighted sum of kernels. `weight` is (outputs, rows · columns · inputs)."""

    inset: Reach
    weight: Tensor
    shape: tuple[int, int, int]

    def __call__(self, slots: Slots, pixels: Pixels) -> None:
        values = middle(slots[self.source], self.inset)
        slots[self.target] = torch.mm(values.reshape(-1, values.shape[3]), self.weight).view(-1, *self.shape)


@dataclass(frozen=True, slots=True)
class TransposedToFew(FromOne):
    """The same for one or two input channels: all products, then one sum. `weight` is (inputs · taps, outputs)."""

    inset: Reach
    weight: Tensor
    shape: tuple[int, int]
    kernel: tuple[int, int]
    dilation: tuple[int, int]
    padding: Reach

    def __call__(self, slots: Slots, pixels: Pixels) -> None:
        values = middle(slots[self.source], self.inset)
        flat = values.reshape(values.shape[0], -1, values.shape[3]).transpose(1, 2)
        products = torch.matmul(self.weight, flat)
        summed = F.fold(products, self.shape, self.kernel, self.dilation, self.padding)
        slots[self.target] = summed.permute(0, 2, 3, 1)


@dataclass(frozen=True, slots=True)
class MixChannels(FromOne):
    """The same for a kernel of one pixel. `weight` is (outputs, inputs)."""

    inset: Reach
    weight: Tensor

    def __call__(self, slots: Slots, pixels: Pixels) -> None:
        slots[self.target] = torch.matmul(middle(slots[self.source], self.inset), self.weight)
