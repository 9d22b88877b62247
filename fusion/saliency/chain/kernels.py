"""Torch's convolutions of stride 1 in all their forms, as one: a kernel with the pixel itself in its middle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fusion.saliency.chain.nodes import NotUnderstoodError, Reach


@dataclass(frozen=True)
class Kernel:
    """A convolution of stride 1 with zeros around the image.

    Attributes
    ----------
    weight : torch.Tensor
        (outputs, inputs of a group, rows, columns).
    before, after : tuple of int
        How many rows and columns of zeros it reads at the top and left, and at the bottom and right.
    dilation : tuple of int
        Pixels from one tap to the next, down and right.
    groups : int
        In how many groups its channels are.
    """

    weight: Tensor
    before: Reach
    after: Reach
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    def padded(self, before: Reach, after: Reach) -> Kernel:
        """Return it with more zeros around the image."""
        first, last = self.before, self.after
        return replace(
            self,
            before=(first[0] + before[0], first[1] + before[1]),
            after=(last[0] + after[0], last[1] + after[1]),
        )

    def centred(self) -> tuple[Tensor, tuple[int, int]]:
        """Return its weight with the pixel itself in the middle, and its dilation.

        Returns
        -------
        Tensor
            (outputs, inputs, rows, columns) float64 on the CPU, rows and columns odd; groups are written out as
            zeros, and so is what a kernel of even size lacks on one side.
        tuple of int
            Its dilation, 1 where zeros were written.

        Raises
        ------
        NotUnderstoodError
            If it does not keep the image's size.
        """
        weight, dilation = self._dense(), list(self.dilation)
        for axis in (0, 1):
            before, after, size = self.before[axis], self.after[axis], weight.shape[2 + axis]
            if before < 0 or after < 0 or before + after != dilation[axis] * (size - 1):
                raise NotUnderstoodError("a convolution changes the image's size")
            if before == after and size % 2 == 1:
                continue
            far = max(before, after)
            shape = list(weight.shape)
            shape[2 + axis] = 2 * far + 1
            places = torch.arange(far - before, far + after + 1, dilation[axis])
            weight = weight.new_zeros(shape).index_copy_(2 + axis, places, weight)
            dilation[axis] = 1
        return weight, (dilation[0], dilation[1])

    def _dense(self) -> Tensor:
        weight = self.weight.detach().to(device="cpu", dtype=torch.float64, copy=True)
        if self.groups == 1:
            return weight
        of_all, inputs = weight.shape[:2]
        outputs = of_all // self.groups
        dense = weight.new_zeros(of_all, inputs * self.groups, *weight.shape[2:])
        for group in range(self.groups):
            rows = slice(group * outputs, (group + 1) * outputs)
            dense[rows, group * inputs : (group + 1) * inputs] = weight[rows]
        return dense


def kernel_of(weight: Tensor, padding: Sequence[int], dilation: Sequence[int], groups: int) -> Kernel:
    """Return a convolution of stride 1 as torch describes it."""
    around = pair(padding)
    return Kernel(weight, around, around, pair(dilation), groups)


def transposed_kernel(
    weight: Tensor, padding: Sequence[int], added: Sequence[int], groups: int, dilation: Sequence[int]
) -> Kernel:
    """Return a transposed convolution of stride 1, which is a convolution with the kernel turned round.

    Parameters
    ----------
    weight : torch.Tensor
        (inputs, outputs of a group, rows, columns), as torch has it.
    padding, added, groups, dilation
        As torch describes them; `added` is its output padding.
    """
    steps, cut, more = pair(dilation), pair(padding), pair(added)
    turned = weight.flip(2, 3).unflatten(0, (groups, -1)).transpose(1, 2).flatten(0, 1)
    far = (steps[0] * (weight.shape[2] - 1), steps[1] * (weight.shape[3] - 1))
    before = (far[0] - cut[0], far[1] - cut[1])
    return Kernel(turned, before, (before[0] + more[0], before[1] + more[1]), steps, groups)


def average_kernel(channels: int, size: Sequence[int], padding: Sequence[int] | int) -> Kernel:
    """Return the average over a neighbourhood of this size, zeros outside the image counted."""
    rows, columns = pair(size)
    weight = torch.full((channels, 1, rows, columns), 1 / (rows * columns), dtype=torch.float64)
    return Kernel(weight, pair(padding), pair(padding), groups=channels)


def pair(given: Sequence[int] | int) -> tuple[int, int]:
    """Return a number, or one or two in a list, as torch takes them, as two."""
    both = (given,) if isinstance(given, int) else tuple(given)
    return both[0], both[-1]
