"""The rules' material: a program's values and operations while it is read, and convolutions in one form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NoReturn

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor

from fusion.saliency.chain.graph import (
    Border,
    ChannelReduction,
    Node,
    NotUnderstoodError,
    Pointwise,
    Reach,
    with_derivatives_known,
)
from fusion.saliency.chain.trace import Call, Ref, leaves, mapped


@dataclass(frozen=True)
class Image:
    """A value of the program that is a node's, (1, channels, rows, columns)."""

    node: int

    @property
    def nodes(self) -> tuple[int, ...]:
        """The numbers of the nodes that it is made of."""
        return (self.node,)

    def made(self, values: dict[int, Tensor]) -> Tensor:
        """Return it, made of the values of nodes."""
        return values[self.node]


@dataclass(frozen=True)
class Flat(Image):
    """One without the dimension of its only channel, (1, rows, columns)."""

    def made(self, values: dict[int, Tensor]) -> Tensor:
        """See `Image`."""
        return values[self.node].squeeze(1)


@dataclass(frozen=True)
class Padded(Image):
    """One with zeros around it, or its own pixels again.

    Attributes
    ----------
    before, after : tuple of int
        How many rows and columns at the top and left, and at the bottom and right.
    mode : str
        As `torch.nn.functional.pad` has it.
    """

    before: Reach
    after: Reach
    mode: str = "constant"

    def made(self, values: dict[int, Tensor]) -> Tensor:
        """See `Image`."""
        (top, left), (bottom, right) = self.before, self.after
        return F.pad(values[self.node], (left, right, top, bottom), self.mode)

    @property
    def border(self) -> Border | None:
        """Pixels that a convolution reads there; ``None``: zeros."""
        return None if self.mode == "constant" else Border(self.mode, self.before, self.after)


@dataclass(frozen=True)
class Stacked:
    """Images of as many channels, stacked along a dimension of their own, one of five."""

    nodes: tuple[int, ...]
    dimension: int

    def made(self, values: dict[int, Tensor]) -> Tensor:
        """See `Image`."""
        return torch.stack([values[node] for node in self.nodes], self.dimension)


Value = Image | Stacked
Run = Callable[..., Tensor]
"""Computes something from the values of nodes."""
Meaning = Value | list[Value | None] | None
"""One value, several, or that a rule does not know the operation."""


class GraphBuilder:
    """Nodes as they are added, and what the values of a program have become.

    Attributes
    ----------
    nodes, samples : list
        The nodes that there are, and the value of each on noise.
    values : dict
        What each value of the program has become, by its number.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.samples: list[Tensor] = []
        self.values: dict[int, Value | None] = {}

    def add(self, node: Node) -> Image:
        """Add a node."""
        self.samples.append(node.run(*(self.samples[source] for source in node.sources)))
        self.nodes.append(node)
        return Image(len(self.nodes) - 1)

    def value(self, number: int) -> Value:
        """Return what a value of the program has become.

        Raises
        ------
        NotUnderstoodError
            If it is one of several results of which only the first is understood.
        """
        found = self.values[number]
        if found is None:
            raise NotUnderstoodError("it uses a by-product of an operation")
        return found


class Operation:
    """A call of the program, with what its arguments have become.

    Attributes
    ----------
    name : str
        What torch calls it.
    kind : torch._ops.OpOverloadPacket
        The operation, whatever its arguments' types.
    given : dict
        Its arguments by name, those left out with their defaults.
    sources : tuple of int
        The nodes that it takes, each once.
    """

    def __init__(self, call: Call, builder: GraphBuilder) -> None:
        self.name, self.op, self.kind = call.name, call.op, call.op.overloadpacket
        self._builder = builder
        values = {number: builder.value(number) for number in call.inputs}
        self._args, self._kwargs = mapped(
            (call.args, call.kwargs), lambda leaf: values[leaf.number] if isinstance(leaf, Ref) else leaf
        )
        self.sources = tuple(dict.fromkeys(node for value in values.values() for node in value.nodes))
        named = zip((argument.name for argument in call.op._schema.arguments), self._args, strict=False)
        defaults = {argument.name: argument.default_value for argument in call.op._schema.arguments}
        self.given: dict[str, Any] = {**defaults, **dict(named), **self._kwargs}

    @cached_property
    def result(self) -> Any:
        """Its result on noise."""
        return self.run(*(self.samples[source] for source in self.sources))

    @property
    def samples(self) -> list[Tensor]:
        """The values of all nodes on noise."""
        return self._builder.samples

    @property
    def operands(self) -> list[Value]:
        """Those of its arguments that depend on the images."""
        return [leaf for leaf in leaves((self._args, self._kwargs)) if isinstance(leaf, Image | Stacked)]

    def channels(self, node: int) -> int:
        """Return how many channels a node has."""
        return self.samples[node].shape[1]

    def image(self, reason: str) -> int:
        """Return the node of its first argument, which must be an image and all that it takes of the images."""
        operand = self._args[0]
        if type(operand) is not Image or self.sources != operand.nodes:
            self.refuse(reason)
        node: int = operand.node
        return node

    def refuse(self, reason: str) -> NoReturn:
        """Raise `NotUnderstoodError`."""
        raise NotUnderstoodError(f"{self.name} {reason}")

    def add(self, node: Node) -> Image:
        """Add a node."""
        return self._builder.add(node)

    def add_local(
        self,
        kind: type[Pointwise] | type[ChannelReduction],
        sources: tuple[int, ...],
        channels: int,
        run: Run,
    ) -> Image:
        """Add a node that is differentiated by autograd, pixel by pixel."""
        samples = [self.samples[source] for source in sources]
        if not keeps_size(run(*samples), samples[0]):
            self.refuse("does not keep the image's size")
        node = kind(sources, channels, run, None, (True,) * len(sources))
        return self.add(with_derivatives_known(node, samples))

    def run(self, *values: Tensor) -> Any:
        """Compute its result from the values of its sources."""
        known = dict(zip(self.sources, values, strict=True))

        def fill(leaf: Any) -> Any:
            return leaf.made(known) if isinstance(leaf, Image | Stacked) else leaf

        return self.op(*mapped(self._args, fill), **mapped(self._kwargs, fill))

    def part(self, number: int | None, flat: bool = False) -> Run:
        """Return how one of its results is computed, or its only one, with a dimension of channels if it has none."""

        def run(*values: Tensor) -> Tensor:
            found = self.run(*values)
            tensor: Tensor = found if number is None else found[number]
            return tensor.unsqueeze(1) if flat else tensor

        return run


def keeps_size(result: Any, like: Tensor) -> bool:
    """Tell whether a result on noise is an image as large as another, whatever its channels."""
    return (
        isinstance(result, Tensor)
        and result.ndim == 4
        and result.shape[0] == 1
        and result.shape[2:] == like.shape[2:]
    )


@dataclass(frozen=True)
class Kernel:
    """A convolution of stride 1 with zeros, or something else, around the image.

    Attributes
    ----------
    weight : torch.Tensor
        (outputs, inputs of a group, rows, columns).
    before, after : tuple of int
        How many rows and columns it reads at the top and left, and at the bottom and right, of what is around.
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
        """Return it with more around the image."""
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


def one_a_channel(constant: Any, channels: int) -> Tensor | None:
    """Return a constant as one float64 number a channel, ``None`` where it is not that."""
    if isinstance(constant, int | float) and not isinstance(constant, bool):
        return torch.full((channels,), float(constant), dtype=torch.float64)
    if not isinstance(constant, Tensor) or not constant.is_floating_point():
        return None
    flat = constant.double().cpu().reshape(-1)
    if len(flat) == 1:
        return flat.expand(channels).clone()
    return flat if tuple(constant.shape) in {(1, channels, 1, 1), (channels, 1, 1)} else None
